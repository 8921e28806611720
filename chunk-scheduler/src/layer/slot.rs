//! A value that is being made, and those who wait for it.

use super::sources::{Reads, Sources};
use crate::{
    job::GenerateError,
    sync::{Arc, Condvar, Mutex, ThreadId, this_thread},
};

/// A value, and what is known about it.
pub(super) struct Made<V> {
    /// Its number, see [`Sources`].
    pub(super) id: u64,
    pub(super) value: Arc<V>,
    pub(super) sources: Sources,
    pub(super) bytes: usize,
}

impl<V> Clone for Made<V> {
    fn clone(&self) -> Self {
        Self {
            id: self.id,
            value: Arc::clone(&self.value),
            sources: self.sources.clone(),
            bytes: self.bytes,
        }
    }
}

/// Shared by the thread that makes a value and those that wait for it.
pub(super) struct Slot<V> {
    /// What its maker has read so far.
    pub(super) reads: Reads,
    /// The thread that makes the value.
    maker: ThreadId,
    outcome: Mutex<Outcome<V>>,
    is_over: Condvar,
}

enum Outcome<V> {
    Making,
    /// With nothing where the maker was cancelled: another thread may try.
    Over(Option<Result<Made<V>, GenerateError>>),
}

impl<V> Slot<V> {
    pub(super) fn new() -> Self {
        Self {
            reads: Reads::default(),
            maker: this_thread(),
            outcome: Mutex::new(Outcome::Making),
            is_over: Condvar::new(),
        }
    }

    /// Ends the making, with nothing where the maker was cancelled.
    pub(super) fn finish(&self, made: Option<Result<Made<V>, GenerateError>>) {
        *self.outcome.lock() = Outcome::Over(made);
        self.is_over.notify_all();
    }

    /// Whether it is this thread that makes the value.
    pub(super) fn is_made_here(&self) -> bool {
        self.maker == this_thread()
    }

    /// Waits for the value. `None` where its maker was cancelled.
    pub(super) fn wait(&self) -> Option<Result<Made<V>, GenerateError>> {
        let mut outcome = self.outcome.lock();
        loop {
            match &*outcome {
                Outcome::Making => outcome = self.is_over.wait(outcome),
                Outcome::Over(made) => return made.clone(),
            }
        }
    }
}
