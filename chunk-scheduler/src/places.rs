//! Room in the completed queue, taken before a job starts, so that finishing never has to wait.

use crate::sync::{Apart, AtomicUsize, Ordering};

#[derive(Debug)]
pub(crate) struct Places {
    taken: Apart<AtomicUsize>,
    capacity: usize,
    /// Beyond the capacity, for urgent jobs only.
    reserve: usize,
}

impl Places {
    pub(crate) fn new(capacity: usize, reserve: usize) -> Self {
        Self {
            taken: Apart(AtomicUsize::new(0)),
            capacity,
            reserve,
        }
    }

    /// A place for any job.
    pub(crate) fn take(&self) -> Option<Place<'_>> {
        self.take_below(self.capacity)
    }

    /// A place for an urgent job.
    pub(crate) fn take_urgent(&self) -> Option<Place<'_>> {
        self.take_below(self.capacity.saturating_add(self.reserve))
    }

    fn take_below(&self, most: usize) -> Option<Place<'_>> {
        self.taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| {
                (taken < most).then_some(taken + 1)
            })
            .is_ok()
            .then(|| Place { places: self })
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

    /// What is free for urgent jobs.
    pub(crate) fn free_urgent(&self) -> usize {
        self.capacity
            .saturating_add(self.reserve)
            .saturating_sub(self.taken())
    }
}

/// A place nobody has found a use for yet. Given back when dropped, also by a panic of user code
/// that compares keys.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    places: &'a Places,
}

impl Place<'_> {
    /// Leaves the place taken until somebody calls [`Places::release`].
    pub(crate) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.places.release();
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_unless_it_is_kept() {
        let places = Places::new(1, 1);
        drop(places.take());
        assert_eq!(places.taken(), 0);
        places.take().expect("it is free").keep();
        assert!(places.take().is_none());
        places.take_urgent().expect("the reserve is free").keep();
        assert!(places.take_urgent().is_none());
        assert_eq!((places.free(), places.free_urgent()), (0, 0));
        places.release();
        assert_eq!((places.free(), places.free_urgent()), (0, 1));
    }
}
