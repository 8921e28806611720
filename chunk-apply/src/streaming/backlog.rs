//! Chunks that are generated and wait for the main thread's time: by lane, then nearest first.

use super::rank::ViewerRank;
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Delivered, Lane, Rank};
use core::{cmp::Ordering, fmt};
use std::collections::BinaryHeap;

/// A heap: arrivals and departures cost O(log n), a move of the viewers O(n).
pub(crate) struct Backlog<T> {
    heap: BinaryHeap<Waiting<T>>,
}

struct Waiting<T> {
    distance: u64,
    chunk: Delivered<ChunkCoord, T>,
}

impl<T> Backlog<T> {
    pub(crate) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
        }
    }

    pub(crate) fn push(&mut self, chunk: Delivered<ChunkCoord, T>, rank: &ViewerRank) {
        let distance = rank.rank(&chunk.key);
        self.heap.push(Waiting { distance, chunk });
    }

    pub(crate) fn pop(&mut self) -> Option<Delivered<ChunkCoord, T>> {
        self.heap.pop().map(|waiting| waiting.chunk)
    }

    /// How many there are, out of date ones included.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }

    /// The lane and the distance of the one that comes next.
    pub(crate) fn head(&self) -> Option<(Lane, u64)> {
        (self.heap.peek()).map(|waiting| (waiting.chunk.lane, waiting.distance))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Orders by the viewers' new positions and lets go of what is out of date, so that withdrawn
    /// chunks cannot pile up here. Returns their content, to be dropped elsewhere.
    pub(crate) fn rerank(
        &mut self,
        rank: &ViewerRank,
        is_current: impl Fn(&Delivered<ChunkCoord, T>) -> bool,
    ) -> Vec<T> {
        let mut outdated = Vec::new();
        if self.heap.is_empty() {
            return outdated;
        }
        let mut waiting = core::mem::take(&mut self.heap).into_vec();
        let is_outdated = |waiting: &mut Waiting<T>| !is_current(&waiting.chunk);
        outdated.extend((waiting.extract_if(.., is_outdated)).map(|waiting| waiting.chunk.content));
        for waiting in &mut waiting {
            waiting.distance = rank.rank(&waiting.chunk.key);
        }
        self.heap = BinaryHeap::from(waiting);
        outdated
    }
}

impl<T> Waiting<T> {
    fn order(&self) -> impl Ord + use<T> {
        // Reversed, because the heap pops its largest.
        let Delivered {
            key, version, lane, ..
        } = self.chunk;
        core::cmp::Reverse((lane, self.distance, key, version))
    }
}

impl<T> Ord for Waiting<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Waiting<T> {}

impl<T> fmt::Debug for Backlog<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backlog")
            .field("chunks", &self.heap.len())
            .finish()
    }
}
