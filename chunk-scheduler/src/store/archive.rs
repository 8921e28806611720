//! Saved values by key: in memory until they are durable, and then in a store.

#[cfg(not(loom))]
use super::report::Unsaved;
use super::{
    codec::Codec,
    config::ArchiveConfig,
    error::StoreError,
    flush::Flush,
    report::ArchiveReport,
    shared::{Found, Shared, StoreKey},
    store_trait::Store,
    table::{Saved, Table},
    writer,
};
#[cfg(not(loom))]
use crate::sync::Instant;
use crate::{
    job::{GenerateError, Generator, Job},
    runtime::{Executor, Runtime},
    sync::{Arc, AtomicU64, Mutex, Ordering},
};
use std::{collections::BTreeSet, fmt, time::Duration};
#[cfg(not(loom))]
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// Saved values of the type `V` by their keys. Saving costs the caller a move; workers encode and write. Until a value is
/// durable it is loaded from memory, so that who leaves and comes back finds what was saved last, however slow the store is.
///
/// Clones are handles of the same archive, and generators of it have one each. Before the last one is dropped, call
/// [`flush_within`](Self::flush_within), or what is not durable may be lost. Two archives must not have the same prefix in one store at the same time, unless
/// they only [share](Self::load_or_create) what they make.
///
/// ```
/// use chunk_scheduler::store::{Archive, ArchiveConfig, MemoryStore, Postcard};
/// use chunk_scheduler::{Job, Runtime};
///
/// // What a player built, by chunk.
/// let archive: Archive<u32, Vec<u8>> = Archive::new(
///     MemoryStore::default(),
///     Postcard::new(),
///     ArchiveConfig::default(),
///     Runtime::default(),
/// );
/// archive.save(7, vec![1, 2, 3]);
///
/// // For a scheduler: what was saved, and otherwise what is made.
/// let generator = archive.generator(|job: &Job<u32>, saved| match saved {
///     Some(built) => Ok::<_, String>(built.to_vec()),
///     None => Ok(vec![0; job.key() as usize]),
/// });
/// # let _ = generator;
///
/// // When the game exits.
/// archive.flush_within(std::time::Duration::from_secs(10))?;
/// # Ok::<(), chunk_scheduler::store::Unsaved>(())
/// ```
pub struct Archive<K: StoreKey, V: Send + Sync + 'static>(Arc<Handle<K, V>>);

/// Owns the executor, which must not be part of what its own tasks hold.
struct Handle<K: StoreKey, V: Send + Sync + 'static> {
    shared: Arc<Shared<K, V>>,
    executor: Executor,
}

