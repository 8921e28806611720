//! Which chunk is made and shown first.

use chunk_coord::{ChunkCoord, nearest_distance_sq};
use chunk_scheduler::Rank;
use std::sync::Arc;

/// A snapshot of the viewers' chunks: what is nearest to any of them comes first.
#[derive(Clone, Debug, Default)]
pub struct ViewerRank {
    viewers: Arc<[ChunkCoord]>,
}

impl ViewerRank {
    /// A rank by distance to the nearest of these chunks.
    #[must_use]
    pub fn new(viewers: impl IntoIterator<Item = ChunkCoord>) -> Self {
        Self {
            viewers: viewers.into_iter().collect(),
        }
    }
}

impl Rank<ChunkCoord> for ViewerRank {
    /// Squared distance in chunks.
    type Priority = u64;

    fn rank(&self, coord: &ChunkCoord) -> u64 {
        nearest_distance_sq(&self.viewers, *coord)
    }

    /// A whole ring closer is; less is not worth a reordering.
    fn is_inversion(&self, started: u64, queued: u64) -> bool {
        queued.isqrt() < started.isqrt()
    }
}
