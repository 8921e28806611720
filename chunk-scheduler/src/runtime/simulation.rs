//! A deterministic executor with a virtual clock, for tests.

use std::{
    collections::BTreeMap,
    fmt,
    future::{Future, poll_fn},
    task::{Poll, Waker},
    time::Duration,
};

use super::{
    clock::WorkClock,
    local_executor::{LocalExecutor, Task, WorkerFuture},
};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

/// A deterministic executor for tests. A seed decides which worker is polled next, and a virtual clock moves only
/// when told.
///
/// Different seeds interleave the steps of workers and the main thread differently, and the same seed replays
/// exactly. Clones share all state.
///
/// ```
/// use chunk_scheduler::{FnRank, Generator, Job, Scheduler, SchedulerConfig, Simulation};
/// use std::time::Duration;
///
/// let simulation = Simulation::new(7);
/// let generator = Generator::new(|job: &Job<u32>| job.key() * 2);
/// let mut scheduler = Scheduler::new(
///     SchedulerConfig::default(),
///     generator,
///     simulation.runtime(),
///     FnRank(|key: &u32| *key),
/// )?;
/// scheduler.request(21);
/// scheduler.tick(simulation.now());
/// simulation.run();
/// let mut made = Vec::new();
/// scheduler.drain(usize::MAX, |delivered| made.push(delivered.content));
/// assert_eq!(made, [42]);
/// # Ok::<(), chunk_scheduler::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Simulation {
    state: Arc<Mutex<State>>,
    nanos: Arc<AtomicU64>,
    threads: usize,
}

#[derive(Default)]
struct State {
    local_executor: LocalExecutor,
    random: u64,
    timers: BTreeMap<(Duration, u64), Waker>,
    timers_made: u64,
    stepping: u64,
    owners: u64,
    trace: Vec<String>,
}

impl Simulation {
    /// A simulation with as many threads as there are workers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_threads(seed, usize::MAX)
    }

    /// A simulation that claims to have `threads` threads. Adaptive concurrency starts from that number, and
    /// [`Scheduler::pool_threads`](crate::Scheduler::pool_threads) returns it.
    #[must_use]
    pub fn with_threads(seed: u64, threads: usize) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                random: seed,
                ..State::default()
            })),
            nanos: Arc::new(AtomicU64::new(0)),
            threads,
        }
    }

    /// The virtual time since the simulation began.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    /// Polls one worker that can make progress, chosen by the seed. False where there is none.
    pub fn step(&self) -> bool {
        let task = {
            let mut state = self.state.lock();
            let ready = state.local_executor.ready();
            let nth = state.choose(ready);
            let Some(task) = state.local_executor.take(nth) else {
                return false;
            };
            state.stepping = task.number;
            task
        };
        // Without the lock, because the worker writes to the trace and the generator may set a timer.
        if let Some(task) = task.step() {
            self.state.lock().local_executor.put_back(task);
        }
        true
    }

    /// Steps until no worker can make progress. The clock stands still.
    pub fn run(&self) {
        while self.step() {}
    }

    /// Moves the clock by `duration`, at most to 584 years. It stops at each timer on the way, and runs the workers that this wakes.
    pub fn advance(&self, duration: Duration) {
        let end = self.now().saturating_add(duration);
        self.run();
        while let Some(waker) = self.next_timer(end) {
            waker.wake();
            self.run();
        }
        self.set_time(end);
    }

    /// A future that ends after `duration` of virtual time, for generators that take time.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (simulation, until) = (self.clone(), self.now().saturating_add(duration));
        let mut has_timer = false;
        poll_fn(move |cx| {
            if simulation.now() >= until {
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut has_timer, true) {
                let mut state = simulation.state.lock();
                state.timers_made += 1;
                let at = (until, state.timers_made);
                state.timers.insert(at, cx.waker().clone());
            }
            Poll::Pending
        })
    }

    /// What workers did so far: one line for each start, result, fault, abandoned attempt and exit of a worker.
    #[must_use]
    pub fn trace(&self) -> Vec<String> {
        self.state.lock().trace.clone()
    }

    pub(crate) fn note(&self, event: fmt::Arguments<'_>) {
        let now = self.now();
        let mut state = self.state.lock();
        let line = format!("{now:?} worker {}: {event}", state.stepping);
        state.trace.push(line);
    }

    /// A number that identifies the workers of one scheduler.
    pub(crate) fn new_owner(&self) -> u64 {
        let mut state = self.state.lock();
        state.owners += 1;
        state.owners
    }

    pub(crate) fn spawn(&self, owner: u64, future: WorkerFuture) {
        self.state.lock().local_executor.spawn(owner, future);
    }

    /// Takes out the workers of a scheduler that is dropped. Otherwise they would leak, because they hold the state
    /// that they share with the scheduler, which holds this simulation, which holds them.
    pub(crate) fn take_all(&self, owner: u64) -> Vec<Task> {
        self.state.lock().local_executor.take_all(owner)
    }

    pub(crate) fn threads(&self) -> usize {
        self.threads
    }

    pub(crate) fn clock(&self) -> WorkClock {
        WorkClock::Virtual(Arc::clone(&self.nanos))
    }

    fn set_time(&self, now: Duration) {
        let nanos = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.store(nanos, Ordering::Relaxed);
    }

    /// Moves the clock to the next timer that is due by `end`, and takes its waker.
    fn next_timer(&self, end: Duration) -> Option<Waker> {
        let (due, waker) = {
            let mut state = self.state.lock();
            let entry = state.timers.first_entry()?;
            let due = entry.key().0;
            if due > end {
                return None;
            }
            (due, entry.remove())
        };
        self.set_time(due);
        Some(waker)
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("now", &self.now())
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl State {
    /// A number below `len`, by SplitMix64.
    fn choose(&mut self, len: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let bits = scramble(self.random);
        let len = u64::try_from(len.max(1)).unwrap_or(1);
        usize::try_from(bits % len).unwrap_or(0)
    }
}

/// The finaliser of SplitMix64, which spreads the bits of a counter.
pub(crate) fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
