//! The rig of the integration tests: a scheduler on a simulation, its usual generators, and configurations.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary is a crate of its own and uses a part of this"
)]

use std::{
    fmt::Debug,
    io::{self, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bevy_tasks::{TaskPool, TaskPoolBuilder};
use chunk_scheduler::{
    Delivered, Failure, FnRank, Generator, Job, LiveStatus, Rank, RetryPolicy, Runtime, Scheduler,
    SchedulerConfig, Simulation, Status, Version,
};
use tracing_subscriber::fmt::MakeWriter;

pub const FRAME: Duration = Duration::from_millis(16);

/// Nearest to a viewer on a line.
#[derive(Clone, Copy, Debug)]
pub struct Near(pub i32);

impl Rank<i32> for Near {
    type Priority = u64;

    fn rank(&self, key: &i32) -> u64 {
        u64::from(key.abs_diff(self.0))
    }
}

/// The same priority for all keys.
pub fn any_order<K>() -> FnRank<impl Fn(&K) -> u32 + Copy + Send + Sync + 'static> {
    FnRank(|_: &K| 0_u32)
}

/// A scheduler on a simulation. Every method checks that the counters add up.
#[derive(Debug)]
pub struct World<T: Send + 'static, R: Rank<i32> = Near> {
    pub simulation: Simulation,
    pub scheduler: Scheduler<i32, T, R>,
    /// What was told after each tick.
    pub failures: Vec<Failure<i32>>,
}

impl<T: Send + 'static> World<T> {
    pub fn new(
        config: SchedulerConfig,
        generator: impl FnOnce(&Simulation) -> Generator<i32, T>,
    ) -> Self {
        Self::seeded(1, config, generator)
    }

    pub fn seeded(
        seed: u64,
        config: SchedulerConfig,
        generator: impl FnOnce(&Simulation) -> Generator<i32, T>,
    ) -> Self {
        Self::ranked(seed, config, generator, Near(0))
    }
}

impl<T: Send + 'static, R: Rank<i32>> World<T, R> {
    pub fn ranked(
        seed: u64,
        config: SchedulerConfig,
        generator: impl FnOnce(&Simulation) -> Generator<i32, T>,
        rank: R,
    ) -> Self {
        let simulation = Simulation::new(seed);
        let generator = generator(&simulation);
        let scheduler = scheduler(config, generator, simulation.runtime(), rank);
        Self {
            simulation,
            scheduler,
            failures: Vec::new(),
        }
    }

    /// Requests each of the keys.
    pub fn request(&mut self, keys: impl IntoIterator<Item = i32>) {
        for key in keys {
            self.scheduler.request(key);
        }
    }

    /// Cancels each of the keys. Returns how many of them had a live job.
    pub fn cancel(&mut self, keys: impl IntoIterator<Item = i32>) -> usize {
        let cancelled = keys.into_iter().filter(|key| self.scheduler.cancel(*key));
        cancelled.count()
    }

    pub fn tick(&mut self) {
        self.scheduler.tick(self.simulation.now());
        self.failures.extend(self.scheduler.failures());
        self.check();
    }

    /// Up to `count` steps of the simulation.
    pub fn steps(&self, count: usize) {
        for _ in 0..count {
            self.simulation.step();
        }
    }

    /// A tick, and then a frame's time in which the workers run.
    pub fn frame(&mut self) {
        self.tick();
        self.simulation.advance(FRAME);
        self.check();
    }

    pub fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.frame();
        }
    }

    pub fn drain(&mut self) -> Vec<Delivered<i32, T>> {
        let mut delivered = Vec::new();
        self.scheduler
            .drain(usize::MAX, |result| delivered.push(result));
        self.check();
        delivered
    }

    /// Drains up to `max` results, and leaves them in the backlog. Returns their keys.
    pub fn drain_keys(&mut self, max: usize) -> Vec<i32> {
        let mut keys = Vec::new();
        self.scheduler.drain(max, |result| keys.push(result.key));
        self.check();
        keys
    }

    /// Reports delivered results as applied.
    pub fn applied(&mut self, results: impl IntoIterator<Item = Delivered<i32, T>>) {
        for result in results {
            assert!(self.scheduler.applied(result.key, result.version));
        }
        self.check();
    }

    /// Drains and applies. Returns what was applied.
    pub fn apply(&mut self) -> Vec<(i32, Version)> {
        let ready = self.drain();
        let applied = ready.iter().map(|it| (it.key, it.version)).collect();
        self.applied(ready);
        applied
    }

    /// Drains and applies. Returns the keys of what was applied.
    pub fn apply_keys(&mut self) -> Vec<i32> {
        self.apply().into_iter().map(|(key, _)| key).collect()
    }

    /// Runs frames until no job is live. Returns the keys in the order in which they were applied.
    pub fn settle(&mut self) -> Vec<i32> {
        let mut applied = Vec::new();
        for _ in 0..100_000 {
            if self.scheduler.depths().live() == 0 {
                return applied;
            }
            self.frame();
            applied.extend(self.apply_keys());
        }
        panic!("it never settles: {:?}", self.scheduler);
    }

    pub fn quarantined(&self) -> Vec<i32> {
        self.scheduler.quarantined().map(|it| it.key).collect()
    }

    /// The status of a key whose job is live.
    pub fn live(&self, key: i32) -> LiveStatus {
        match self.scheduler.explain(key).status {
            Status::Live(live) => live,
            other => panic!("{key} is not live: {other:?}"),
        }
    }

    /// I1, and the bounds of the configuration.
    pub fn check(&self) {
        self.scheduler.audit().expect("the counters add up");
        let (counters, depths) = (self.scheduler.counters(), self.scheduler.depths());
        let ended = counters.applied + counters.cancelled + counters.stale + counters.failed;
        assert_eq!(counters.requested, ended + depths.live() as u64);
        let config = self.scheduler.config();
        let most = |capacity: usize| capacity.saturating_add(config.urgent_reserve);
        assert!(depths.backlog <= most(config.backlog_capacity));
        assert!(depths.completed <= most(config.completed_capacity));
    }
}

