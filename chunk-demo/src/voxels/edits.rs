//! What players changed, apart from what the land is by itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use bevy_math::IVec3;
use chunk_coord::ChunkCoord;
#[cfg(feature = "saves")]
use chunk_scheduler::store::{Archive, StoreError};

use super::block::Block;
use super::volume::{Voxels, chunk_of, number};

/// What was changed in one chunk, by the number of each voxel.
pub type ChunkEdits = BTreeMap<u16, Block>;

/// The voxels that were dug away or built, shared by the main thread and the workers.
#[derive(Debug, Default)]
pub struct Edits {
    chunks: RwLock<HashMap<ChunkCoord, Arc<ChunkEdits>>>,
    #[cfg(feature = "saves")]
    archive: Option<Archive<ChunkCoord, ChunkEdits>>,
}

impl Edits {
    /// The edits that are in an archive. Further ones are saved there.
    ///
    /// # Errors
    ///
    /// If one of them cannot be loaded.
    #[cfg(feature = "saves")]
    pub async fn saved_in(archive: Archive<ChunkCoord, ChunkEdits>) -> Result<Self, StoreError> {
        let mut chunks = HashMap::new();
        for coord in archive.keys().await? {
            if let Some(edits) = archive.load(coord).await? {
                chunks.insert(coord, edits);
            }
        }
        Ok(Self {
            chunks: RwLock::new(chunks),
            archive: Some(archive),
        })
    }

    /// Where they are saved, if they are.
    #[cfg(feature = "saves")]
    #[must_use]
    pub fn archive(&self) -> Option<&Archive<ChunkCoord, ChunkEdits>> {
        self.archive.as_ref()
    }

    /// What a voxel was made into, if it was.
    #[must_use]
    pub fn at(&self, place: IVec3) -> Option<Block> {
        let (chunk, within) = chunk_of(place);
        let edits = self.chunks.read().unwrap_or_else(PoisonError::into_inner);
        edits.get(&chunk)?.get(&number(within)).copied()
    }

    /// Whether a voxel of a chunk was changed.
    #[must_use]
    pub fn has(&self, chunk: ChunkCoord) -> bool {
        let edits = self.chunks.read().unwrap_or_else(PoisonError::into_inner);
        edits.contains_key(&chunk)
    }

    pub(super) fn set(&self, place: IVec3, block: Block) {
        let (chunk, within) = chunk_of(place);
        let mut chunks = self.chunks.write().unwrap_or_else(PoisonError::into_inner);
        // Copied only while a worker reads it.
        let edits = Arc::make_mut(chunks.entry(chunk).or_default());
        edits.insert(number(within), block);
        #[cfg(feature = "saves")]
        if let Some(archive) = &self.archive {
            archive.save(chunk, edits.clone());
        }
    }

    pub(super) fn applied_to(&self, chunk: ChunkCoord, voxels: Voxels) -> Voxels {
        let of_chunk = |edits: &HashMap<_, Arc<_>>| edits.get(&chunk).map(Arc::clone);
        // Nothing is made or copied under the lock, because the main thread waits for it.
        let edits = of_chunk(&self.chunks.read().unwrap_or_else(PoisonError::into_inner));
        let edits = edits.iter().flat_map(|edits| edits.iter());
        voxels.with(edits.map(|(number, block)| (*number, *block)))
    }
}
