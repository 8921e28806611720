//! Where workers run.

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

/// Where the work is done. Whatever is chosen, the same workers do it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Runtime {
    /// Bevy's [`AsyncComputeTaskPool`]; the default where there are threads. If nobody has made
    /// the pool yet it is made with [`recommended_pool_threads`].
    #[cfg(not(loom))]
    AsyncCompute,
    /// A pool of one's own.
    #[cfg(not(loom))]
    Pool(Arc<TaskPool>),
    /// No threads: [`Scheduler::tick`](crate::Scheduler::tick) runs jobs until `budget` is spent,
    /// at least one step each time. A generator that does not return holds up the frame; an async
    /// one gives way at each await. The default in a browser.
    Inline {
        /// How long one tick may work. 4 ms by default.
        budget: Duration,
    },
    /// The caller's executor, see [`Runtime::custom`].
    Custom(CustomRuntime),
    /// A [`Simulation`], see [`Simulation::runtime`].
    Simulated(Simulation),
}

impl Runtime {
    /// An executor of one's own: `spawn` must see to it that each future is polled, on any thread,
    /// until it ends. `threads` is how many of them can be at work at the same time.
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

/// The caller's executor, made by [`Runtime::custom`].
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

/// How many threads to give to generating on a machine with `cores` cores: all but one up to five
/// cores, then half of them, and always at least one.
///
/// Bevy gives its async-compute pool a quarter of the cores, which is a single thread on any
/// machine of up to five. To use this number instead, set the pool's options before the app runs
/// (chunk-apply's `streaming_pool_options` are these):
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

/// The cores this process may use, at least 1.
#[must_use]
pub fn available_cores() -> usize {
    #[cfg(not(loom))]
    return bevy_tasks::available_parallelism();
    #[cfg(loom)]
    1
}

/// A runtime in use.
#[derive(Debug)]
pub(crate) enum Executor {
    #[cfg(not(loom))]
    AsyncCompute,
    /// Optional only so that it can be taken out when the executor goes.
    #[cfg(not(loom))]
    Pool(Option<Arc<TaskPool>>),
    Inline {
        local_executor: Mutex<LocalExecutor>,
        budget: Duration,
    },
    Custom(CustomRuntime),
    Simulated {
        simulation: Simulation,
        owner: u64,
    },
}

impl Executor {
    pub(crate) fn new(runtime: Runtime) -> Self {
        match runtime {
            #[cfg(not(loom))]
            Runtime::AsyncCompute => Self::AsyncCompute,
            #[cfg(not(loom))]
            Runtime::Pool(pool) => Self::Pool(Some(pool)),
            Runtime::Inline { budget } => Self::Inline {
                local_executor: Mutex::new(LocalExecutor::default()),
                budget,
            },
            Runtime::Custom(custom) => Self::Custom(custom),
            Runtime::Simulated(simulation) => Self::Simulated {
                owner: simulation.new_owner(),
                simulation,
            },
        }
    }

    /// How many workers can be at work at the same time.
    pub(crate) fn threads(&self) -> usize {
        match self {
            #[cfg(not(loom))]
            Self::AsyncCompute => async_compute().thread_num(),
            #[cfg(not(loom))]
            Self::Pool(pool) => pool.as_ref().map_or(0, |pool| pool.thread_num()),
            Self::Inline { .. } => 1,
            Self::Custom(custom) => custom.threads,
            Self::Simulated { simulation, .. } => simulation.threads(),
        }
    }

    pub(crate) fn clock(&self) -> WorkClock {
        match self {
            Self::Simulated { simulation, .. } => simulation.clock(),
            _ => WorkClock::real(),
        }
    }

    pub(crate) fn simulation(&self) -> Option<Simulation> {
        match self {
            Self::Simulated { simulation, .. } => Some(simulation.clone()),
            _ => None,
        }
    }

    /// Whether workers must give way after every step.
    pub(crate) fn is_stepwise(&self) -> bool {
        matches!(self, Self::Inline { .. } | Self::Simulated { .. })
    }

    pub(crate) fn spawn(&mut self, future: WorkerFuture) {
        match self {
            #[cfg(not(loom))]
            Self::AsyncCompute => async_compute().spawn(future).detach(),
            #[cfg(not(loom))]
            Self::Pool(pool) => {
                if let Some(pool) = pool {
                    pool.spawn(future).detach();
                }
            }
            Self::Inline { local_executor, .. } => local_executor.owned().spawn(0, future),
            Self::Custom(custom) => (custom.spawn)(future),
            Self::Simulated { simulation, owner } => simulation.spawn(*owner, future),
        }
    }

    /// Does the work that no thread does, within the budget.
    pub(crate) fn work(&mut self, clock: &WorkClock) {
        let Self::Inline {
            local_executor,
            budget,
        } = self
        else {
            return;
        };
        let mut local_executor = local_executor.owned();
        let began = clock.now();
        while let Some(task) = local_executor.take_next() {
            if let Some(task) = task.step() {
                local_executor.put_back(task);
            }
            if clock.now().since(began) >= *budget {
                break;
            }
        }
    }

    /// Lets go of the workers that nobody will poll again. All others end by themselves.
    pub(crate) fn shut_down(&mut self) {
        if let Self::Inline { local_executor, .. } = self {
            discard(local_executor.owned().take_all(0));
        }
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
        match self {
            #[cfg(not(loom))]
            Self::Pool(pool) => pool.take().map_or((), let_go_of),
            Self::Simulated { simulation, owner } => discard(simulation.take_all(*owner)),
            _ => {}
        }
    }
}

/// Dropping the last handle of a pool joins its threads, and a generator that blocks would then
/// block the caller. So the joining is left to a thread that nobody waits for.
#[cfg(not(loom))]
fn let_go_of(pool: Arc<TaskPool>) {
    if Arc::strong_count(&pool) > 1 {
        return;
    }
    let reaper = std::thread::Builder::new().name("chunk-scheduler reaper".to_owned());
    if let Err(error) = reaper.spawn(move || drop(pool)) {
        tracing::warn!("the pool had to be joined in place: {error}");
    }
}

#[cfg(not(loom))]
fn async_compute() -> &'static AsyncComputeTaskPool {
    AsyncComputeTaskPool::get_or_init(|| {
        TaskPoolBuilder::new()
            .num_threads(recommended_pool_threads(available_cores()))
            .thread_name("Async Compute Task Pool".to_owned())
            .build()
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_thread_to_generate_on_and_usually_one_left() {
        let threads = [0, 1, 2, 3, 4, 5, 8, 16].map(recommended_pool_threads);
        assert_eq!(threads, [1, 1, 1, 2, 3, 4, 4, 8]);
    }
}