impl<K: StoreKey, V: Send + Sync + 'static> Archive<K, V> {
    /// An archive in a store, whose writers run on `runtime`.
    #[must_use]
    pub fn new(
        store: impl Store,
        codec: impl Codec<V>,
        config: ArchiveConfig,
        runtime: Runtime,
    ) -> Self {
        let executor = Executor::new(runtime);
        let table = Table::new(&config);
        let shared = Shared {
            store: Box::new(store),
            codec: Box::new(codec),
            config,
            table: Arc::new(Mutex::new(table)),
            is_stepwise: executor.is_stepwise(),
            loaded: AtomicU64::new(0),
            set_aside: AtomicU64::new(0),
        };
        Self(Arc::new(Handle {
            shared: Arc::new(shared),
            executor,
        }))
    }

    /// Saves a value, in place of what was saved under the key. It is loaded from memory from now on, and becomes durable
    /// as soon as a writer comes to it.
    ///
    /// It always succeeds. Ask [`has_room`](Self::has_room) first, so that a slow store does not fill the memory.
    pub fn save(&self, key: K, value: V) {
        let weight = self.shared().codec.weigh(&value);
        self.put(key, Some(Arc::new(value)), weight);
    }

    /// Removes what was saved under the key, as [`save`](Self::save) saves.
    pub fn remove(&self, key: K) {
        self.put(key, None, 0);
    }

    fn put(&self, key: K, value: Saved<V>, weight: usize) {
        let replaced = self.shared().table.lock().save(key, value, weight);
        // Without the lock, because the destructor is user code.
        drop(replaced);
        self.start_writers();
    }

    /// Whether what waits to be written is below [`ArchiveConfig::max_waiting_bytes`].
    #[must_use]
    pub fn has_room(&self) -> bool {
        let bytes = self.shared().table.lock().bytes();
        bytes < self.shared().config.max_waiting_bytes
    }

    /// What was saved last under the key, durable or not; `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot say, or when the value cannot be used. A damaged value is
    /// [set aside](ArchiveReport::set_aside) under another name, and stays where it is until something else is saved there.
    pub async fn load(&self, key: K) -> Result<Option<Arc<V>>, StoreError> {
        let shared = self.shared();
        if let Some(saved) = shared.table.lock().pending(&key) {
            return Ok(saved);
        }
        let name = shared.name(key);
        let sealed = shared.store.load(&name).await;
        match sealed.map_err(|error| error.of(&*name))? {
            Some(sealed) => shared.open(&name, &sealed).await.map(Some),
            None => Ok(None),
        }
    }

    /// What was saved under the key, or else what `make` makes, once it is durable. Of several processes with the same store
    /// that make it at the same time, the first keeps its value, and the others get that.
    ///
    /// # Errors
    ///
    /// When `make` fails, or when loading or keeping the value does. Then nothing is kept.
    pub async fn load_or_create<E: Into<GenerateError>>(
        &self,
        key: K,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Found<V>, GenerateError> {
        let loaded = self.load(key).await;
        if let Some(value) = loaded.map_err(StoreError::into_generate_error)? {
            return Ok(Found::Loaded(value));
        }
        let made = make().map_err(Into::into)?;
        let is_pending = self.shared().table.lock().pending(&key).is_some();
        let created = if is_pending {
            // It was removed, and is in the store still.
            self.save_and_flush(key, made).await
        } else {
            self.shared().create(key, made).await
        };
        created.map_err(StoreError::into_generate_error)
    }

    async fn save_and_flush(&self, key: K, value: V) -> Result<Found<V>, StoreError> {
        let (weight, value) = (self.shared().codec.weigh(&value), Arc::new(value));
        self.put(key, Some(Arc::clone(&value)), weight);
        self.flush().await?;
        Ok(Found::Made(value))
    }

    /// A generator that hands what was saved under a key to `make`, which makes the content with it or without.
    /// A failed load is not an absent value: the job fails with it.
    #[must_use]
    pub fn generator<T, E>(
        &self,
        make: impl Fn(&Job<K>, Option<Arc<V>>) -> Result<T, E> + Send + Sync + 'static,
    ) -> Generator<K, T>
    where
        T: Send + 'static,
        E: Into<GenerateError>,
    {
        let (archive, make) = (self.clone(), Arc::new(make));
        Generator::from_async(move |job: Job<K>| {
            let (archive, make) = (archive.clone(), Arc::clone(&make));
            async move {
                let saved = archive.load(job.key()).await;
                let saved = saved.map_err(StoreError::into_generate_error)?;
                make(&job, saved).map_err(Into::into)
            }
        })
    }

    /// A generator whose content is the value itself, and which [keeps](Self::load_or_create) what it makes, so that of all
    /// processes with this store one makes it.
    #[must_use]
    pub fn shared_generator<E: Into<GenerateError>>(
        &self,
        make: impl Fn(&Job<K>) -> Result<V, E> + Send + Sync + 'static,
    ) -> Generator<K, Arc<V>> {
        let (archive, make) = (self.clone(), Arc::new(make));
        Generator::from_async(move |job: Job<K>| {
            let (archive, make) = (archive.clone(), Arc::clone(&make));
            async move {
                let found = archive.load_or_create(job.key(), || make(&job)).await;
                found.map(Found::into_value)
            }
        })
    }

    /// The keys under which something is saved, in their order. For tools: it takes as long as the store is large.
    ///
    /// # Errors
    ///
    /// When the store cannot say.
    pub async fn keys(&self) -> Result<Vec<K>, StoreError> {
        let shared = self.shared();
        let names = shared.store.list(&shared.config.prefix).await?;
        let keys = names.iter().filter_map(|name| shared.key(name));
        let mut keys: BTreeSet<K> = keys.collect();
        shared.table.lock().update(&mut keys);
        Ok(keys.into_iter().collect())
    }

    /// Call it regularly, such as once a frame: after a failure, writing goes on when the wait is over by this clock. Where
    /// the [runtime](Runtime::Inline) has no threads, it also runs the writers.
    pub fn tick(&self, now: Duration) {
        self.shared().table.lock().tick(now);
        self.start_writers();
        self.0.executor.work_within_budget();
    }

    /// Has everything written that was saved so far, at once. Await it, or ask it how much is left.
    pub fn flush(&self) -> Flush<K, V> {
        self.shared().table.lock().resume();
        self.start_writers();
        Flush::new(Arc::clone(&self.shared().table))
    }

    /// Waits until everything that was saved is durable, at most for `patience`: for the moment before the process ends. It
    /// blocks the thread, and tries again after failures. In a simulation it moves the clock instead; in a browser, where
    /// nothing may wait, it writes what the thread can and does not wait.
    ///
    /// The archive can be used afterwards. The store is free to be opened again when all handles of the archive are dropped.
    ///
    /// # Errors
    ///
    /// When something is not durable after that time. It stays in memory, and is still being written.
    #[cfg(not(loom))]
    pub fn flush_within(&self, patience: Duration) -> Result<(), Unsaved> {
        const FIRST_STEP: Duration = Duration::from_millis(1);
        const LONGEST_STEP: Duration = Duration::from_secs(1);
        let waker = std::sync::Arc::new(Unpark(std::thread::current())).into();
        let began = Instant::now();
        // How long it waits for a sign of the writers; longer after each failure.
        let (mut step, mut simulated) = (FIRST_STEP, Duration::ZERO);
        let mut flush = self.flush();
        loop {
            let mut has_failed = false;
            match Pin::new(&mut flush).poll(&mut Context::from_waker(&waker)) {
                // A writer that is about to end has the store still.
                Poll::Ready(Ok(())) if Arc::strong_count(self.shared()) == 1 => return Ok(()),
                Poll::Ready(result) => has_failed = result.is_err(),
                Poll::Pending => {}
            }
            let left = patience.saturating_sub(began.elapsed().max(simulated));
            if left.is_zero() {
                return self.unsaved();
            }
            if let Some(simulation) = self.0.executor.simulation() {
                simulation.advance(step.min(left));
                simulated += step;
            } else {
                self.0.executor.work_within_budget();
                if cfg!(target_arch = "wasm32") {
                    return self.unsaved();
                }
                std::thread::park_timeout(step.min(left));
            }
            if has_failed {
                step = (2 * step).min(LONGEST_STEP);
                flush = self.flush();
            }
        }
    }

    #[cfg(not(loom))]
    fn unsaved(&self) -> Result<(), Unsaved> {
        let table = self.shared().table.lock();
        let report = table.report();
        match table.first() {
            None => Ok(()),
            Some(key) => Err(Unsaved {
                values: report.waiting,
                key: key.to_string(),
                error: report.last_error,
            }),
        }
    }

    /// What happened so far, and what waits.
    #[must_use]
    pub fn report(&self) -> ArchiveReport {
        let shared = self.shared();
        let mut report = shared.table.lock().report();
        report.loaded = shared.loaded.load(Ordering::Relaxed);
        report.set_aside = shared.set_aside.load(Ordering::Relaxed);
        report
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &ArchiveConfig {
        &self.shared().config
    }

    fn shared(&self) -> &Arc<Shared<K, V>> {
        &self.0.shared
    }

    fn start_writers(&self) {
        let shared = self.shared();
        let most = shared.store.max_writes().max(1);
        while shared.table.lock().start_writer(most) {
            let writer = writer::run(Arc::clone(shared));
            self.0.executor.spawn(Box::pin(writer));
        }
    }
}

impl<K: StoreKey, V: Send + Sync + 'static> Clone for Archive<K, V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: StoreKey, V: Send + Sync + 'static> Drop for Handle<K, V> {
    fn drop(&mut self) {
        self.executor.shut_down();
        let waiting = self.shared.table.lock().report().waiting;
        if waiting > 0 {
            tracing::warn!(
                "an archive was dropped while {waiting} values were not durable; `flush_within` waits for them"
            );
        }
    }
}

impl<K: StoreKey, V: Send + Sync + 'static> fmt::Debug for Archive<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive")
            .field("config", self.config())
            .field("report", &self.report())
            .finish_non_exhaustive()
    }
}

/// Wakes a thread.
#[cfg(not(loom))]
struct Unpark(std::thread::Thread);

#[cfg(not(loom))]
impl std::task::Wake for Unpark {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.unpark();
    }
}
