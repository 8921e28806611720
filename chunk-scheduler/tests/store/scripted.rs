//! A store that does what a test says, on a simulated clock.

use chunk_scheduler::Simulation;
use chunk_scheduler::store::{
    Archive, ArchiveConfig, MemoryStore, Postcard, Store, StoreError, StoreErrorKind, StoreFuture,
};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What the store does from now on.
#[derive(Clone, Default)]
pub(crate) struct Script {
    /// How long each call takes.
    pub(crate) delay: Duration,
    /// What every write fails with.
    pub(crate) write_error: Option<StoreErrorKind>,
    /// What every load fails with.
    pub(crate) load_error: Option<StoreErrorKind>,
    /// What a batch with this name fails with, and no other.
    pub(crate) poison: Option<String>,
    /// A batch panics.
    pub(crate) panics: bool,
    /// How many writes there may be at once.
    pub(crate) max_writes: usize,
}

/// A [`MemoryStore`] with faults. Clones share everything.
#[derive(Clone)]
pub(crate) struct ScriptedStore {
    pub(crate) memory: MemoryStore,
    pub(crate) simulation: Simulation,
    pub(crate) script: Arc<Mutex<Script>>,
    /// The names of each batch, and whether it was written.
    pub(crate) batches: Arc<Mutex<Vec<(Vec<String>, bool)>>>,
    /// How many removals were tried.
    pub(crate) removals: Arc<Mutex<u32>>,
}

impl ScriptedStore {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            memory: MemoryStore::default(),
            simulation: Simulation::new(seed),
            script: Arc::default(),
            batches: Arc::default(),
            removals: Arc::default(),
        }
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().expect("no test panicked"));
    }

    fn script(&self) -> Script {
        self.script.lock().expect("no test panicked").clone()
    }

    /// An archive in this store.
    pub(crate) fn archive(&self, config: ArchiveConfig) -> Archive<u32, String> {
        let runtime = self.simulation.runtime();
        Archive::new(self.clone(), Postcard::new(), config, runtime)
    }

    /// What is durable under a key, read by an archive of its own.
    pub(crate) fn durable(&self, key: u32) -> Option<String> {
        let config = ArchiveConfig::default();
        let store = self.memory.clone();
        let archive = Archive::new(store, Postcard::new(), config, self.simulation.runtime());
        now(archive.load(key))
            .expect("memory does not fail")
            .map(|value: Arc<String>| value.to_string())
    }
}

/// The result of a future that needs nobody.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match poll_once(&mut Box::pin(future)) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits for something"),
    }
}

pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
}

fn fails(kind: Option<StoreErrorKind>) -> Result<(), StoreError> {
    kind.map_or(Ok(()), |kind| {
        Err(StoreError::new(kind, "as the test says"))
    })
}

impl Store for ScriptedStore {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let script = self.script();
            if !script.delay.is_zero() {
                self.simulation.sleep(script.delay).await;
            }
            fails(script.load_error)?;
            self.memory.load(name).await
        })
    }

    fn save<'a>(&'a self, batch: &'a [(String, Vec<u8>)]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let script = self.script();
            if !script.delay.is_zero() {
                self.simulation.sleep(script.delay).await;
            }
            assert!(!script.panics, "the store panics");
            let names: Vec<_> = batch.iter().map(|(name, _)| name.clone()).collect();
            let is_poisoned = script.poison.is_some_and(|poison| names.contains(&poison));
            let poison = is_poisoned.then_some(StoreErrorKind::Setting);
            let result = fails(poison.or(script.write_error));
            (self.batches.lock().expect("no test panicked")).push((names, result.is_ok()));
            result?;
            self.memory.save(batch).await
        })
    }

    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> StoreFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let script = self.script();
            if !script.delay.is_zero() {
                self.simulation.sleep(script.delay).await;
            }
            fails(script.write_error)?;
            self.memory.create(name, bytes).await
        })
    }

    fn remove<'a>(&'a self, name: &'a str) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            *self.removals.lock().expect("no test panicked") += 1;
            fails(self.script().write_error)?;
            self.memory.remove(name).await
        })
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        self.memory.list(prefix)
    }

    fn max_writes(&self) -> usize {
        self.script().max_writes.max(1)
    }
}
