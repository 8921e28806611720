//! Nearest first, sorting no more than is asked for.

use alloc::vec::Vec;

use crate::{ChunkCoord, nearest_distance_sq};

/// Moves the `count` coordinates nearest to any of `viewers` to the front of `coords`, nearest first,
/// ties by coordinate, and returns them. The rest follows in no particular order.
///
/// By partial selection: O(n + count log count), where sorting all of them is O(n log n). A `count` of a
/// few costs little more than looking at each coordinate once. With a `count` of 0 nothing moves; one
/// beyond the length sorts everything.
///
/// ```
/// use chunk_coord::{ChunkCoord, nearest_k};
///
/// let mut coords = [9, -1, 4, 2].map(|x| ChunkCoord::planar(x, 0));
/// let nearest = nearest_k(&mut coords, &[ChunkCoord::ORIGIN], 2);
/// assert_eq!(nearest, [ChunkCoord::planar(-1, 0), ChunkCoord::planar(2, 0)]);
/// ```
pub fn nearest_k<'a>(
    coords: &'a mut [ChunkCoord],
    viewers: &[ChunkCoord],
    count: usize,
) -> &'a [ChunkCoord] {
    let count = count.min(coords.len());
    let rank = |coord: &ChunkCoord| (nearest_distance_sq(*coord, viewers), *coord);
    if (1..=FEW).contains(&count) && pick_few(coords, viewers, count) {
        return &coords[..count];
    }
    if (1..coords.len()).contains(&count) {
        coords.select_nth_unstable_by_key(count - 1, rank);
    }
    let nearest = &mut coords[..count];
    nearest.sort_unstable_by_key(rank);
    nearest
}

/// Up to this many are picked by a single walk.
const FEW: usize = 16;

/// Keeps the front sorted while walking over the rest, most of which is further than all of it. Returns
/// whether it came to the end: in an order that puts the far ones first, selecting is faster.
fn pick_few(coords: &mut [ChunkCoord], viewers: &[ChunkCoord], count: usize) -> bool {
    let rank = |coord: ChunkCoord| (nearest_distance_sq(coord, viewers), coord);
    let patience = coords.len() / 8 + count;
    let (front, rest) = coords.split_at_mut(count);
    front.sort_unstable_by_key(|coord| rank(*coord));
    let mut last = rank(front[count - 1]);
    let mut moved = 0;
    for coord in rest {
        let distance_sq = nearest_distance_sq(*coord, viewers);
        if distance_sq > last.0 || (distance_sq, *coord) >= last {
            continue;
        }
        let place = front.partition_point(|nearer| rank(*nearer) < (distance_sq, *coord));
        core::mem::swap(coord, &mut front[count - 1]);
        front[place..].rotate_right(1);
        last = rank(front[count - 1]);
        moved += 1;
        if moved > patience {
            return false;
        }
    }
    true
}

/// An order of coordinates that is worked out only as far as it is read.
///
/// Reading the first k of n costs O(n + k log k): each step halves what has to be looked at, and what is
/// behind the halves already cut off is not looked at again (incremental quicksort, Paredes and Navarro,
/// 2006).
///
/// ```
/// use chunk_coord::{ChunkCoord, NearestFirst};
///
/// let coords = (-50..50).map(|x| ChunkCoord::planar(x, 0));
/// let mut order = NearestFirst::new(coords, &[ChunkCoord::ORIGIN]);
/// assert_eq!(order.next(), Some(ChunkCoord::ORIGIN));
/// assert_eq!(order.next(), Some(ChunkCoord::planar(-1, 0)));
/// assert_eq!(order.len(), 98);
/// ```
#[derive(Clone, Debug)]
pub struct NearestFirst<P = u64> {
    items: Vec<(P, ChunkCoord)>,
    next: usize,
    /// Places, the nearest last, such that nothing before one belongs behind it.
    cuts: Vec<usize>,
}

/// Runs of at most this many are sorted outright.
const SHORT: usize = 48;

/// How many items a cut is guessed from, spread over the run, and which of them, sorted, it is: about a
/// sixteenth of the run lies before it.
const SAMPLES: usize = 48;
const GUESS: usize = SAMPLES / 16;

impl NearestFirst {
    /// By squared distance to the nearest of `viewers`, ties by coordinate.
    #[must_use]
    pub fn new(coords: impl IntoIterator<Item = ChunkCoord>, viewers: &[ChunkCoord]) -> Self {
        Self::by(coords, |coord| nearest_distance_sq(coord, viewers))
    }
}

