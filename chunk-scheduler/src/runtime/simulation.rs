//! A deterministic executor: one seed, one virtual clock, the same trace every time.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use super::{
    clock::WorkClock,
    local_executor::{LocalExecutor, Task, WorkerFuture},
};
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

/// Runs workers by hand, in an order that a seed decides, on a clock that only moves when told.
///
/// For tests: every interleaving of picking, generating and finishing with what the main thread
/// does in between can be provoked, and a failing seed replays exactly. Clones share everything.
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
    /// A simulation whose choices follow from `seed`, with as many threads as there are workers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::with_threads(seed, usize::MAX)
    }

    /// The same, claiming to have `threads` threads. The number is what adaptive concurrency
    /// starts from and what [`Scheduler::pool_threads`](crate::Scheduler::pool_threads) says.
    #[must_use]
    pub fn with_threads(seed: u64, threads: usize) -> Self {
        Self {
            state: Arc::new(Mutex::new(State {
                local_executor: LocalExecutor::default(),
                random: seed,
                timers: BTreeMap::new(),
                timers_made: 0,
                stepping: 0,
                owners: 0,
                trace: Vec::new(),
            })),
            nanos: Arc::new(AtomicU64::new(0)),
            threads,
        }
    }

    /// Virtual time since the simulation began.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }

    /// Polls one worker that can make progress, chosen by the seed. False when there is none.
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
        // Not under the lock: a worker notes what it does, and a generator may sleep.
        if let Some(task) = task.step() {
            self.state.lock().local_executor.put_back(task);
        }
        true
    }

    /// Steps until no worker can make progress. Time stands still.
    pub fn run(&self) {
        while self.step() {}
    }

    /// Lets `duration` pass, stopping for every sleeper on the way and running what it wakes.
    pub fn advance(&self, duration: Duration) {
        let end = self.now() + duration;
        self.run();
        while let Some(waker) = self.next_timer(end) {
            waker.wake();
            self.run();
        }
        self.set_time(end);
    }

    /// Passes when the clock has moved on by `duration`; for generators that take their time.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        Sleep {
            simulation: self.clone(),
            until: self.now() + duration,
            is_registered: false,
        }
    }

    /// Everything that workers did so far: one line each for a start, a result, a fault, an
    /// abandoned attempt and a worker that leaves.
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

    /// A number for a scheduler's workers to be known by.
    pub(crate) fn new_owner(&self) -> u64 {
        let mut state = self.state.lock();
        state.owners += 1;
        state.owners
    }

    pub(crate) fn spawn(&self, owner: u64, future: WorkerFuture) {
        self.state.lock().local_executor.spawn(owner, future);
    }

    /// Takes out the workers of a scheduler that goes. They hold what they share with it, which
    /// holds this simulation: nobody else would ever let go of either.
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

    /// Moves the clock to the next sleeper that is due by `end` and takes its waker.
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

/// The finaliser of SplitMix64: spreads the bits of a counter.
pub(crate) fn scramble(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

struct Sleep {
    simulation: Simulation,
    until: Duration,
    is_registered: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.simulation.now() >= self.until {
            return Poll::Ready(());
        }
        if !self.is_registered {
            self.is_registered = true;
            let mut state = self.simulation.state.lock();
            state.timers_made += 1;
            let at = (self.until, state.timers_made);
            state.timers.insert(at, cx.waker().clone());
        }
        Poll::Pending
    }
}
