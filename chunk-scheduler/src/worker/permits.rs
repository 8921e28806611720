//! Permits for results. A worker takes one before it starts a job, so that the result always has room.

use crate::{
    job::Lane,
    sync::{AtomicUsize, CachePadded, Ordering},
};

#[derive(Debug)]
pub(crate) struct ResultPermits {
    taken: CachePadded<AtomicUsize>,
    capacity: usize,
    /// Further permits, for urgent jobs alone.
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

    /// A permit for a job of this lane.
    pub(crate) fn take(&self, lane: Lane) -> Option<Permit<'_>> {
        let most = self.most(lane);
        let take = |taken| (taken < most).then_some(taken + 1);
        let taken = self
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take);
        taken.is_ok().then(|| Permit { permits: self })
    }

    /// The most permits that may be taken, for jobs of this lane.
    fn most(&self, lane: Lane) -> usize {
        match lane {
            Lane::Urgent => self.capacity.saturating_add(self.reserve),
            Lane::Normal | Lane::Prefetch => self.capacity,
        }
    }

    pub(crate) fn release(&self) {
        let taken = self.taken.fetch_sub(1, Ordering::AcqRel);
        debug_assert!(taken > 0, "a permit was returned twice");
    }

    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    /// How many permits are free for jobs of this lane.
    pub(crate) fn free(&self, lane: Lane) -> usize {
        self.most(lane).saturating_sub(self.taken())
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
    fn a_dropped_permit_is_returned_and_a_kept_one_is_not() {
        let permits = ResultPermits::new(1, 1);
        let free = || (permits.free(Lane::Normal), permits.free(Lane::Urgent));
        drop(permits.take(Lane::Normal));
        assert_eq!(permits.taken(), 0);
        permits.take(Lane::Normal).expect("it is free").keep();
        assert!(permits.take(Lane::Normal).is_none());
        let reserved = permits.take(Lane::Urgent);
        reserved.expect("the reserve is free").keep();
        assert!(permits.take(Lane::Urgent).is_none());
        assert_eq!(free(), (0, 0));
        permits.release();
        assert_eq!(free(), (0, 1));
    }
}
