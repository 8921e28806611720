//! Which chunk is generated and applied first: the nearest to any viewer, and one that waits long before others as near.
//!
//! To load what is ahead of a fast viewer first, this is the place: `look_ahead_sq` of chunk-coord is a distance that
//! takes motion into account, which comes in at `systems/scan`. Levels of detail and the order of saves use the same rank
//! as their distance.

use crate::sync::Arc;
use chunk_coord::{ChunkCoord, NearestViewers};
use chunk_scheduler::{MayChange, Rank};

/// In how many frames with newer requests a waiting chunk's rank becomes one chunk nearer.
const TURNS_PER_CHUNK: u32 = 64;
/// When more than this share of the viewers changed their chunk, one of so many, all queued chunks are ranked anew.
const MOST_MOVED: usize = 4;

/// A snapshot of the viewers' chunks: the chunk nearest to any of them comes first.
///
/// The rank of a chunk that waits becomes nearer by one chunk for each 64 frames with new requests. Otherwise a viewer in
/// fast flight, whose own surroundings are always nearest, could delay the chunks of another viewer without end.
///
/// What a chunk costs to rank hardly grows with the number of viewers. When few viewers of many have moved, chunks that
/// are far from them are not ranked again, except after 64 frames with new requests, for their age.
#[derive(Clone, Debug, Default)]
pub struct ViewerRank {
    nearest: Arc<NearestViewers>,
}

impl ViewerRank {
    /// A rank by distance to the nearest of these chunks.
    #[must_use]
    pub fn new(viewers: impl IntoIterator<Item = ChunkCoord>) -> Self {
        Self {
            nearest: Arc::new(NearestViewers::new(viewers)),
        }
    }

    /// The rank by these chunks instead. When it is the rank before that few of many viewers moved, this takes less time
    /// than a new one.
    #[must_use]
    pub fn following(&self, viewers: impl IntoIterator<Item = ChunkCoord>) -> Self {
        let mut nearest = NearestViewers::clone(&self.nearest);
        nearest.set_viewers(viewers);
        Self {
            nearest: Arc::new(nearest),
        }
    }
}

impl Rank<ChunkCoord> for ViewerRank {
    /// Squared distance in chunks.
    type Priority = u64;

    fn rank(&self, coord: &ChunkCoord) -> u64 {
        self.nearest.nearest_sq(*coord)
    }

    fn rank_aged(&self, coord: &ChunkCoord, turns: u32) -> u64 {
        let distance_sq = self.rank(coord);
        match u64::from(turns / TURNS_PER_CHUNK) {
            0 => distance_sq,
            nearer => distance_sq.isqrt().saturating_sub(nearer).pow(2),
        }
    }

    /// Only where a viewer was as near as the nearest, or is now.
    fn may_change(&self, former: &Self) -> Option<MayChange<ChunkCoord, u64>> {
        let moved = moved(former.nearest.viewers(), self.nearest.viewers())?;
        let moved = NearestViewers::new(moved);
        Some(Box::new(move |coord, priority, turns| {
            moved.is_any_within(*coord, farthest_sq(*priority, turns))
        }))
    }
}

/// Where viewers were that moved, came or went, and where they are. `None` when that is much of all.
fn moved(before: &[ChunkCoord], now: &[ChunkCoord]) -> Option<Vec<ChunkCoord>> {
    let most = before.len().min(now.len()) / MOST_MOVED;
    let both = before.len().min(now.len());
    if before.len().max(now.len()) - both > most {
        return None;
    }
    let mut moved = [&before[both..], &now[both..]].concat();
    for (before, now) in before.iter().zip(now) {
        if before != now {
            moved.extend([*before, *now]);
            if moved.len() > 2 * most {
                return None;
            }
        }
    }
    Some(moved)
}

/// The greatest squared distance from which this priority can come, at this age or a lower one.
fn farthest_sq(priority: u64, turns: u32) -> u64 {
    match u64::from(turns / TURNS_PER_CHUNK) {
        0 => priority,
        nearer => (priority.isqrt() + nearer + 1).saturating_pow(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_chunk_that_waits_comes_nearer_by_and_by() {
        let rank = ViewerRank::new([ChunkCoord::new(0, 0, 0)]);
        let far = ChunkCoord::new(30, 0, 0);
        let aged = [0, 63, 64, 640, 64 * 30, u32::MAX].map(|turns| rank.rank_aged(&far, turns));
        assert_eq!(aged, [900, 900, 29 * 29, 400, 0, 0]);
    }

    proptest! {
        #[test]
        fn a_chunk_that_is_not_ranked_again_is_as_far_as_before(
            viewers in prop::collection::vec(prop::array::uniform3(-20..20_i32), 8..60),
            moves in prop::collection::vec((0..60_usize, prop::array::uniform3(-20..20_i32)), 0..6),
            comes: bool, goes in 0..60_usize, then in 0..1_000_u32, since in 0..1_000_u32,
        ) {
            let mut viewers: Vec<_> = viewers.into_iter().map(ChunkCoord::from).collect();
            let former = ViewerRank::new(viewers.iter().copied());
            for (nth, to) in moves {
                let nth = nth % viewers.len();
                viewers[nth] = to.into();
            }
            if comes {
                viewers.push(ChunkCoord::new(1, 2, 3));
            } else {
                // As a table of Bevy removes a row.
                viewers.swap_remove(goes % viewers.len());
            }
            let rank = former.following(viewers);
            if let Some(may_change) = rank.may_change(&former) {
                for x in -22..22 {
                    let coord = ChunkCoord::new(x, x / 2, 3);
                    let priority = former.rank_aged(&coord, then);
                    if !may_change(&coord, &priority, then + since) {
                        prop_assert_eq!(rank.rank(&coord), former.rank(&coord));
                    }
                }
            }
        }
    }

    #[test]
    fn one_move_of_many_leaves_most_chunks_as_they_are() {
        let viewers = |step: i32| {
            (0..100).map(move |n| ChunkCoord::planar(40 * n + step * i32::from(n == 50), 0))
        };
        let former = ViewerRank::new(viewers(0));
        let rank = former.following(viewers(1));
        let may_change = rank.may_change(&former);
        let may_change = may_change.expect("one moved of a hundred");
        let changed = (0..4_000).filter(|x| {
            let coord = ChunkCoord::planar(*x, 5);
            may_change(&coord, &rank.rank(&coord), 0)
        });
        // Nearer to this viewer than to its neighbours.
        assert_eq!(changed.count(), 41);
    }
}
