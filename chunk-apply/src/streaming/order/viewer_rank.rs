//! The snapshot by which jobs and results are ordered.

use super::load_order::{OwnRank, ViewerSnapshot};
use crate::sync::Arc;
use chunk_coord::{ChunkCoord, NearestViewers, ViewRange, look_ahead_sq, view_weighted_sq};
use chunk_scheduler::{MayChange, Rank};

/// In how many frames with newer requests a waiting chunk's rank becomes one chunk nearer.
const TURNS_PER_CHUNK: u32 = 64;
/// When more than this share of the viewers changed their chunk, one of so many, all queued chunks are ranked anew.
const MOST_MOVED: usize = 4;

/// A snapshot of the viewers: by the default [order](crate::LoadOrder), the chunk nearest to any of them comes first.
///
/// The rank of a chunk that waits becomes nearer by one chunk for each 64 frames with new requests. Otherwise a viewer in
/// fast flight, whose own surroundings are always nearest, could delay the chunks of another viewer without end.
///
/// By distance, what a chunk costs to rank hardly grows with the number of viewers. When few viewers of many have moved,
/// chunks that are far from them are not ranked again, except after 64 frames with new requests, for their age.
#[derive(Clone, Debug, Default)]
pub struct ViewerRank {
    nearest: Arc<NearestViewers>,
    order: OrderNow,
}

/// An order and what it knows of the viewers.
#[derive(Clone, Debug, Default)]
pub(super) enum OrderNow {
    #[default]
    Distance,
    /// The ways of the viewers that move.
    Motion(Arc<[Way]>),
    /// The weight, and the viewers.
    View(f32, Arc<[ViewerSnapshot]>),
    Own(OwnRank, Arc<[ViewerSnapshot]>),
}

/// Where a viewer is, and where it is going to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Way {
    pub(super) from: ChunkCoord,
    pub(super) to: ChunkCoord,
    pub(super) range: ViewRange,
}

/// By motion, the squared distance from the way counts so many parts of all, and that from the viewer one part, so that of
/// chunks on the way the nearest come first. Ranks are in such parts.
const PARTS: u64 = 16;
/// Distances are in the square root of them.
const PARTS_OF_A_CHUNK: u64 = PARTS.isqrt();

impl ViewerRank {
    /// A rank by distance to the nearest of these chunks.
    #[must_use]
    pub fn new(viewers: impl IntoIterator<Item = ChunkCoord>) -> Self {
        Self {
            nearest: Arc::new(NearestViewers::new(viewers)),
            order: OrderNow::Distance,
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
            order: self.order.clone(),
        }
    }

    /// The same in this order.
    pub(super) fn in_order(mut self, order: OrderNow) -> Self {
        self.order = order;
        self
    }

    /// The squared distance to the nearest viewer, in chunks, whatever the order.
    pub(in crate::streaming) fn distance_sq(&self, coord: ChunkCoord) -> u64 {
        self.nearest.nearest_sq(coord)
    }
}

impl Way {
    /// At least the squared distance from the viewer, `distance_sq`.
    fn rank(&self, coord: ChunkCoord, distance_sq: u64) -> u64 {
        let way_sq = look_ahead_sq(self.from, self.to, coord);
        (way_sq.saturating_mul(PARTS - 1)).saturating_add(distance_sq)
    }
}

/// The least rank by any viewer, or `least`. No rank is less than the squared distance from its viewer.
fn least_rank<V>(
    least: u64,
    viewers: &[V],
    distance_sq: impl Fn(&V) -> u64,
    rank: impl Fn(&V, u64) -> u64,
) -> u64 {
    viewers.iter().fold(least, |least, viewer| {
        // Cheaper than the rank.
        let distance_sq = distance_sq(viewer);
        if distance_sq < least {
            least.min(rank(viewer, distance_sq))
        } else {
            least
        }
    })
}

impl Rank<ChunkCoord> for ViewerRank {
    /// By the default order, the squared distance in chunks.
    type Priority = u64;

