//! Encodes what was saved and hands it to the store, batch by batch.

use super::{
    error::{StoreError, StoreErrorKind},
    shared::{Shared, StoreKey},
    table::{InHand, Saved, Written},
};
use crate::{job::yield_now, sync::Arc};
use std::{future::Future, task::Waker};

/// A writer and what it has in hand. An executor may drop it at any point: then that waits for another writer.
struct Writer<K: StoreKey, V: Send + Sync + 'static> {
    shared: Arc<Shared<K, V>>,
    in_hand: Vec<InHand<K, V>>,
    has_left: bool,
}

/// What became of what is in hand.
struct Outcome {
    /// In the order of what is in hand.
    written: Vec<Written>,
    /// What went wrong last.
    error: Option<StoreError>,
    /// The bytes of the largest value.
    largest: usize,
}

/// The future of one writer, which the table has counted.
pub(super) fn run<K: StoreKey, V: Send + Sync + 'static>(
    shared: Arc<Shared<K, V>>,
) -> impl Future<Output = ()> + Send {
    // Not made in the async block, so that dropping the future before its first poll drops the writer.
    let writer = Writer {
        shared,
        in_hand: Vec::new(),
        has_left: false,
    };
    async move { writer.work().await }
}

impl<K: StoreKey, V: Send + Sync + 'static> Writer<K, V> {
    async fn work(mut self) {
        loop {
            let most = self.shared.config.max_batch_bytes;
            self.in_hand = self.shared.table.lock().take(most);
            if self.in_hand.is_empty() {
                self.has_left = true;
                return;
            }
            let outcome = self.write().await;
            self.finish(outcome);
        }
    }

    async fn write(&self) -> Outcome {
        let Shared { store, .. } = &*self.shared;
        let mut outcome = Outcome {
            written: vec![Written::Durable; self.in_hand.len()],
            error: None,
            largest: 0,
        };
        let (mut batch, mut of_batch) = (Vec::new(), Vec::new());
        for (at, InHand { key, value, .. }) in self.in_hand.iter().enumerate() {
            let name = self.shared.name(*key);
            let Some(value) = value else {
                if outcome.is_outage() {
                    // Each call may wait long for a store that is gone.
                    outcome.written[at] = Written::Failed;
                } else if let Err(error) = store.remove(&name).await {
                    outcome.fail(&[at], error.of(name));
                }
                continue;
            };
            match self.shared.seal(&name, value) {
                Ok(sealed) => {
                    outcome.largest = outcome.largest.max(sealed.len());
                    batch.push((name, sealed));
                    of_batch.push(at);
                }
                Err(error) => {
                    outcome.written[at] = Written::Stuck;
                    outcome.error = Some(error);
                }
            }
            if self.shared.is_stepwise {
                yield_now().await;
            }
        }
        if let Some((name, _)) = batch.first()
            && let Err(error) = store.save(&batch).await
        {
            let about = error.name.clone().unwrap_or_else(|| name.clone());
            outcome.fail(&of_batch, error.of(about));
        }
        outcome
    }

    /// Gives back what is in hand.
    fn finish(&mut self, outcome: Outcome) {
        let mut unneeded: Vec<Saved<V>> = Vec::new();
        let mut table = self.shared.table.lock();
        for (in_hand, written) in self.in_hand.iter().zip(&outcome.written) {
            unneeded.push(table.put_back(in_hand, *written));
        }
        table.learn(outcome.largest);
        let is_first = match &outcome.error {
            Some(error) => table.fail(error.clone()),
            None => {
                table.succeed();
                false
            }
        };
        if outcome.written.contains(&Written::Failed) {
            table.pause();
        }
        let waiting = table.waiting();
        drop(table);
        // Without the lock, because destructors, wakers and the log are other people's code.
        self.in_hand.clear();
        drop(unneeded);
        waiting.into_iter().for_each(Waker::wake);
        if let (true, Some(error)) = (is_first, outcome.error) {
            tracing::warn!("{error}; it stays in memory and is tried again");
        }
    }
}

impl Outcome {
    /// What of `of` was to be written at once was not.
    fn fail(&mut self, of: &[usize], error: StoreError) {
        // Alone, it would fail again, unless it may work later.
        let is_stuck = of.len() == 1 && !error.is_transient();
        for at in of {
            self.written[*at] = if is_stuck {
                Written::Stuck
            } else {
                Written::Failed
            };
        }
        self.error = Some(error);
    }

    /// Whether the store did not answer.
    fn is_outage(&self) -> bool {
        self.error.as_ref().is_some_and(StoreError::is_transient)
    }
}

impl<K: StoreKey, V: Send + Sync + 'static> Drop for Writer<K, V> {
    fn drop(&mut self) {
        if self.has_left {
            return;
        }
        let mut table = self.shared.table.lock();
        for in_hand in &self.in_hand {
            table.put_back(in_hand, Written::Failed);
        }
        // The store may have panicked, and would do so again at once.
        let message = "a writer panicked, or was dropped by its executor";
        table.fail(StoreError::new(StoreErrorKind::Unavailable, message));
        table.pause();
        table.leave();
        let waiting = table.waiting();
        drop(table);
        waiting.into_iter().for_each(Waker::wake);
    }
}
