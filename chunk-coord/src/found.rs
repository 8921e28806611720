//! What one update found, put in order.

use alloc::vec::Vec;

use crate::ChunkCoord;
use crate::crowd::Crowd;
use crate::nearest::nearest_distance_sq;
use crate::span::Span;

/// Coordinates that entered or left during one update, with their distances to the nearest viewer, in the
/// order of the walk; to be put in order with the nearest first, or the `FARTHEST`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found<const FARTHEST: bool> {
    /// Each with its rank: the least is the first.
    items: Vec<(u64, ChunkCoord)>,
    /// Whether equal distances may be out of coordinate order: more than one viewer
    /// contributed, or may be the nearest.
    mixed: bool,
    /// How many items lie at each distance, then where the next of them goes. Kept for its memory.
    places: Vec<u32>,
}

#[inline]
fn rank<const FARTHEST: bool>(distance_sq: u64) -> u64 {
    if FARTHEST { !distance_sq } else { distance_sq }
}

/// Distances are counted instead of compared when there are at most this many per item, and some more.
const SPREAD: u64 = 4;

impl<const FARTHEST: bool> Found<FARTHEST> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Takes note that what follows may come out of order.
    pub(crate) fn mix(&mut self) {
        self.mixed = true;
    }

    /// Adds the coordinates of a run in row `y`, `z`. `rivals` are all viewers that may be the nearest, or
    /// none where it takes the `crowd` to tell.
    #[inline]
    pub(crate) fn push(
        &mut self,
        y: i32,
        z: i32,
        run: Span,
        rivals: &[ChunkCoord],
        crowd: &mut Crowd,
    ) {
        let [viewer] = rivals else {
            self.push_among(y, z, run, rivals, crowd);
            return;
        };
        // What the whole run has in common, and what each chunk adds.
        let beside_sq = viewer.distance_sq(ChunkCoord::new(viewer.x, y, z));
        let items = &mut self.items;
        run.each(|x| {
            let along = u64::from(x.abs_diff(viewer.x));
            let distance_sq = beside_sq.saturating_add(along * along);
            items.push((rank::<FARTHEST>(distance_sq), ChunkCoord::new(x, y, z)));
        });
    }

    #[inline(never)]
    fn push_among(&mut self, y: i32, z: i32, run: Span, rivals: &[ChunkCoord], crowd: &mut Crowd) {
        // Two rings around one viewer can be equally far from another.
        self.mixed = true;
        run.each(|x| {
            let coord = ChunkCoord::new(x, y, z);
            let distance_sq = if rivals.is_empty() {
                crowd.nearest_sq(coord)
            } else {
                nearest_distance_sq(coord, rivals)
            };
            self.items.push((rank::<FARTHEST>(distance_sq), coord));
        });
    }

    /// Appends the coordinates to `changed` in their order, ties by coordinate, and forgets them.
    pub(crate) fn drain_into(&mut self, changed: &mut Vec<ChunkCoord>) {
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
        self.mixed = false;
    }

    /// A counting sort: a walk meets few distances, each many times.
    fn count_into(&mut self, low: u64, high: u64, changed: &mut Vec<ChunkCoord>) {
        if self.items.is_empty() {
            return;
        }
        self.places.clear();
        self.places.resize((high - low) as usize + 1, 0);
        for &(rank, _) in &self.items {
            self.places[(rank - low) as usize] += 1;
        }
        let mut next = 0;
        for place in &mut self.places {
            next += core::mem::replace(place, next);
        }
        let start = changed.len();
        changed.resize(start + self.items.len(), ChunkCoord::ORIGIN);
        let sorted = &mut changed[start..];
        for &(rank, coord) in &self.items {
            let place = &mut self.places[(rank - low) as usize];
            sorted[*place as usize] = coord;
            *place += 1;
        }
        if self.mixed {
            // Each place has moved to the end of its distance.
            let mut begin = 0;
            for &end in &self.places {
                sorted[begin..end as usize].sort();
                begin = end as usize;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cmp::Reverse;
    use proptest::prelude::*;

    /// Pushes runs as a walk would, and returns what comes out.
    fn drained<const FARTHEST: bool>(
        runs: &[(i32, i32, Span)],
        rivals: &[ChunkCoord],
    ) -> Vec<ChunkCoord> {
        let mut found = Found::<FARTHEST>::default();
        found.mix();
        for &(y, z, run) in runs {
            found.push(y, z, run, rivals, &mut Crowd::default());
        }
        let mut changed = Vec::from([ChunkCoord::new(7, 7, 7)]);
        found.drain_into(&mut changed);
        assert_eq!(
            changed.remove(0),
            ChunkCoord::new(7, 7, 7),
            "what was there stays"
        );
        assert_eq!(found.len(), 0);
        changed
    }

    proptest! {
        #[test]
        fn what_is_found_comes_out_in_order(
            runs in prop::collection::vec((-9..9_i32, -9..9_i32, -9..9_i32, 0..9_i32), 0..40),
            rivals in prop::collection::vec(prop::array::uniform3(-9..9_i32), 0..3),
            is_spread: bool,
        ) {
            // Few chunks at many distances are sorted, many at few are counted.
            let scale = if is_spread { 1_000_003 } else { 1 };
            let runs: Vec<_> = (runs.into_iter())
                .map(|(y, z, low, more)| (y, z * scale, Span { low, high: low + more }))
                .collect();
            let rivals: Vec<_> = rivals.into_iter().map(ChunkCoord::from).collect();
            let mut all = Vec::new();
            for &(y, z, run) in &runs {
                run.each(|x| all.push(ChunkCoord::new(x, y, z)));
            }
            let distance = |coord: &ChunkCoord| nearest_distance_sq(*coord, &rivals);
            all.sort_by_key(|coord| (distance(coord), *coord));
            prop_assert_eq!(drained::<false>(&runs, &rivals), &all[..]);
            all.sort_by_key(|coord| (Reverse(distance(coord)), *coord));
            prop_assert_eq!(drained::<true>(&runs, &rivals), &all[..]);
        }
    }
}
