//! What a voxel can be.

use block_mesh::{MergeVoxel, Voxel, VoxelVisibility};
use serde::{Deserialize, Serialize};

/// What a voxel is made of: a byte of the palette. It is saved as its place among the variants, so a new one comes last.
#[derive(
    Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord,
)]
#[repr(u8)]
pub enum Block {
    /// Nothing.
    #[default]
    Air,
    /// The top of the ground.
    Grass,
    /// Below the top.
    Dirt,
    /// Everything deeper.
    Stone,
    /// The top of low ground.
    Sand,
    /// The top of high ground.
    Snow,
    /// What players build.
    Brick,
}

impl Block {
    /// All of them, in the order of their bytes.
    pub const ALL: [Self; 7] = [
        Self::Air,
        Self::Grass,
        Self::Dirt,
        Self::Stone,
        Self::Sand,
        Self::Snow,
        Self::Brick,
    ];

    /// Whether it hides what is behind it.
    #[must_use]
    pub const fn is_solid(self) -> bool {
        !matches!(self, Self::Air)
    }

    /// Its colour, in sRGB.
    #[must_use]
    pub const fn colour(self) -> [u8; 3] {
        match self {
            Self::Air => [0; 3],
            Self::Grass => [104, 150, 62],
            Self::Dirt => [132, 98, 66],
            Self::Stone => [136, 134, 132],
            Self::Sand => [214, 196, 146],
            Self::Snow => [238, 242, 246],
            Self::Brick => [178, 84, 60],
        }
    }
}

impl Voxel for Block {
    fn get_visibility(&self) -> VoxelVisibility {
        if self.is_solid() {
            VoxelVisibility::Opaque
        } else {
            VoxelVisibility::Empty
        }
    }
}

impl MergeVoxel for Block {
    type MergeValue = Self;

    fn merge_value(&self) -> Self {
        *self
    }
}
