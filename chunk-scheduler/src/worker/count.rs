//! How many workers there are, and the protocol by which one exits without losing a wake-up.
//!
//! A worker that finds nothing to do exits; the main thread, when it submits work, starts workers if there are too few.
//! A wake-up is lost if a worker decides to exit just as the main thread decides not to start one. So the number of
//! workers shares one word with a counter of *notifications*: the main thread makes the work visible, then notifies and
//! reads the number in one step; a worker notes the word *before* it looks for work, and may exit only by swapping
//! exactly that word. If a notification came in between, the swap fails and the worker looks again; if none did, the
//! notification that follows reads a number without this worker.

use crate::sync::{AtomicU64, Ordering};

const WORKERS: u64 = 0xffff;
const NOTIFICATION: u64 = WORKERS + 1;

/// The most workers a scheduler can have.
pub(crate) const MAX_WORKERS: usize = 1 << 12;

#[derive(Debug)]
pub(crate) struct WorkerCount(AtomicU64);

/// What a worker saw before it looked for work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen(u64);

impl Seen {
    pub(crate) fn workers(self) -> usize {
        (self.0 & WORKERS) as usize
    }
}

impl WorkerCount {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn observe(&self) -> Seen {
        Seen(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn get(&self) -> usize {
        self.observe().workers()
    }

    /// Main thread, after it made work or a permit visible: invalidates what exiting workers saw, and returns how many
    /// there are.
    pub(crate) fn notify(&self) -> usize {
        Seen(self.0.fetch_add(NOTIFICATION, Ordering::AcqRel)).workers()
    }

    /// Main thread, before it spawns a worker.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// A worker that found nothing to do after it had `seen`. False: look again.
    pub(crate) fn try_exit(&self, seen: Seen) -> bool {
        self.0
            .compare_exchange(seen.0, seen.0 - 1, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// A worker that exits no matter what: shut down, or dropped by its executor.
    pub(crate) fn exit(&self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_notification_keeps_a_worker_that_was_about_to_exit() {
        let count = WorkerCount::new();
        count.add();
        let seen = count.observe();
        assert_eq!(count.notify(), 1);
        assert!(!count.try_exit(seen));
        assert!(count.try_exit(count.observe()));
        assert_eq!(count.notify(), 0);
    }
}
