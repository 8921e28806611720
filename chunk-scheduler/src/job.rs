//! What a generator is told about the job it works on.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    key::{Key, Version},
    slot::Slot,
    sync::Arc,
};

/// One attempt at generating one key.
#[derive(Clone, Debug)]
pub struct Job<K> {
    slot: Arc<Slot<K>>,
    attempt: u32,
}

impl<K: Key> Job<K> {
    pub(crate) fn new(slot: Arc<Slot<K>>, attempt: u32) -> Self {
        Self { slot, attempt }
    }

    /// What to generate.
    #[must_use]
    pub fn key(&self) -> K {
        self.slot.key
    }

    /// Which request of the key this answers.
    #[must_use]
    pub fn version(&self) -> Version {
        self.slot.version
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
        !self.slot.state().is_live()
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
