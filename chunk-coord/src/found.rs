//! What one update found, put in order.

use alloc::vec::Vec;

use crate::ChunkCoord;
use crate::nearest::nearest_distance_sq;
use crate::span::Span;

/// Coordinates that entered during one update, with their distances, in the order of the walk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    items: Vec<(u64, ChunkCoord)>,
    /// Whether equal distances may be out of coordinate order: more than one viewer
    /// contributed, or may be the nearest.
    mixed: bool,
    /// How many items lie at each distance, then where the next of them goes. Kept for its memory.
    places: Vec<u32>,
}

/// Distances are counted instead of compared when there are at most this many per item, and some more.
const SPREAD: u64 = 4;

impl Found {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// Takes note that what follows may come out of order.
    pub(crate) fn mix(&mut self) {
        self.mixed = true;
    }

    /// Adds the coordinates of a run in row `y`, `z`. `near` are all viewers that may be the nearest.
    #[inline]
    pub(crate) fn push(&mut self, y: i32, z: i32, run: Span, near: &[ChunkCoord]) {
        let items = &mut self.items;
        if let [viewer] = near {
            run.each(|x| {
                let coord = ChunkCoord::new(x, y, z);
                items.push((viewer.distance_sq(coord), coord));
            });
        } else {
            // Two rings around one viewer can be equally far from another.
            self.mixed = true;
            run.each(|x| {
                let coord = ChunkCoord::new(x, y, z);
                items.push((nearest_distance_sq(near, coord), coord));
            });
        }
    }

    /// Appends the coordinates to `entered`, nearest first, ties by coordinate, and forgets them.
    pub(crate) fn drain_into(&mut self, entered: &mut Vec<ChunkCoord>) {
        let (mut low, mut high) = (u64::MAX, 0);
        for &(distance_sq, _) in &self.items {
            low = low.min(distance_sq);
            high = high.max(distance_sq);
        }
        let count = self.items.len() as u64;
        if high.saturating_sub(low) <= SPREAD * count && count <= u64::from(u32::MAX) {
            self.count_into(low, high, entered);
        } else {
            self.items.sort_unstable();
            entered.extend(self.items.iter().map(|&(_, coord)| coord));
        }
        self.items.clear();
        self.mixed = false;
    }

    /// A counting sort: a walk meets few distances, each many times.
    fn count_into(&mut self, low: u64, high: u64, entered: &mut Vec<ChunkCoord>) {
        if self.items.is_empty() {
            return;
        }
        self.places.clear();
        self.places.resize((high - low) as usize + 1, 0);
        for &(distance_sq, _) in &self.items {
            self.places[(distance_sq - low) as usize] += 1;
        }
        let mut next = 0;
        for place in &mut self.places {
            next += core::mem::replace(place, next);
        }
        let start = entered.len();
        entered.resize(start + self.items.len(), ChunkCoord::ORIGIN);
        let sorted = &mut entered[start..];
        for &(distance_sq, coord) in &self.items {
            let place = &mut self.places[(distance_sq - low) as usize];
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
