//! How many workers there are, and the protocol by which one exits without losing a wake-up.
//!
//! A worker that finds no job exits. When the main thread submits jobs, it starts workers if there are too few. A
//! wake-up is lost if a worker decides to exit just as the main thread decides not to start one. So the number of
//! workers and a counter of *notifications* share one atomic. The main thread makes jobs visible, then notifies and
//! reads the number in one step. A worker reads the atomic *before* it looks for a job, and exits only by a
//! compare-and-swap of what it read. If a notification came in between, the swap fails and the worker looks again;
//! otherwise the next notification reads a number without this worker.

use crate::sync::{AtomicU64, Ordering};

const WORKERS: u64 = 0xffff;
const NOTIFICATION: u64 = WORKERS + 1;

/// The most workers a scheduler can have.
pub(crate) const MAX_WORKERS: usize = 1 << 12;

#[derive(Debug)]
pub(crate) struct WorkerCount(AtomicU64);

/// What a worker read before it looked for a job.
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

    /// Main thread, after it made a job or a permit visible: keeps workers from exiting before they have looked
    /// again. Returns the number of workers.
    pub(crate) fn notify(&self) -> usize {
        Seen(self.0.fetch_add(NOTIFICATION, Ordering::AcqRel)).workers()
    }

    /// Main thread, before it spawns a worker.
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// A worker, after it read `seen` and then found no job. False: it has to look again.
    pub(crate) fn try_exit(&self, seen: Seen) -> bool {
        self.0
            .compare_exchange(seen.0, seen.0 - 1, Ordering::AcqRel, Ordering::Acquire)
            .is_ok()
    }

    /// A worker that exits in any case, because the scheduler shut down or the executor dropped it.
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
