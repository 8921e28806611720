//! The coordinates that one update changed, sorted by distance.

use alloc::vec::Vec;

use super::viewer_tree::ViewerTree;
use crate::coord::ChunkCoord;
use crate::rows::Interval;

/// Coordinates that entered or left during one update, with their distances to the nearest viewer: to be sorted
/// nearest first, or `FARTHEST` first.
#[derive(Clone, Debug, Default)]
pub(super) struct SortedChanges<const FARTHEST: bool> {
    /// Each with its rank, by which they are sorted.
    items: Vec<(u64, ChunkCoord)>,
    /// How many items have each rank, then where the next of them goes. Kept for its memory.
    offsets: Vec<u32>,
}

#[inline]
fn rank<const FARTHEST: bool>(distance_sq: u64) -> u64 {
    if FARTHEST { !distance_sq } else { distance_sq }
}

/// Ranks are counted instead of compared when their range has at most this many per item.
const SPREAD: u64 = 4;

impl<const FARTHEST: bool> SortedChanges<FARTHEST> {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Adds the coordinates of an interval in row `y`, `z`.
    #[inline]
    pub(super) fn push(&mut self, y: i32, z: i32, interval: Interval, tree: &mut ViewerTree) {
        let items = &mut self.items;
        if let [viewer] = *tree.candidates() {
            // What the whole interval has in common, and what each chunk adds.
            let beside_sq = viewer.distance_sq(ChunkCoord::new(viewer.x, y, z));
            interval.each(|x| {
                let along = u64::from(x.abs_diff(viewer.x));
                let distance_sq = beside_sq.saturating_add(along * along);
                items.push((rank::<FARTHEST>(distance_sq), ChunkCoord::new(x, y, z)));
            });
        } else {
            interval.each(|x| {
                let coord = ChunkCoord::new(x, y, z);
                items.push((rank::<FARTHEST>(tree.nearest_sq(coord)), coord));
            });
        }
    }

    /// Moves the coordinates to the end of `changed` in their order, ties by coordinate.
    pub(super) fn drain_into(&mut self, changed: &mut Vec<ChunkCoord>) {
        let (mut low, mut high) = (u64::MAX, 0);
        for &(rank, _) in &self.items {
            low = low.min(rank);
            high = high.max(rank);
        }
        let count = self.items.len() as u64;
        if high.saturating_sub(low) <= SPREAD * count && count <= u64::from(u32::MAX) {
            self.count_into(low, high, changed);
        } else {
            self.items.sort_unstable();
            changed.extend(self.items.iter().map(|&(_, coord)| coord));
        }
        self.items.clear();
    }

    /// A counting sort: most updates change many chunks at each of a few distances.
    fn count_into(&mut self, low: u64, high: u64, changed: &mut Vec<ChunkCoord>) {
        if self.items.is_empty() {
            return;
        }
        self.offsets.clear();
        self.offsets.resize((high - low) as usize + 1, 0);
        for &(rank, _) in &self.items {
            self.offsets[(rank - low) as usize] += 1;
        }
        let mut next = 0;
        for offset in &mut self.offsets {
            next += core::mem::replace(offset, next);
        }
        let start = changed.len();
        changed.resize(start + self.items.len(), ChunkCoord::ORIGIN);
        let sorted = &mut changed[start..];
        for &(rank, coord) in &self.items {
            let offset = &mut self.offsets[(rank - low) as usize];
            sorted[*offset as usize] = coord;
            *offset += 1;
        }
        // Each offset has moved to the end of its rank.
        let mut begin = 0;
        for &end in &self.offsets {
            sorted[begin..end as usize].sort_unstable();
            begin = end as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::Footprint;
    use crate::order::nearest_distance_sq;
    use crate::range::{ViewRange, Viewer};
    use crate::rows::PlacedFootprint;
    use core::cmp::Reverse;
    use proptest::prelude::*;

    const EVERYWHERE: Footprint = Footprint::Cuboid {
        half_extents: [1 << 30; 3],
    };

    /// Pushes intervals as a walk does, and returns what comes out.
    fn drained<const FARTHEST: bool>(
        intervals: &[(i32, i32, Interval)],
        tree: &mut ViewerTree,
    ) -> Vec<ChunkCoord> {
        tree.focus(Some(&PlacedFootprint::new(ChunkCoord::ORIGIN, EVERYWHERE)));
        let mut changes = SortedChanges::<FARTHEST>::default();
        for &(y, z, interval) in intervals {
            changes.push(y, z, interval, tree);
        }
        let earlier = ChunkCoord::new(7, 7, 7);
        let mut changed = Vec::from([earlier]);
        changes.drain_into(&mut changed);
        assert_eq!(changed.remove(0), earlier);
        assert_eq!(changes.len(), 0);
        changed
    }

    proptest! {
        #[test]
        fn changes_come_out_in_order(
            intervals in prop::collection::vec((-9..9_i32, -9..9_i32, -9..9_i32, 0..9_i32), 0..40),
            coords in prop::collection::vec(prop::array::uniform3(-9..9_i32), 0..3),
            is_spread: bool,
        ) {
            // Few chunks at many distances are sorted, many at few are counted.
            let scale = if is_spread { 1_000_003 } else { 1 };
            let intervals: Vec<_> = (intervals.into_iter())
                .map(|(y, z, low, more)| (y, z * scale, Interval { low, high: low + more }))
                .collect();
            let range = ViewRange::sphere(1, 1).expect("equal radii");
            let coords: Vec<_> = coords.into_iter().map(ChunkCoord::from).collect();
            let mut tree = ViewerTree::default();
            let viewer = |(id, &coord)| Viewer { id, coord, range };
            tree.set_viewers(&[], &Vec::from_iter((0..).zip(&coords).map(viewer)));
            let mut all = Vec::new();
            for &(y, z, interval) in &intervals {
                interval.each(|x| all.push(ChunkCoord::new(x, y, z)));
            }
            let distance = |coord: &ChunkCoord| nearest_distance_sq(*coord, &coords);
            all.sort_by_key(|coord| (distance(coord), *coord));
            prop_assert_eq!(drained::<false>(&intervals, &mut tree), &all[..]);
            all.sort_by_key(|coord| (Reverse(distance(coord)), *coord));
            prop_assert_eq!(drained::<true>(&intervals, &mut tree), &all[..]);
        }
    }
}
