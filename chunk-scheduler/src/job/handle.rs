//! What a generator is told about the job it works on.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    key::{Key, Version},
    state::JobCell,
};
use crate::sync::Arc;

/// One attempt at generating one key.
#[derive(Clone, Debug)]
pub struct Job<K> {
    cell: Arc<JobCell<K>>,
    attempt: u32,
}

impl<K: Key> Job<K> {
    pub(crate) fn new(cell: Arc<JobCell<K>>, attempt: u32) -> Self {
        Self { cell, attempt }
    }

    /// What to generate.
    #[must_use]
    pub fn key(&self) -> K {
        self.cell.key
    }

    /// Which request of the key this answers.
    #[must_use]
    pub fn version(&self) -> Version {
        self.cell.version
    }

    /// Which attempt this is, counted from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether nobody wants the result any more: withdrawn, superseded or shut down. A long
    /// generator should look now and then and return anything; what it returns is discarded.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        !self.cell.state().is_live()
    }

    /// Lets others run. In an async generator this is also where cancellation takes effect: once
    /// the job is cancelled the generator's future is dropped, and what follows never runs.
    pub async fn checkpoint(&self) {
        yield_now().await;
    }
}

/// Returns to the executor once.
pub(crate) fn yield_now() -> impl Future<Output = ()> {
    YieldNow { yielded: false }
}

struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