    fn rank(&self, coord: &ChunkCoord) -> u64 {
        let coord = *coord;
        match &self.order {
            OrderNow::Distance => self.distance_sq(coord),
            OrderNow::Motion(ways) => {
                let at_rest = self.distance_sq(coord).saturating_mul(PARTS);
                let distance_sq = |way: &Way| way.from.distance_sq(coord);
                least_rank(at_rest, ways, distance_sq, |way, sq| way.rank(coord, sq))
            }
            OrderNow::View(weight, viewers) => {
                let distance_sq = |viewer: &ViewerSnapshot| viewer.coord.distance_sq(coord);
                least_rank(u64::MAX, viewers, distance_sq, |viewer, sq| {
                    view_weighted_sq(sq, viewer.coord, viewer.forward, *weight, coord)
                })
            }
            OrderNow::Own(rank, viewers) => {
                (rank.rank(coord, viewers)).unwrap_or_else(|| self.distance_sq(coord))
            }
        }
    }

    fn rank_aged(&self, coord: &ChunkCoord, turns: u32) -> u64 {
        let rank = self.rank(coord);
        let chunk = match self.order {
            OrderNow::Distance | OrderNow::View(..) => 1,
            OrderNow::Motion(_) => PARTS_OF_A_CHUNK,
            OrderNow::Own(..) => return rank,
        };
        match u64::from(turns / TURNS_PER_CHUNK) {
            0 => rank,
            nearer => rank.isqrt().saturating_sub(nearer * chunk).pow(2),
        }
    }

    /// Only where a viewer was as near as the nearest, or is now. By another order than distance, everywhere.
    fn may_change(&self, former: &Self) -> Option<MayChange<ChunkCoord, u64>> {
        let (OrderNow::Distance, OrderNow::Distance) = (&self.order, &former.order) else {
            return None;
        };
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
    use bevy_math::Vec3;
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

    fn chunk() -> impl Strategy<Value = ChunkCoord> {
        prop::array::uniform3(-20..20_i32).prop_map(ChunkCoord::from)
    }

    proptest! {
        #[test]
        fn by_motion_and_view_a_chunk_has_the_least_rank_that_any_viewer_gives_it(
            viewers in prop::collection::vec((chunk(), chunk(), prop::array::uniform3(-1.0..1.0_f32)), 0..20),
            coord in chunk(), weight in 0.0..20.0_f32,
        ) {
            let range = ViewRange::disc(1, 1).expect("equal radii");
            let ways = (viewers.iter()).map(|(from, to, _)| Way { from: *from, to: *to, range });
            let nearest = ViewerRank::new(viewers.iter().map(|(coord, ..)| *coord));
            let motion = nearest.clone().in_order(OrderNow::Motion(ways.collect()));
            let expected = (viewers.iter())
                .map(|(from, to, _)| 15 * look_ahead_sq(*from, *to, coord) + from.distance_sq(coord))
                .min();
            prop_assert_eq!(motion.rank(&coord), expected.unwrap_or(u64::MAX));
            let snapshots = (viewers.iter()).map(|(coord, _, forward)| ViewerSnapshot {
                coord: *coord,
                velocity: Vec3::ZERO,
                forward: Vec3::from_array(*forward),
            });
            let snapshots: Arc<[_]> = snapshots.collect();
            let view = nearest.in_order(OrderNow::View(weight, Arc::clone(&snapshots)));
            let expected = (snapshots.iter())
                .map(|seen| {
                    let distance_sq = seen.coord.distance_sq(coord);
                    view_weighted_sq(distance_sq, seen.coord, seen.forward, weight, coord)
                })
                .min();
            prop_assert_eq!(view.rank(&coord), expected.unwrap_or(u64::MAX));
            prop_assert!(motion.rank_aged(&coord, 64) <= motion.rank(&coord));
            prop_assert!(viewers.is_empty() || view.rank_aged(&coord, u32::MAX) == 0);
        }
    }

    #[test]
    fn a_chunk_beside_the_way_comes_nearer_by_a_chunk_as_by_distance() {
        let at = ChunkCoord::planar;
        let range = ViewRange::disc(1, 1).expect("equal radii");
        let way = Way {
            from: at(0, 0),
            to: at(20, 0),
            range,
        };
        let rank = ViewerRank::new([at(0, 0)]).in_order(OrderNow::Motion([way].into()));
        let behind = at(-10, 0);
        assert_eq!(rank.rank(&behind), 16 * 100);
        assert_eq!(rank.rank_aged(&behind, 64), 16 * 81);
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
