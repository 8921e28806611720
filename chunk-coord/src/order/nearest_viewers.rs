//! The distance to the nearest of many viewers.

use alloc::vec::Vec;

use crate::box_tree::{BoxTree, LEAF};
use crate::coord::ChunkCoord;

/// The chunks of any number of viewers, to find the distance to the nearest of them at a cost that hardly grows with
/// their number.
///
/// Up to 16 viewers are compared one by one. More are ordered once into a tree, which takes about as long as comparing
/// each of them 32 times. For a few questions, use [`nearest_distance_sq`](crate::nearest_distance_sq).
///
/// ```
/// use chunk_coord::{ChunkCoord, NearestViewers};
///
/// let viewers = NearestViewers::new((0..1_000).map(|n| ChunkCoord::planar(50 * n, 0)));
/// assert_eq!(viewers.nearest_sq(ChunkCoord::planar(153, 4)), 25);
/// assert!(viewers.is_any_within(ChunkCoord::planar(153, 4), 25));
/// ```
#[derive(Clone, Debug, Default)]
pub struct NearestViewers {
    viewers: Vec<ChunkCoord>,
    tree: BoxTree<ChunkCoord>,
}

/// When more than this share of the viewers moved, one of so many, the tree is built again.
const MOST_MOVED: usize = 4;

impl NearestViewers {
    /// Takes the chunks that viewers are in.
    #[must_use]
    pub fn new(viewers: impl IntoIterator<Item = ChunkCoord>) -> Self {
        let mut nearest = Self {
            viewers: viewers.into_iter().collect(),
            tree: BoxTree::default(),
        };
        nearest.build();
        nearest
    }

    /// The chunks that viewers are in, in the order in which they were given.
    #[must_use]
    pub fn viewers(&self) -> &[ChunkCoord] {
        &self.viewers
    }

    /// Takes other chunks of the viewers. Where few viewers of many have moved since the last time, and they are given in
    /// the same order, this takes much less time than [`new`](Self::new).
    pub fn set_viewers(&mut self, viewers: impl IntoIterator<Item = ChunkCoord>) {
        let former = core::mem::replace(&mut self.viewers, viewers.into_iter().collect());
        let moved = || {
            former
                .iter()
                .zip(&self.viewers)
                .filter(|(old, new)| old != new)
        };
        let are_few =
            former.len() == self.viewers.len() && moved().nth(former.len() / MOST_MOVED).is_none();
        if !(are_few && moved().all(|(old, new)| self.tree.replace(old, *new))) {
            self.build();
        }
    }

    fn build(&mut self) {
        self.tree.refill(self.viewers.iter().copied());
        if self.tree.len() > 2 * LEAF {
            self.tree.build();
        }
    }

    /// The squared distance from `coord` to the nearest viewer, in chunks²; [`u64::MAX`] when there are none.
    #[must_use]
    pub fn nearest_sq(&self, coord: ChunkCoord) -> u64 {
        self.tree.nearest_sq(coord, u64::MAX)
    }

    /// Whether a viewer is at most this far from `coord`, by the squared distance in chunks². Faster than
    /// [`nearest_sq`](Self::nearest_sq) where there is none.
    #[must_use]
    pub fn is_any_within(&self, coord: ChunkCoord, distance_sq: u64) -> bool {
        match distance_sq.checked_add(1) {
            Some(limit) => self.tree.nearest_sq(coord, limit) < limit,
            None => self.tree.len() > 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::nearest_distance_sq;
    use proptest::prelude::*;

    fn check(nearest: &NearestViewers, viewers: &[ChunkCoord], asked: ChunkCoord, within: u64) {
        let expected = nearest_distance_sq(asked, viewers);
        assert_eq!(nearest.nearest_sq(asked), expected);
        assert_eq!(nearest.is_any_within(asked, within), expected <= within);
        assert_eq!(nearest.is_any_within(asked, u64::MAX), !viewers.is_empty());
        assert_eq!(nearest.viewers(), viewers);
    }

    proptest! {
        #[test]
        fn any_number_of_viewers_is_answered_as_one_by_one_before_and_after_they_move(
            viewers in prop::collection::vec(prop::array::uniform3(-20..20_i32), 0..90),
            moves in prop::collection::vec((0..90_usize, prop::array::uniform3(-1..2_i32), 0..50_u8), 0..120),
            asked in prop::array::uniform3(-30..30_i32), within in 0..900_u64, is_apart: bool,
        ) {
            // Viewers of a region, and some at the end of the world.
            let mut viewers: Vec<_> = viewers.into_iter().map(|[x, y, z]| {
                let x = if is_apart && x % 3 == 0 { i32::MAX - x.abs() } else { x };
                ChunkCoord::new(x, y, z)
            }).collect();
            let asked = ChunkCoord::from(asked);
            let mut nearest = NearestViewers::new(viewers.iter().copied());
            check(&nearest, &viewers, asked, within);
            for (nth, [x, y, z], what) in moves {
                let len = viewers.len();
                match what {
                    0 => viewers.push(asked),
                    1 => drop(viewers.pop()),
                    2 => viewers.reverse(),
                    // A jump.
                    3 if len > 0 => viewers[nth % len] = ChunkCoord::new(900 * x, 900 * y, 900 * z),
                    _ if len > 0 => viewers[nth % len] = viewers[nth % len].saturating_offset(x, y, z),
                    _ => {}
                }
                nearest.set_viewers(viewers.iter().copied());
                check(&nearest, &viewers, asked, within);
            }
        }
    }
}
