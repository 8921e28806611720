//! Changes of the wanted set that were found and not yet acted on.

use chunk_coord::{Changes, ChunkCoord};
use core::{ops::Range, time::Duration};

/// The changes, which are acted on in small batches: requesting a chunk costs more than finding it.
#[derive(Debug, Default)]
pub(in crate::streaming) struct PendingChanges {
    changes: Changes,
    /// How many of `changes.left` and `changes.entered` were acted on.
    left: usize,
    entered: usize,
    /// When they were found.
    pub(in crate::streaming) since: Duration,
}

/// Changes acted on between two readings of the clock.
const BATCH: usize = 8;

impl PendingChanges {
    /// Whether everything was acted on.
    pub(in crate::streaming) fn is_empty(&self) -> bool {
        self.left == self.changes.left.len() && self.entered == self.changes.entered.len()
    }

    /// Room for new changes, once everything was acted on.
    pub(in crate::streaming) fn refill(&mut self, now: Duration) -> &mut Changes {
        debug_assert!(self.is_empty(), "changes must not be forgotten");
        self.reset();
        self.since = now;
        &mut self.changes
    }

    /// Everything that was wanted is to be given up, whether it was requested yet or not.
    pub(in crate::streaming) fn withdraw(&mut self, wanted: impl Iterator<Item = ChunkCoord>) {
        let mut left = self.changes.left.split_off(self.left);
        left.extend(wanted);
        self.reset();
        self.changes.left = left;
    }

    /// The next chunks that are no longer wanted.
    pub(in crate::streaming) fn next_left(&mut self) -> &[ChunkCoord] {
        let batch = next(&mut self.left, self.changes.left.len());
        &self.changes.left[batch]
    }

    /// The next chunks that became wanted, once all that left were returned.
    pub(in crate::streaming) fn next_entered(&mut self) -> &[ChunkCoord] {
        if self.left < self.changes.left.len() {
            return &[];
        }
        let batch = next(&mut self.entered, self.changes.entered.len());
        &self.changes.entered[batch]
    }

    fn reset(&mut self) {
        self.changes.clear();
        (self.left, self.entered) = (0, 0);
    }
}

fn next(done: &mut usize, all: usize) -> Range<usize> {
    let start = *done;
    *done = (start + BATCH).min(all);
    start..*done
}
