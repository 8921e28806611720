//! A store that is as slow and as broken as a test says, on the simulation's clock.

use chunk_apply::{
    ChunkCoord, Simulation,
    store::{
        Archive, ArchiveConfig, Codec, CodecError, MemoryStore, Store, StoreError, StoreErrorKind,
        StoreFuture,
    },
};
use std::{
    collections::BTreeSet,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Things that players built in a chunk, by their numbers.
pub(crate) type Things = BTreeSet<u32>;

/// Four bytes for each.
pub(crate) struct Numbers;

impl Codec<Things> for Numbers {
    fn format(&self) -> u32 {
        1
    }

    fn encode(&self, things: &Things) -> Result<Vec<u8>, CodecError> {
        Ok(things
            .iter()
            .flat_map(|thing| thing.to_le_bytes())
            .collect())
    }

    fn decode(&self, _format: u32, bytes: &[u8]) -> Result<Things, CodecError> {
        let (things, rest) = bytes.as_chunks();
        assert!(rest.is_empty());
        Ok(things.iter().copied().map(u32::from_le_bytes).collect())
    }
}

/// What the store does from now on.
#[derive(Clone, Copy, Default)]
pub(crate) struct Script {
    /// How long each call takes.
    pub(crate) delay: Duration,
    pub(crate) do_writes_fail: bool,
    pub(crate) do_loads_fail: bool,
}

/// Clones share everything.
#[derive(Clone)]
pub(crate) struct ScriptedStore {
    memory: MemoryStore,
    pub(crate) simulation: Simulation,
    script: Arc<Mutex<Script>>,
}

impl ScriptedStore {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            memory: MemoryStore::default(),
            simulation: Simulation::new(seed),
            script: Arc::default(),
        }
    }

    pub(crate) fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn archive(&self, max_waiting_bytes: usize) -> Archive<ChunkCoord, Things> {
        let config = ArchiveConfig {
            max_waiting_bytes,
            max_batch_bytes: 200,
            ..ArchiveConfig::default()
        };
        Archive::new(self.clone(), Numbers, config, self.simulation.runtime())
    }

    /// What is durable, read by an archive of its own.
    pub(crate) fn durable(&self, coord: ChunkCoord) -> Things {
        let (config, runtime) = (ArchiveConfig::default(), self.simulation.runtime());
        let archive = Archive::new(self.memory.clone(), Numbers, config, runtime);
        let loaded = now(archive.load(coord)).expect("memory does not fail");
        loaded.map_or_else(Things::new, |things: Arc<Things>| (*things).clone())
    }

    /// Waits as long as a call takes, and fails if it does.
    async fn suffer(&self, does_fail: impl Fn(Script) -> bool) -> Result<(), StoreError> {
        let script = *self.script();
        if !script.delay.is_zero() {
            self.simulation.sleep(script.delay).await;
        }
        let kind = StoreErrorKind::Unavailable;
        let error = || StoreError::new(kind, "as the test says");
        does_fail(script).then(error).map_or(Ok(()), Err)
    }
}

impl Store for ScriptedStore {
    fn load<'a>(&'a self, name: &'a str) -> StoreFuture<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            self.suffer(|script| script.do_loads_fail).await?;
            self.memory.load(name).await
        })
    }

    fn save<'a>(&'a self, batch: &'a [(String, Vec<u8>)]) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.suffer(|script| script.do_writes_fail).await?;
            self.memory.save(batch).await
        })
    }

    fn create<'a>(&'a self, name: &'a str, bytes: &'a [u8]) -> StoreFuture<'a, Option<Vec<u8>>> {
        self.memory.create(name, bytes)
    }

    fn remove<'a>(&'a self, name: &'a str) -> StoreFuture<'a, ()> {
        self.memory.remove(name)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        self.memory.list(prefix)
    }
}

/// The result of a future that waits for nothing.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits for something"),
    }
}
