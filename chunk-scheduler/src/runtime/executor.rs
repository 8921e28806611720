//! Where workers run: the user's choice, and the executor that carries it out.

use std::{fmt, time::Duration};

#[cfg(not(loom))]
use bevy_tasks::{AsyncComputeTaskPool, TaskPool, TaskPoolBuilder};

use super::{
    clock::WorkClock,
    local_executor::{LocalExecutor, Task, WorkerFuture},
    simulation::Simulation,
};
use crate::{
    job::panics,
    sync::{Arc, Mutex},
};

/// Where workers run. They are the same on every runtime.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Runtime {
    /// Bevy's [`AsyncComputeTaskPool`], the default where there are threads. A pool that is missing at the first tick is made,
    /// with [`recommended_pool_threads`].
    #[cfg(not(loom))]
    AsyncCompute,
    /// A task pool of the caller, see [`Runtime::pool`].
    #[cfg(not(loom))]
    Pool(PoolRuntime),
    /// No threads, the default in a browser: [`Scheduler::tick`](crate::Scheduler::tick) runs jobs until `budget` is
    /// spent, at least one step each time. A plain generator runs to its end; an async one is interrupted at each
    /// await.
    Inline {
        /// How long one tick runs jobs. 4 ms by default.
        budget: Duration,
    },
    /// An executor of the caller, see [`Runtime::custom`].
    Custom(CustomRuntime),
    /// A [`Simulation`], see [`Simulation::runtime`].
    Simulated(Simulation),
}

impl Runtime {
    /// A task pool of the caller. Dropping the last of its handles joins its threads, and so waits for each generator that
    /// runs; where the last handle is that of a runtime, another thread drops it, and nobody waits.
    #[cfg(not(loom))]
    #[must_use]
    pub fn pool(pool: impl Into<Arc<TaskPool>>) -> Self {
        Self::Pool(PoolRuntime(Some(pool.into())))
    }

    /// An executor of the caller: `spawn` must have each future polled, on any thread, until it ends. `threads` is
    /// how many of them can run at the same time. What the closure owns is dropped with the last handle of the runtime, on
    /// that thread: if it would wait for a generator there, so would who drops the app.
    #[must_use]
    pub fn custom(threads: usize, spawn: impl Fn(WorkerFuture) + Send + Sync + 'static) -> Self {
        Self::Custom(CustomRuntime {
            threads,
            spawn: Arc::new(spawn),
        })
    }
}

impl Simulation {
    /// The runtime to make a [`Scheduler`](crate::Scheduler) with.
    #[must_use]
    pub fn runtime(&self) -> Runtime {
        Runtime::Simulated(self.clone())
    }
}

impl Default for Runtime {
    fn default() -> Self {
        #[cfg(not(any(loom, target_arch = "wasm32")))]
        return Self::AsyncCompute;
        #[cfg(any(loom, target_arch = "wasm32"))]
        Self::Inline {
            budget: Duration::from_millis(4),
        }
    }
}

/// A handle of a task pool of the caller, made by [`Runtime::pool`].
#[cfg(not(loom))]
#[derive(Clone)]
pub struct PoolRuntime(
    /// `None` while it is dropped.
    Option<Arc<TaskPool>>,
);

#[cfg(not(loom))]
impl PoolRuntime {
    fn threads(&self) -> usize {
        self.0.as_ref().map_or(0, |pool| pool.thread_num())
    }

    fn spawn(&self, worker: WorkerFuture) {
        if let Some(pool) = &self.0 {
            pool.spawn(worker).detach();
        }
    }
}

#[cfg(not(loom))]
impl fmt::Debug for PoolRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolRuntime")
            .field("threads", &self.threads())
            .finish_non_exhaustive()
    }
}

#[cfg(not(loom))]
impl Drop for PoolRuntime {
    fn drop(&mut self) {
        let Some(pool) = self.0.take().and_then(Arc::into_inner) else {
            return;
        };
        let thread = std::thread::Builder::new().name("chunk-scheduler pool drop".to_owned());
        if let Err(error) = thread.spawn(move || drop(pool)) {
            tracing::warn!("the pool was joined on the calling thread: {error}");
        }
    }
}

/// An executor of the caller, made by [`Runtime::custom`].
#[derive(Clone)]
pub struct CustomRuntime {
    threads: usize,
    spawn: Arc<dyn Fn(WorkerFuture) + Send + Sync>,
}

impl fmt::Debug for CustomRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomRuntime")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

/// How many threads a pool for generating should have on a machine with `cores` cores: all but one up to five cores,
/// then half of them, and at least one.
///
/// Bevy gives its async-compute pool a quarter of the cores, which is one thread for up to five cores. To use this
/// number instead, set the pool's options before the app runs (`streaming_pool_options` of chunk-apply returns them):
///
/// ```text
/// use bevy_app::{TaskPoolOptions, TaskPoolPlugin, TaskPoolThreadAssignmentPolicy};
///
/// let threads = chunk_scheduler::recommended_pool_threads(chunk_scheduler::available_cores());
/// app.add_plugins(TaskPoolPlugin {
///     task_pool_options: TaskPoolOptions {
///         async_compute: TaskPoolThreadAssignmentPolicy {
///             min_threads: threads,
///             max_threads: threads,
///             percent: 1.0,
///             on_thread_spawn: None,
///             on_thread_destroy: None,
///         },
///         ..TaskPoolOptions::default()
///     },
/// });
/// ```
#[must_use]
pub fn recommended_pool_threads(cores: usize) -> usize {
    cores.saturating_sub(1).clamp(1, 4).max(cores / 2)
}

