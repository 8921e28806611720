//! Distance to the nearest viewer, and chunks in the order of it, sorted only as far as they are read.

use alloc::vec::Vec;

use crate::coord::ChunkCoord;

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

/// Coordinates in the order of their priority, sorted only as far as they are read.
///
/// Reading the first k of n costs O(n + k log k), by incremental quicksort with `select_nth_unstable`:
/// the nearest part is cut off and cut again until it is short enough to sort, and no cut is made twice.
/// For the k nearest, use [`take`](Iterator::take).
///
/// ```
/// use chunk_coord::{ChunkCoord, NearestFirst};
///
/// let coords = (-50..50).map(|x| ChunkCoord::planar(x, 0));
/// let mut order = NearestFirst::new(coords, &[ChunkCoord::ORIGIN]);
/// assert_eq!(order.next(), Some(ChunkCoord::ORIGIN));
/// assert_eq!(order.next(), Some(ChunkCoord::planar(-1, 0)));
/// assert_eq!(order.len(), 98);
///
/// let nearest: Vec<_> = order.take(2).collect();
/// assert_eq!(nearest, [ChunkCoord::planar(1, 0), ChunkCoord::planar(-2, 0)]);
/// ```
#[derive(Clone, Debug)]
pub struct NearestFirst<P = u64> {
    items: Vec<(P, ChunkCoord)>,
    /// The index of the first item that was not read yet.
    next: usize,
    /// The items from `next` to here are sorted.
    sorted: usize,
    /// Where the items behind them were cut, the last cut first: every item before a cut precedes every item
    /// behind it.
    cuts: Vec<usize>,
}

/// Parts of at most this many items are sorted without another cut.
const SHORT: usize = 48;

/// Which share of a part a cut separates: one of so many.
const SHARE: usize = 8;

impl NearestFirst {
    /// By squared distance to the nearest of `viewers`, ties by coordinate.
    #[must_use]
    pub fn new(coords: impl IntoIterator<Item = ChunkCoord>, viewers: &[ChunkCoord]) -> Self {
        Self::by(coords, |coord| nearest_distance_sq(coord, viewers))
    }
}

impl<P: Ord> NearestFirst<P> {
    /// By any priority, smallest first, ties by coordinate.
    #[must_use]
    pub fn by(
        coords: impl IntoIterator<Item = ChunkCoord>,
        mut priority: impl FnMut(ChunkCoord) -> P,
    ) -> Self {
        let coords = coords.into_iter();
        Self {
            items: coords.map(|coord| (priority(coord), coord)).collect(),
            next: 0,
            sorted: 0,
            cuts: Vec::new(),
        }
    }

    /// Sorts the nearest items of those that are not sorted yet.
    fn sort_more(&mut self) {
        let mut end = self.cuts.pop().unwrap_or(self.items.len());
        while end - self.next > SHORT {
            self.cuts.push(end);
            let part = &mut self.items[self.next..end];
            let share = part.len() / SHARE;
            part.select_nth_unstable(share);
            end = self.next + share;
        }
        self.items[self.next..end].sort_unstable();
        self.sorted = end;
    }
}

impl<P: Ord> Iterator for NearestFirst<P> {
    type Item = ChunkCoord;

    fn next(&mut self) -> Option<ChunkCoord> {
        if self.next == self.sorted {
            self.sort_more();
        }
        let (_, coord) = self.items.get(self.next)?;
        self.next += 1;
        Some(*coord)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.items.len() - self.next;
        (left, Some(left))
    }
}

impl<P: Ord> ExactSizeIterator for NearestFirst<P> {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// So many coordinates are cut several times. Miri needs minutes for them.
    const MANY: usize = if cfg!(miri) { 100 } else { 700 };

    fn coords() -> impl Strategy<Value = Vec<ChunkCoord>> {
        let axis = || -20..20_i32;
        prop::collection::vec([axis(), axis(), axis()], 0..MANY)
            .prop_map(|all| all.into_iter().map(ChunkCoord::from).collect())
    }

    fn sorted(mut coords: Vec<ChunkCoord>, viewers: &[ChunkCoord]) -> Vec<ChunkCoord> {
        coords.sort_by_key(|coord| (nearest_distance_sq(*coord, viewers), *coord));
        coords
    }

    proptest! {
        #[test]
        fn the_order_is_that_of_a_full_sort(coords in coords(), viewers in coords()) {
            let viewers = &viewers[..viewers.len().min(4)];
            let order: Vec<_> = NearestFirst::new(coords.iter().copied(), viewers).collect();
            prop_assert_eq!(order, sorted(coords, viewers));
        }

        #[test]
        fn the_nearest_few_are_those_of_a_full_sort(coords in coords(), count in 0..MANY + 100) {
            let viewers = [ChunkCoord::new(1, 2, 3), ChunkCoord::new(-9, 0, 4)];
            let nearest: Vec<_> = NearestFirst::new(coords.iter().copied(), &viewers).take(count).collect();
            let expected = sorted(coords, &viewers);
            prop_assert_eq!(nearest, &expected[..count.min(expected.len())]);
        }
    }

    #[test]
    fn every_order_of_the_input_comes_out_sorted() {
        // Miri needs minutes for thousands.
        let count = if cfg!(miri) { 200 } else { 3000 };
        let viewers = [ChunkCoord::ORIGIN];
        let line = (0..count).map(|x| ChunkCoord::planar(x, 0));
        let near_first: Vec<_> = line.collect();
        let far_first: Vec<_> = near_first.iter().rev().copied().collect();
        let alike = alloc::vec![ChunkCoord::planar(7, 0); near_first.len()];
        for coords in [near_first, far_first, alike] {
            let order: Vec<_> = NearestFirst::new(coords.iter().copied(), &viewers).collect();
            assert_eq!(order, sorted(coords, &viewers));
        }
    }

    #[test]
    fn without_coordinates_there_is_nothing() {
        let mut order = NearestFirst::new([], &[]);
        assert_eq!((order.next(), order.next()), (None, None));
    }
}
