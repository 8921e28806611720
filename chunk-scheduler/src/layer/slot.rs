//! A value that is being made, and those who wait for it.

use super::{sources::Reads, table::Made};
use crate::sync::{Condvar, Mutex};

/// Shared by the thread that makes a value and those that wait for it.
pub(super) struct Slot<V> {
    /// What its maker has read so far.
    pub(super) reads: Reads,
    outcome: Mutex<Outcome<V>>,
    is_over: Condvar,
}

enum Outcome<V> {
    Making,
    Made(Made<V>),
    /// The maker failed or was cancelled: another thread may try.
    GivenUp,
}

impl<V> Slot<V> {
    pub(super) fn new() -> Self {
        Self {
            reads: Reads::default(),
            outcome: Mutex::new(Outcome::Making),
            is_over: Condvar::new(),
        }
    }

    /// Ends the making, with the value if there is one.
    pub(super) fn finish(&self, made: Option<Made<V>>) {
        *self.outcome.lock() = made.map_or(Outcome::GivenUp, Outcome::Made);
        self.is_over.notify_all();
    }

    /// Waits for the value. `None` where its maker gave up.
    pub(super) fn wait(&self) -> Option<Made<V>> {
        let mut outcome = self.outcome.lock();
        loop {
            match &*outcome {
                Outcome::Making => outcome = self.is_over.wait(outcome),
                Outcome::Made(made) => return Some(made.clone()),
                Outcome::GivenUp => return None,
            }
        }
    }
}
