//! Who may read a layer: a job, and a layer that was made later.

use super::sources::Reads;
use crate::{
    job::{Job, Key},
    sync::{AtomicBool, Ordering},
};
use std::fmt;

/// Who reads a [`Layer`](super::Layer): the [`Job`] of a generator, or the [`LayerJob`] of another layer. Nothing else can be.
pub trait Reader: sealed::Sealed {}

impl<K: Key> Reader for Job<K> {}

impl Reader for LayerJob<'_> {}

mod sealed {
    /// Keeps [`Reader`](super::Reader) to the types of this crate.
    pub trait Sealed {
        #[doc(hidden)]
        fn reading(&self) -> super::Reading<'_>;
    }
}

/// A reader as a layer sees it.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    attempt: &'a dyn Attempt,
    /// Where what is read is noted.
    pub(super) reads: &'a Reads,
    /// The layer that reads, unless a job does.
    pub(super) maker: Option<&'a LayerJob<'a>>,
}

impl Reading<'_> {
    /// Whether the job on whose behalf this is read is no longer wanted.
    pub(super) fn is_cancelled(&self) -> bool {
        match self.maker {
            Some(maker) => maker.is_cancelled(),
            None => self.attempt.is_cancelled(),
        }
    }
}

/// The attempt at a job on whose behalf layers are read.
pub(crate) trait Attempt: fmt::Debug + Send + Sync {
    fn is_cancelled(&self) -> bool;
}

impl<K: Key> Attempt for Job<K> {
    fn is_cancelled(&self) -> bool {
        self.is_cancelled()
    }
}

impl<K: Key> sealed::Sealed for Job<K> {
    fn reading(&self) -> Reading<'_> {
        Reading {
            attempt: self,
            reads: self.reads(),
            maker: None,
        }
    }
}

/// One call of the maker of a layer, on behalf of the job that reads its value. It reads other layers.
pub struct LayerJob<'a> {
    attempt: &'a dyn Attempt,
    reads: &'a Reads,
    pub(super) place: Place<'a>,
    /// Whether the maker was told that it is cancelled, so that what it returns may be incomplete.
    pub(super) saw_cancelled: AtomicBool,
}

/// Which layer.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    /// How many layers of its world were made before it.
    pub(super) number: usize,
    /// Tells its world from others.
    pub(super) world: usize,
}

impl<'a> LayerJob<'a> {
    pub(super) fn new(reading: Reading<'a>, reads: &'a Reads, place: Place<'a>) -> Self {
        Self {
            attempt: reading.attempt,
            reads,
            place,
            saw_cancelled: AtomicBool::new(false),
        }
    }

    /// Whether the job is cancelled that this value is made for. A maker that takes long should ask this now and then, and
    /// return early with any error; what it returns is discarded. If others wait for the value, one of them makes it anew.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let is_cancelled = self.attempt.is_cancelled();
        if is_cancelled {
            self.saw_cancelled.store(true, Ordering::Relaxed);
        }
        is_cancelled
    }
}

impl sealed::Sealed for LayerJob<'_> {
    fn reading(&self) -> Reading<'_> {
        Reading {
            attempt: self.attempt,
            reads: self.reads,
            maker: Some(self),
        }
    }
}

impl fmt::Debug for LayerJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LayerJob")
            .field("layer", &self.place.name)
            .finish_non_exhaustive()
    }
}
