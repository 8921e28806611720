//! Room in the completed queue, taken before a job starts, so that finishing never has to wait.

use crate::sync::{AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Places {
    taken: AtomicUsize,
    capacity: usize,
}

impl Places {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            taken: AtomicUsize::new(0),
            capacity,
        }
    }

    pub(crate) fn reserve(&self) -> bool {
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < self.capacity).then_some(taken + 1)
            })
            .is_ok()
    }

    pub(crate) fn release(&self) {
        let taken = self.taken.fetch_sub(1, Ordering::AcqRel);
        debug_assert!(taken > 0, "a place was given back twice");
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    pub(crate) fn free(&self) -> usize {
        self.capacity.saturating_sub(self.taken())
    }
}
