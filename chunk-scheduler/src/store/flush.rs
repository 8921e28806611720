//! Waiting until what was saved is durable.

use super::{error::StoreError, table::Table};
use crate::{
    job::Key,
    sync::{Arc, Mutex},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Ends when each value that was saved before is durable, or one that was saved later in its place. Made by
/// [`Archive::flush`](super::Archive::flush); dropping it stops nothing.
///
/// It ends with an error when writing fails meanwhile. Nothing is lost then: the values stay in memory and are tried again, and
/// another flush tries at once.
#[must_use = "it has everything written, but only who awaits it knows when that is done"]
pub struct Flush<K, V> {
    table: Arc<Mutex<Table<K, V>>>,
    saves: u64,
    total: usize,
    failures: u64,
}

impl<K: Key, V> Flush<K, V> {
    pub(super) fn new(waiting: Arc<Mutex<Table<K, V>>>) -> Self {
        let table = waiting.lock();
        let saves = table.saves();
        let (total, failures) = (table.remaining(saves), table.report().failures);
        drop(table);
        Self {
            table: waiting,
            saves,
            total,
            failures,
        }
    }

    /// How many values were not durable when it was made.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many of them are not durable yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.table.lock().remaining(self.saves)
    }
}

impl<K: Key, V> Future for Flush<K, V> {
    type Output = Result<(), StoreError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut table = self.table.lock();
        if !table.is_any_left(self.saves) {
            return Poll::Ready(Ok(()));
        }
        let report = table.report();
        if let Some(error) = report.last_error
            && report.failures > self.failures
        {
            return Poll::Ready(Err(error));
        }
        table.wait(cx.waker());
        Poll::Pending
    }
}

impl<K, V> fmt::Debug for Flush<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Flush")
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}