/// The number of cores this process may use, at least 1.
#[must_use]
pub fn available_cores() -> usize {
    #[cfg(not(loom))]
    return bevy_tasks::available_parallelism();
    #[cfg(loom)]
    1
}

/// A runtime in use.
pub(crate) struct Executor {
    runtime: Runtime,
    /// The workers of [`Runtime::Inline`].
    local_executor: Mutex<LocalExecutor>,
    /// The number of this executor in a simulation.
    owner: u64,
}

impl Executor {
    pub(crate) fn new(runtime: Runtime) -> Self {
        let owner = match &runtime {
            Runtime::Simulated(simulation) => simulation.new_owner(),
            _ => 0,
        };
        Self {
            runtime,
            local_executor: Mutex::new(LocalExecutor::default()),
            owner,
        }
    }

    /// Makes Bevy's pool where that is needed and missing. Not before the first tick, because an app may set the options of
    /// the pool after it made the scheduler.
    pub(crate) fn begin(&self) {
        #[cfg(not(loom))]
        if let Runtime::AsyncCompute = &self.runtime {
            async_compute();
        }
    }

    /// How many workers can run at the same time.
    pub(crate) fn threads(&self) -> usize {
        match &self.runtime {
            #[cfg(not(loom))]
            Runtime::AsyncCompute => AsyncComputeTaskPool::try_get()
                .map_or_else(recommended_threads, |pool| pool.thread_num()),
            #[cfg(not(loom))]
            Runtime::Pool(pool) => pool.threads(),
            Runtime::Inline { .. } => 1,
            Runtime::Custom(custom) => custom.threads,
            Runtime::Simulated(simulation) => simulation.threads(),
        }
    }

    /// Whether a pool with more threads would help on this machine.
    pub(crate) fn lacks_threads(&self) -> bool {
        match &self.runtime {
            #[cfg(not(loom))]
            Runtime::AsyncCompute | Runtime::Pool(_) => self.threads() < recommended_threads(),
            _ => false,
        }
    }

    pub(crate) fn simulation(&self) -> Option<Simulation> {
        match &self.runtime {
            Runtime::Simulated(simulation) => Some(simulation.clone()),
            _ => None,
        }
    }

    pub(crate) fn clock(&self) -> WorkClock {
        (self.simulation()).map_or_else(WorkClock::real, |simulation| simulation.clock())
    }

    /// Whether workers must yield after every step.
    pub(crate) fn is_stepwise(&self) -> bool {
        matches!(self.runtime, Runtime::Inline { .. } | Runtime::Simulated(_))
    }

    pub(crate) fn spawn(&self, future: WorkerFuture) {
        match &self.runtime {
            #[cfg(not(loom))]
            Runtime::AsyncCompute => async_compute().spawn(future).detach(),
            #[cfg(not(loom))]
            Runtime::Pool(pool) => pool.spawn(future),
            Runtime::Inline { .. } => self.local_executor.lock().spawn(self.owner, future),
            Runtime::Custom(custom) => (custom.spawn)(future),
            Runtime::Simulated(simulation) => simulation.spawn(self.owner, future),
        }
    }

    /// How long a tick runs workers, where no other thread does.
    pub(crate) fn inline_budget(&self) -> Option<Duration> {
        match self.runtime {
            Runtime::Inline { budget } => Some(budget),
            _ => None,
        }
    }

    /// Runs workers on this thread, where no other thread does, for as long as `may_step` agrees to each step.
    pub(crate) fn work(&self, mut may_step: impl FnMut() -> bool) {
        if self.inline_budget().is_none() {
            return;
        }
        while self.local_executor.lock().ready() > 0 && may_step() {
            let Some(task) = self.local_executor.lock().take_next() else {
                return;
            };
            // Without the lock, because what it runs may spawn.
            if let Some(task) = task.step() {
                self.local_executor.lock().put_back(task);
            }
        }
    }

    /// The same for as long as the runtime says.
    #[cfg(feature = "store")]
    pub(crate) fn work_within_budget(&self) {
        if let Some(budget) = self.inline_budget() {
            let clock = self.clock();
            let began = clock.now();
            let mut is_first = true;
            self.work(|| std::mem::take(&mut is_first) || clock.now().since(began) < budget);
        }
    }

    /// Drops the workers that nobody will poll again. All others end by themselves.
    pub(crate) fn shut_down(&self) {
        discard(self.local_executor.lock().take_all(self.owner));
    }
}

fn discard(tasks: Vec<Task>) {
    for task in tasks {
        if let Err(message) = panics::discard(task) {
            tracing::warn!("dropping an unfinished generator panicked: {message}");
        }
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        if let Runtime::Simulated(simulation) = &self.runtime {
            discard(simulation.take_all(self.owner));
        }
    }
}

#[cfg(not(loom))]
fn recommended_threads() -> usize {
    recommended_pool_threads(available_cores())
}

#[cfg(not(loom))]
fn async_compute() -> &'static AsyncComputeTaskPool {
    AsyncComputeTaskPool::get_or_init(|| {
        TaskPoolBuilder::new()
            .num_threads(recommended_threads())
            .thread_name("Async Compute Task Pool".to_owned())
            .build()
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_recommended_pool_has_a_thread_and_usually_leaves_one() {
        let threads = [0, 1, 2, 3, 4, 5, 8, 16].map(recommended_pool_threads);
        assert_eq!(threads, [1, 1, 1, 2, 3, 4, 4, 8]);
    }
}
