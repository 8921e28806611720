//! Distance to the nearest viewer.

use crate::ChunkCoord;

/// The squared distance from `coord` to the nearest of `viewers`, in chunks²; [`u64::MAX`] when there are
/// none.
#[inline]
#[must_use]
pub fn nearest_distance_sq(coord: ChunkCoord, viewers: &[ChunkCoord]) -> u64 {
    viewers
        .iter()
        .map(|viewer| viewer.distance_sq(coord))
        .min()
        .unwrap_or(u64::MAX)
}