/// Moves the nearest of a run to its front, and returns how many: at least one, and not half of it.
///
/// A guess is good enough, and saves what finding an exact share costs. Few items lie before the cut, so
/// the processor foresees nearly every comparison.
fn cut<P: Ord>(run: &mut [(P, ChunkCoord)]) -> usize {
    let stride = run.len() / SAMPLES;
    for index in 0..SAMPLES {
        run.swap(index, index * stride);
    }
    run[..SAMPLES].sort_unstable();
    // The guess goes to the very front, where it is out of the way of what is moved.
    run.swap(0, GUESS);
    let mut nearer = 0;
    if let Some((guess, rest)) = run.split_first_mut() {
        for index in 0..rest.len() {
            if rest[index] < *guess {
                rest.swap(index, nearer);
                nearer += 1;
            }
        }
    }
    if nearer == 0 || nearer > run.len() / 2 {
        // All alike, or an unlucky guess.
        let eighth = run.len() / 8;
        run.select_nth_unstable(eighth);
        return eighth;
    }
    // `nearer` items behind the guess belong before it.
    run.swap(0, nearer);
    nearer
}

impl<P: Ord> NearestFirst<P> {
    /// By any priority, smallest first, ties by coordinate.
    #[must_use]
    pub fn by(
        coords: impl IntoIterator<Item = ChunkCoord>,
        mut priority: impl FnMut(ChunkCoord) -> P,
    ) -> Self {
        let items: Vec<_> = (coords.into_iter())
            .map(|coord| (priority(coord), coord))
            .collect();
        Self {
            cuts: Vec::from([items.len()]),
            items,
            next: 0,
        }
    }

    /// Sorts the items up to the nearest cut, cutting more as long as they are many.
    fn sort_some(&mut self) {
        while let Some(&end) = self.cuts.last()
            && end - self.next > SHORT
        {
            let run = &mut self.items[self.next..end];
            self.cuts.push(self.next + cut(run));
        }
        if let Some(end) = self.cuts.last() {
            self.items[self.next..*end].sort_unstable();
        }
    }
}

impl<P: Ord> Iterator for NearestFirst<P> {
    type Item = ChunkCoord;

    fn next(&mut self) -> Option<ChunkCoord> {
        if self.next == self.items.len() {
            return None;
        }
        if self.cuts.last().is_some_and(|cut| self.next >= *cut) || self.next == 0 {
            while self.cuts.last().is_some_and(|cut| self.next >= *cut) {
                self.cuts.pop();
            }
            self.sort_some();
        }
        let (_, coord) = self.items[self.next];
        self.next += 1;
        Some(coord)
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

    /// So many coordinates cut a run several times. Miri needs minutes for them.
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
            let expected = sorted(coords.clone(), &viewers);
            let mut given = coords;
            let nearest = nearest_k(&mut given, &viewers, count);
            prop_assert_eq!(nearest, &expected[..count.min(expected.len())]);
            given.sort_unstable();
            let mut all = expected;
            all.sort_unstable();
            prop_assert_eq!(given, all, "nothing is lost");
        }
    }

    #[test]
    fn no_order_of_the_input_misleads() {
        // Miri needs minutes for thousands.
        let count = if cfg!(miri) { 200 } else { 3000 };
        let viewers = [ChunkCoord::ORIGIN];
        let line = (0..count).map(|x| ChunkCoord::planar(x, 0));
        let near_first: Vec<_> = line.collect();
        let far_first: Vec<_> = near_first.iter().rev().copied().collect();
        let alike = alloc::vec![ChunkCoord::planar(7, 0); near_first.len()];
        for coords in [near_first, far_first, alike] {
            let expected = sorted(coords.clone(), &viewers);
            let order: Vec<_> = NearestFirst::new(coords.iter().copied(), &viewers).collect();
            assert_eq!(order, expected);
            for count in [1, 3, 16, 17, coords.len()] {
                assert_eq!(
                    nearest_k(&mut coords.clone(), &viewers, count),
                    &expected[..count]
                );
            }
        }
    }

    #[test]
    fn without_coordinates_there_is_nothing() {
        assert_eq!(NearestFirst::new([], &[]).next(), None);
        assert!(nearest_k(&mut [], &[], 3).is_empty());
    }
}
