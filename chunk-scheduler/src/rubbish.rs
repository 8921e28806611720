//! Outputs that nobody wants any more.

use std::mem::needs_drop;

use crate::{
    key::Key,
    panics,
    rank::Rank,
    scheduler::Scheduler,
    shared::Shared,
    sync::{Arc, Ordering},
};

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// Drops outputs, or what was made of them, where they delay nobody: on a worker, however heavy
    /// they are. A destructor that panics is contained, counted and logged.
    pub fn discard<O: Send + 'static>(&mut self, outputs: Vec<O>) {
        if outputs.is_empty() || !needs_drop::<O>() {
            return;
        }
        let shared = Arc::clone(&self.shared);
        if self.is_shut_down {
            sweep(&shared, outputs);
        } else {
            self.executor.spawn(Box::pin(async move {
                sweep(&shared, outputs);
            }));
        }
    }
}

pub(crate) fn sweep<K: Key, T, R: Rank<K>, O>(
    shared: &Shared<K, T, R>,
    outputs: impl IntoIterator<Item = O>,
) {
    let _span = tracing::debug_span!("chunk_discard").entered();
    for output in outputs {
        if let Err(message) = panics::discard(output) {
            let panics = &shared.counts.discard_panics;
            panics.fetch_add(1, Ordering::Relaxed);
            tracing::warn!("dropping an unwanted output panicked: {message}");
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::{FnRank, Generator, Job, Scheduler, SchedulerConfig, Simulation};
    use std::{
        sync::mpsc::{Sender, channel},
        time::Duration,
    };

    /// Says when it is dropped.
    struct Heavy(Sender<()>);

    impl Drop for Heavy {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }

    #[test]
    fn an_output_that_nobody_wants_is_dropped_by_a_worker() {
        let (sender, dropped) = channel();
        let simulation = Simulation::new(1);
        let mut scheduler = Scheduler::new(
            SchedulerConfig::default(),
            Generator::new(move |_: &Job<u32>| Heavy(sender.clone())),
            simulation.runtime(),
            FnRank(|key: &u32| *key),
        )
        .expect("the default is valid");
        scheduler.request(1);
        scheduler.tick(Duration::ZERO);
        simulation.run();
        scheduler.cancel(1);
        scheduler.drain(usize::MAX, |_| unreachable!("it was cancelled"));
        assert!(dropped.try_recv().is_err(), "not on this thread");
        simulation.run();
        assert!(dropped.try_recv().is_ok());
    }
}
