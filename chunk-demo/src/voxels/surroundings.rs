//! A chunk's voxels, and the layer of voxels around them that belongs to its neighbours.

use bevy_math::IVec3;
use chunk_coord::ChunkCoord;

use super::block::Block;
use super::volume::{SIZE, Voxels};

/// The side of a chunk with one voxel of its neighbours on each side.
pub(super) const PADDED: i32 = SIZE + 2;

/// A chunk's voxels with those around them, which decide on the faces at its borders and on the light in their corners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    blocks: Box<[Block]>,
}

impl Surroundings {
    /// Reads a chunk and the 26 around it. Where nothing can be seen of the chunk, because it is air, or because it and the
    /// six beside it are solid, it reads no others and is nothing.
    ///
    /// # Errors
    ///
    /// What `read` returns.
    pub fn read<V: AsRef<Voxels>, E>(
        coord: ChunkCoord,
        mut read: impl FnMut(ChunkCoord) -> Result<V, E>,
    ) -> Result<Option<Self>, E> {
        let centre = read(coord)?;
        let is_rock = |voxels: &Voxels| matches!(voxels, Voxels::Uniform(it) if it.is_solid());
        if matches!(centre.as_ref(), Voxels::Uniform(Block::Air)) {
            return Ok(None);
        }
        if is_rock(centre.as_ref()) {
            let mut is_hidden = true;
            for neighbour in coord.face_neighbours() {
                is_hidden = is_hidden && is_rock(read(neighbour)?.as_ref());
            }
            if is_hidden {
                return Ok(None);
            }
        }
        let mut blocks = vec![Block::Air; (PADDED * PADDED * PADDED) as usize].into_boxed_slice();
        for side in sides() {
            let voxels = if side == IVec3::ZERO {
                None
            } else {
                Some(read(coord.saturating_offset(side.x, side.y, side.z))?)
            };
            copy(
                voxels.as_ref().unwrap_or(&centre).as_ref(),
                side,
                &mut blocks,
            );
        }
        Ok(Some(Self { blocks }))
    }

    /// The voxel at a place from -1 to 32 along each axis, counted from the chunk's own first voxel.
    ///
    /// # Panics
    ///
    /// If there is no such place.
    #[must_use]
    pub fn at(&self, place: IVec3) -> Block {
        self.blocks[padded(place)]
    }

    pub(super) fn blocks(&self) -> &[Block] {
        &self.blocks
    }
}

/// The chunk itself and the 26 around it, as steps along each axis.
fn sides() -> impl Iterator<Item = IVec3> {
    (0..27).map(|n| IVec3::new(n % 3, n / 3 % 3, n / 9) - IVec3::ONE)
}

/// The number of a place among the padded ones.
fn padded(place: IVec3) -> usize {
    let from = place + IVec3::ONE;
    (from.x + PADDED * (from.y + PADDED * from.z)) as usize
}

/// Copies what a chunk on one side contributes: a corner, an edge, a face, or in the middle everything.
fn copy(voxels: &Voxels, side: IVec3, blocks: &mut [Block]) {
    let range = |side: i32| match side {
        -1 => -1..0,
        0 => 0..SIZE,
        _ => SIZE..SIZE + 1,
    };
    let offset = side * SIZE;
    let row = range(side.x);
    let length = row.len();
    for (z, y) in range(side.z).flat_map(|z| range(side.y).map(move |y| (z, y))) {
        let first = IVec3::new(row.start, y, z);
        let into = padded(first);
        let into = &mut blocks[into..into + length];
        match voxels {
            Voxels::Uniform(block) => into.fill(*block),
            Voxels::Mixed(all) => {
                let from = usize::from(super::volume::number(first - offset));
                into.copy_from_slice(&all[from..from + length]);
            }
        }
    }
}
