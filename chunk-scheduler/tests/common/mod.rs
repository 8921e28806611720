//! What the integration tests share.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary is a crate of its own and uses a part of this"
)]

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use chunk_scheduler::{
    Delivered, FnRank, Generator, Job, Rank, RetryPolicy, Runtime, Scheduler, SchedulerConfig,
    Simulation, Version,
};

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

/// A scheduler on a simulation, and the frame it is in.
#[derive(Debug)]
pub struct World<T: Send + 'static> {
    pub simulation: Simulation,
    pub scheduler: Scheduler<i32, T, Near>,
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
        let simulation = Simulation::new(seed);
        let generator = generator(&simulation);
        let scheduler = Scheduler::new(config, generator, simulation.runtime(), Near(0))
            .expect("the test's configuration is valid");
        Self {
            simulation,
            scheduler,
        }
    }

    /// Asks for each of the keys.
    pub fn request(&mut self, keys: impl IntoIterator<Item = i32>) {
        for key in keys {
            self.scheduler.request(key);
        }
    }

    pub fn tick(&mut self) {
        self.scheduler.tick(self.simulation.now());
        self.check();
    }

    /// One frame passes, with everything in it that can be done.
    pub fn frame(&mut self) {
        self.tick();
        self.simulation.advance(FRAME);
        self.check();
    }

    pub fn drain(&mut self) -> Vec<Delivered<i32, T>> {
        let mut delivered = Vec::new();
        self.scheduler
            .drain(usize::MAX, |result| delivered.push(result));
        self.check();
        delivered
    }

    /// Drains and applies; returns what was applied.
    pub fn apply(&mut self) -> Vec<(i32, Version)> {
        let ready = self.drain();
        let ids: Vec<_> = ready.iter().map(|d| (d.key, d.version)).collect();
        for (key, version) in &ids {
            assert!(self.scheduler.applied(*key, *version), "{key} was current");
        }
        self.check();
        ids
    }

    /// Frames until nothing is live; returns the keys in the order they were applied in.
    pub fn settle(&mut self) -> Vec<i32> {
        let mut applied = Vec::new();
        for _ in 0..100_000 {
            if self.scheduler.depths().live() == 0 {
                return applied;
            }
            self.frame();
            applied.extend(self.apply().into_iter().map(|(key, _)| key));
        }
        panic!("it never settles: {:?}", self.scheduler);
    }

    /// I1, after every step of every test.
    pub fn check(&self) {
        self.scheduler.audit().expect("the counters add up");
        let (counters, depths) = (self.scheduler.counters(), self.scheduler.depths());
        let ended = counters.applied + counters.cancelled + counters.stale + counters.failed;
        assert_eq!(counters.requested, ended + depths.live() as u64);
        let config = self.scheduler.config();
        assert!(depths.backlog <= config.backlog_capacity + config.urgent_reserve);
        assert!(depths.completed <= config.completed_capacity + config.urgent_reserve);
    }
}

/// Makes twice the key.
pub fn double(_: &Simulation) -> Generator<i32, i32> {
    Generator::new(|job: &Job<i32>| job.key() * 2)
}

/// Makes the key, in a frame's time.
pub fn napping(simulation: &Simulation) -> Generator<i32, i32> {
    let simulation = simulation.clone();
    Generator::from_async(move |job: Job<i32>| {
        let nap = simulation.sleep(FRAME);
        async move {
            nap.await;
            Ok::<_, &str>(job.key())
        }
    })
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

pub fn one_at_a_time() -> SchedulerConfig {
    SchedulerConfig {
        max_in_flight: 1,
        ..SchedulerConfig::default()
    }
}

/// Retries at the next tick, so that tests need not wait.
pub fn without_waiting() -> RetryPolicy {
    RetryPolicy {
        base_delay: Duration::ZERO,
        max_delay: Duration::ZERO,
        jitter: 0.0,
        ..RetryPolicy::default()
    }
}

/// Runs everything that is asked for within one tick, on this thread.
pub fn inline() -> Runtime {
    Runtime::Inline {
        budget: Duration::MAX,
    }
}

pub fn any_order<K>() -> FnRank<impl Fn(&K) -> u32 + Copy + Send + Sync + 'static> {
    FnRank(|_: &K| 0_u32)
}
