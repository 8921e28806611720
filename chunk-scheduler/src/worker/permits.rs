//! Permits to put a result into the completed queue, taken before a job starts, so that a worker never waits when it finishes.

use crate::sync::{AtomicUsize, CachePadded, Ordering};

#[derive(Debug)]
pub(crate) struct ResultPermits {
    taken: CachePadded<AtomicUsize>,
    capacity: usize,
    /// Beyond the capacity, for urgent jobs only.
    reserve: usize,
}

impl ResultPermits {
    pub(crate) fn new(capacity: usize, reserve: usize) -> Self {
        Self {
            taken: CachePadded::new(AtomicUsize::new(0)),
            capacity,
            reserve,
        }
    }

    /// A permit for any job.
    pub(crate) fn take(&self) -> Option<Permit<'_>> {
        self.take_below(self.capacity)
    }

    /// A permit for an urgent job.
    pub(crate) fn take_urgent(&self) -> Option<Permit<'_>> {
        self.take_below(self.capacity.saturating_add(self.reserve))
    }

    fn take_below(&self, most: usize) -> Option<Permit<'_>> {
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < most).then_some(taken + 1)
            })
            .is_ok()
            .then(|| Permit { permits: self })
    }

    pub(crate) fn release(&self) {
        let taken = self.taken.fetch_sub(1, Ordering::AcqRel);
        debug_assert!(taken > 0, "a permit was returned twice");
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    pub(crate) fn free(&self) -> usize {
        self.capacity.saturating_sub(self.taken())
    }

    /// What is free for urgent jobs.
    pub(crate) fn free_urgent(&self) -> usize {
        self.capacity
            .saturating_add(self.reserve)
            .saturating_sub(self.taken())
    }
}

/// An unused permit. Dropping it, also while unwinding, returns it.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    permits: &'a ResultPermits,
}

impl Permit<'_> {
    /// Uses the permit: it stays taken until [`ResultPermits::release`] is called.
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.permits.release();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_unless_it_is_kept() {
        let permits = ResultPermits::new(1, 1);
        drop(permits.take());
        assert_eq!(permits.taken(), 0);
        permits.take().expect("it is free").keep();
        assert!(permits.take().is_none());
        permits.take_urgent().expect("the reserve is free").keep();
        assert!(permits.take_urgent().is_none());
        assert_eq!((permits.free(), permits.free_urgent()), (0, 0));
        permits.release();
        assert_eq!((permits.free(), permits.free_urgent()), (0, 1));
    }
}
