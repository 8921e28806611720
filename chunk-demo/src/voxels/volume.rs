//! The voxels of one chunk.

use bevy_math::IVec3;
use chunk_coord::ChunkCoord;

use super::block::Block;

/// The side of a chunk in voxels. A voxel is a metre.
pub const SIZE: i32 = 32;
/// The voxels of a chunk.
pub(super) const VOLUME: usize = (SIZE * SIZE * SIZE) as usize;

/// The voxels of one chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voxels {
    /// All are the same: sky, or rock.
    Uniform(Block),
    /// One byte each, along x, then y, then z.
    Mixed(Box<[Block]>),
}

impl AsRef<Self> for Voxels {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Voxels {
    /// The voxels that a function says, which gets each place in the chunk.
    #[must_use]
    pub fn from_fn(block_at: impl Fn(IVec3) -> Block) -> Self {
        let numbers = 0..VOLUME as i32;
        let places = numbers.map(|n| IVec3::new(n % SIZE, n / SIZE % SIZE, n / SIZE / SIZE));
        Self::of(places.map(block_at).collect())
    }

    /// The voxels of a chunk, in the order along x, then y, then z.
    pub(super) fn of(blocks: Box<[Block]>) -> Self {
        debug_assert_eq!(blocks.len(), VOLUME);
        if blocks.iter().all(|block| *block == blocks[0]) {
            return Self::Uniform(blocks[0]);
        }
        Self::Mixed(blocks)
    }

    /// The same with some voxels changed, which are named by their [number](number).
    pub(super) fn with(self, changes: impl IntoIterator<Item = (u16, Block)>) -> Self {
        let mut changes = changes.into_iter().peekable();
        if changes.peek().is_none() {
            return self;
        }
        let mut blocks = match self {
            Self::Uniform(block) => vec![block; VOLUME].into_boxed_slice(),
            Self::Mixed(blocks) => blocks,
        };
        for (number, block) in changes {
            blocks[usize::from(number)] = block;
        }
        Self::of(blocks)
    }

    /// The voxel at a place in the chunk, from 0 to 31 along each axis.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    #[must_use]
    pub fn at(&self, place: IVec3) -> Block {
        match self {
            Self::Uniform(block) => *block,
            Self::Mixed(blocks) => blocks[usize::from(number(place))],
        }
    }

    /// What they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let blocks = match self {
            Self::Uniform(_) => 0,
            Self::Mixed(blocks) => blocks.len(),
        };
        size_of::<Self>() + blocks
    }
}

/// The place of a voxel in its chunk as a number below 32³.
pub(super) fn number(place: IVec3) -> u16 {
    (place.x + SIZE * (place.y + SIZE * place.z)) as u16
}

/// The place of a chunk's first voxel. Beyond 67 million chunks the world begins again.
#[must_use]
pub fn corner(coord: ChunkCoord) -> IVec3 {
    IVec3::new(coord.x, coord.y, coord.z).wrapping_mul(IVec3::splat(SIZE))
}

/// The chunk that a voxel is in, and its place there.
#[must_use]
pub fn chunk_of(place: IVec3) -> (ChunkCoord, IVec3) {
    let side = IVec3::splat(SIZE);
    let chunk = place.div_euclid(side);
    let within = place.rem_euclid(side);
    (ChunkCoord::new(chunk.x, chunk.y, chunk.z), within)
}
