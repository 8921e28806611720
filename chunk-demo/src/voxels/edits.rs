//! What players changed, apart from what the land is by itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use bevy_math::IVec3;
use chunk_coord::ChunkCoord;

use super::block::Block;
use super::volume::{Voxels, chunk_of, number};

/// The voxels that were dug away or built, shared by the main thread and the workers.
#[derive(Debug, Default)]
pub struct Edits(RwLock<HashMap<ChunkCoord, Arc<BTreeMap<u16, Block>>>>);

impl Edits {
    /// What a voxel was made into, if it was.
    #[must_use]
    pub fn at(&self, place: IVec3) -> Option<Block> {
        let (chunk, within) = chunk_of(place);
        let edits = self.0.read().unwrap_or_else(PoisonError::into_inner);
        edits.get(&chunk)?.get(&number(within)).copied()
    }

    /// Whether a voxel of a chunk was changed.
    #[must_use]
    pub fn has(&self, chunk: ChunkCoord) -> bool {
        let edits = self.0.read().unwrap_or_else(PoisonError::into_inner);
        edits.contains_key(&chunk)
    }

    pub(super) fn set(&self, place: IVec3, block: Block) {
        let (chunk, within) = chunk_of(place);
        let mut edits = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Copied only while a worker reads it.
        Arc::make_mut(edits.entry(chunk).or_default()).insert(number(within), block);
    }

    pub(super) fn applied_to(&self, chunk: ChunkCoord, voxels: Voxels) -> Voxels {
        let of_chunk = |edits: &HashMap<_, Arc<_>>| edits.get(&chunk).map(Arc::clone);
        // Nothing is made or copied under the lock, because the main thread waits for it.
        let edits = of_chunk(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        let edits = edits.iter().flat_map(|edits| edits.iter());
        voxels.with(edits.map(|(number, block)| (*number, *block)))
    }
}
