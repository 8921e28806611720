//! Which chunk is generated and applied first.

use crate::sync::Arc;
use chunk_coord::{ChunkCoord, nearest_distance_sq};
use chunk_scheduler::Rank;

/// In how many frames with newer requests a waiting chunk's rank becomes one chunk nearer.
const TURNS_PER_CHUNK: u32 = 64;

/// A snapshot of the viewers' chunks: the chunk nearest to any of them comes first.
///
/// The rank of a chunk that waits becomes nearer by one chunk for each 64 frames with new requests. Otherwise a viewer in
/// fast flight, whose own surroundings are always nearest, could delay the chunks of another viewer without end.
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
        nearest_distance_sq(*coord, &self.viewers)
    }

    fn rank_aged(&self, coord: &ChunkCoord, turns: u32) -> u64 {
        let distance_sq = self.rank(coord);
        match u64::from(turns / TURNS_PER_CHUNK) {
            0 => distance_sq,
            nearer => distance_sq.isqrt().saturating_sub(nearer).pow(2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_that_waits_comes_nearer_by_and_by() {
        let rank = ViewerRank::new([ChunkCoord::new(0, 0, 0)]);
        let far = ChunkCoord::new(30, 0, 0);
        let aged = [0, 63, 64, 640, 64 * 30, u32::MAX].map(|turns| rank.rank_aged(&far, turns));
        assert_eq!(aged, [900, 900, 29 * 29, 400, 0, 0]);
    }
}
