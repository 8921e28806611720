//! The view of a job that its generator gets.

use std::{
    future::{Future, poll_fn},
    task::Poll,
};

use super::{
    key::{Key, Version},
    state::JobCell,
};
use crate::{layer::Reads, sync::Arc};

/// One attempt at generating one key.
#[derive(Clone, Debug)]
pub struct Job<K> {
    cell: Arc<JobCell<K>>,
    attempt: u32,
    reads: Arc<Reads>,
}

impl<K: Key> Job<K> {
    pub(crate) fn new(cell: Arc<JobCell<K>>, attempt: u32, reads: Arc<Reads>) -> Self {
        Self {
            cell,
            attempt,
            reads,
        }
    }

    /// What it has read of layers so far.
    pub(crate) fn reads(&self) -> &Reads {
        &self.reads
    }

    /// What to generate.
    #[must_use]
    pub fn key(&self) -> K {
        self.cell.key
    }

    /// Which request of the key the result will answer.
    #[must_use]
    pub fn version(&self) -> Version {
        self.cell.version
    }

    /// Which attempt this is, counted from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether the result is no longer wanted, because the job was withdrawn, because a refresh found its key
    /// known to be empty, or because the scheduler shut down. Any other refresh leaves it running, since its result is
    /// wanted until the newer one is there. A long generator should ask this now and then, and return early; what it returns is discarded.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        !self.cell.state().is_live()
    }

    /// Yields to other tasks. An async generator whose job was cancelled is dropped here, as at each await.
    pub async fn checkpoint(&self) {
        yield_now().await;
    }
}

/// Returns to the executor once.
pub(crate) fn yield_now() -> impl Future<Output = ()> {
    let mut has_yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