/// What was logged.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn lines(&self) -> Vec<String> {
        let bytes = self.0.lock().expect("no thread panicked").clone();
        let text = String::from_utf8(bytes).expect("a log is text");
        text.lines().map(str::to_owned).collect()
    }

    /// Runs `work` with everything of level info and above written here.
    pub fn record(&self, work: impl FnOnce()) {
        self.record_from(tracing::Level::INFO, work);
    }

    pub fn record_from(&self, level: tracing::Level, work: impl FnOnce()) {
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_max_level(level)
            .with_writer(self.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, work);
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no thread panicked").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

pub fn scheduler<T: Send, R: Rank<i32>>(
    config: SchedulerConfig,
    generator: Generator<i32, T>,
    runtime: Runtime,
    rank: R,
) -> Scheduler<i32, T, R> {
    Scheduler::new(config, generator, runtime, rank).expect("the configuration is valid")
}

/// Drains and applies. Returns the keys of what was applied.
pub fn apply<T: Send, R: Rank<i32>>(scheduler: &mut Scheduler<i32, T, R>) -> Vec<i32> {
    let mut ready = Vec::new();
    scheduler.drain(usize::MAX, |result| {
        ready.push((result.key, result.version));
    });
    for (key, version) in &ready {
        assert!(scheduler.applied(*key, *version));
    }
    ready.into_iter().map(|(key, _)| key).collect()
}

/// Ticks and applies until no job is live.
pub fn finish<T: Send, R: Rank<i32>>(scheduler: &mut Scheduler<i32, T, R>) {
    let mut frame = 0;
    while scheduler.depths().live() > 0 {
        frame += 1;
        scheduler.tick(FRAME * frame);
        apply(scheduler);
    }
}

/// Makes the key.
pub fn plain() -> Generator<i32, i32> {
    Generator::new(|job: &Job<i32>| job.key())
}

/// Makes twice the key.
pub fn double(_: &Simulation) -> Generator<i32, i32> {
    Generator::new(|job: &Job<i32>| job.key() * 2)
}

/// Makes the key, in a time that depends on it.
pub fn taking(
    time: impl Fn(i32) -> Duration + Send + Sync + 'static,
) -> impl FnOnce(&Simulation) -> Generator<i32, i32> {
    move |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            let sleep = simulation.sleep(time(job.key()));
            async move {
                sleep.await;
                Ok::<_, &str>(job.key())
            }
        })
    }
}

/// Makes the key, in the time of a frame.
pub fn taking_a_frame(simulation: &Simulation) -> Generator<i32, i32> {
    taking(|_| FRAME)(simulation)
}

/// How many jobs were started.
#[derive(Clone, Debug, Default)]
pub struct Starts(Arc<AtomicUsize>);

impl Starts {
    /// Makes the key, and counts.
    pub fn counted(&self) -> impl FnOnce(&Simulation) -> Generator<i32, i32> + use<> {
        let count = Arc::clone(&self.0);
        move |_| {
            Generator::new(move |job: &Job<i32>| {
                count.fetch_add(1, Ordering::Relaxed);
                job.key()
            })
        }
    }

    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

pub fn in_flight(max_in_flight: usize) -> SchedulerConfig {
    SchedulerConfig {
        max_in_flight,
        ..SchedulerConfig::default()
    }
}

pub fn one_at_a_time() -> SchedulerConfig {
    in_flight(1)
}

/// One job at a time, and capacities for results.
pub fn bounded(completed_capacity: usize, backlog_capacity: usize) -> SchedulerConfig {
    SchedulerConfig {
        completed_capacity,
        backlog_capacity,
        ..one_at_a_time()
    }
}

/// One job at a time, with `max_attempts`, which are retried at the next tick.
pub fn attempts(max_attempts: u32) -> SchedulerConfig {
    SchedulerConfig {
        retry: RetryPolicy {
            max_attempts,
            base_delay: Duration::ZERO,
            max_delay: Duration::ZERO,
            jitter: 0.0,
        },
        ..one_at_a_time()
    }
}

/// Runs all jobs within one tick, on this thread.
pub fn inline() -> Runtime {
    Runtime::Inline {
        budget: Duration::MAX,
    }
}

pub fn pool(threads: usize) -> Arc<TaskPool> {
    Arc::new(TaskPoolBuilder::new().num_threads(threads).build())
}
