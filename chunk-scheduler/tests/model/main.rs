//! The scheduler against a naive reference, over random histories on a simulation. After every step both agree on
//! every counter, every depth, every start and every result.

mod reference;
mod workers;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chunk_scheduler::{
    GenerateError, Generator, Job, Lane, Rank, RetryPolicy, Scheduler, SchedulerConfig, Simulation,
    Version,
};
use proptest::prelude::*;
use reference::{Reference, distance};

/// Keys from here on are known to be empty.
const EMPTY_FROM: i32 = 50;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Near(i32);

impl Rank<i32> for Near {
    type Priority = u32;

    fn rank(&self, key: &i32) -> u32 {
        distance(*key, self.0)
    }
}

/// A step of the main thread or of the simulation.
#[derive(Clone, Debug)]
enum Step {
    Request(i32, Lane),
    Refresh(i32, Lane),
    Cancel(i32),
    /// The viewer moves.
    Publish(i32),
    Resize(usize),
    Tick,
    /// Steps of the simulation.
    Run(usize),
    Pass(Duration),
    Drain(usize),
    /// Begins to apply the nth result in the backlog.
    Begin(usize),
    /// Applies the nth result in the backlog.
    Apply(usize),
    ApplyFails(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let key = || prop_oneof![9 => 0..EMPTY_FROM, 1 => EMPTY_FROM..EMPTY_FROM + 8];
    let lane = || proptest::sample::select(&Lane::ALL[..]);
    prop_oneof![
        12 => (key(), lane()).prop_map(|(key, lane)| Step::Request(key, lane)),
        3 => (key(), lane()).prop_map(|(key, lane)| Step::Refresh(key, lane)),
        // A few keys that have several versions most of the time.
        6 => (0..10, lane()).prop_map(|(key, lane)| Step::Refresh(key, lane)),
        5 => key().prop_map(Step::Cancel),
        2 => (0..EMPTY_FROM).prop_map(Step::Publish),
        1 => (1..5_usize).prop_map(Step::Resize),
        6 => Just(Step::Tick),
        8 => (1..12_usize).prop_map(Step::Run),
        2 => (0..60_u64).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        4 => (0..8_usize).prop_map(Step::Drain),
        3 => any::<usize>().prop_map(Step::Begin),
        6 => any::<usize>().prop_map(Step::Apply),
        1 => any::<usize>().prop_map(Step::ApplyFails),
    ]
}

/// What a generator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Made,
    Panicked,
    Transient,
    Permanent,
    NotYet(Duration),
}

/// What the generator does when it is asked for the `ask`th time for one version of a key, in this attempt.
pub(crate) fn outcome(key: i32, version: Version, attempt: u32, ask: u32) -> Outcome {
    let wait = Duration::from_millis(u64::from(key.unsigned_abs() % 3) * 15);
    match key % 10 {
        3 => Outcome::Panicked,
        // Neither kind costs the attempts of the other.
        4 if ask % 2 == 1 => Outcome::NotYet(wait),
        4 => Outcome::Transient,
        5 => Outcome::Permanent,
        6 if attempt < 3 => Outcome::Transient,
        7 => Outcome::Transient,
        8 if ask < 4 => Outcome::NotYet(wait),
        // An older version has succeeded, perhaps.
        9 if version.get().is_multiple_of(3) => Outcome::Permanent,
        _ => Outcome::Made,
    }
}

/// The key decides what its generator does.
fn generator(simulation: &Simulation) -> Generator<i32, i32> {
    let simulation = simulation.clone();
    let asks = Arc::new(Mutex::new(BTreeMap::new()));
    Generator::from_async(move |job: Job<i32>| {
        let (key, attempt) = (job.key(), job.attempt());
        let mut asks = asks.lock().expect("no thread panicked");
        let ask = asks.entry(job.version()).or_insert(0);
        *ask += 1;
        let outcome = outcome(key, job.version(), attempt, *ask);
        let nap = simulation.sleep(Duration::from_millis(u64::from(key.unsigned_abs() % 4) * 5));
        async move {
            nap.await;
            match outcome {
                Outcome::Made => Ok(key),
                // Unlike `panic!`, this does not run the panic hook, which prints.
                Outcome::Panicked => std::panic::resume_unwind(Box::new("panicked")),
                Outcome::Transient => Err("try again".into()),
                Outcome::Permanent => Err(GenerateError::permanent("never")),
                Outcome::NotYet(wait) => Err(GenerateError::NotYet(wait)),
            }
        }
    })
    .with_known_empty(|key| (*key >= EMPTY_FROM).then_some(*key))
}

fn config() -> SchedulerConfig {
    SchedulerConfig {
        max_in_flight: 2,
        completed_capacity: 5,
        backlog_capacity: 4,
        urgent_reserve: 1,
        retry: RetryPolicy {
            max_attempts: 3,
            base_delay: Duration::from_millis(20),
            max_delay: Duration::from_millis(30),
            jitter: 0.0,
        },
        ..SchedulerConfig::default()
    }
}

struct Trial {
    simulation: Simulation,
    scheduler: Scheduler<i32, i32, Near>,
    reference: Reference,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let simulation = Simulation::new(seed);
        let generator = generator(&simulation);
        let scheduler = Scheduler::new(config(), generator, simulation.runtime(), Near(0))
            .expect("the configuration is valid");
        Self {
            reference: Reference::new(scheduler.config()),
            simulation,
            scheduler,
        }
    }

    fn take(&mut self, step: &Step) {
        let (scheduler, reference) = (&mut self.scheduler, &mut self.reference);
        match *step {
            Step::Request(key, lane) => {
                let requested = scheduler.request_in(key, lane);
                let is_empty = key >= EMPTY_FROM;
                reference.request(key, lane, is_empty, requested);
            }
            Step::Refresh(key, lane) => {
                let requested = scheduler.refresh_in(key, lane);
                reference.refresh(key, lane, key >= EMPTY_FROM, requested);
            }
            Step::Cancel(key) => assert_eq!(scheduler.cancel(key), reference.cancel(key)),
            Step::Publish(viewer) => {
                scheduler.publish(Near(viewer));
                reference.viewer = viewer;
            }
            Step::Resize(limit) => {
                scheduler.set_max_in_flight(limit).expect("it is valid");
                reference.next_limit = limit;
            }
            Step::Tick => {
                scheduler.tick(self.simulation.now());
                reference.tick(self.simulation.now());
            }
            Step::Run(steps) => {
                for _ in 0..steps {
                    self.simulation.step();
                    self.check();
                }
            }
            Step::Pass(duration) => self.simulation.advance(duration),
            Step::Drain(max) => {
                let mut keys = Vec::new();
                scheduler.drain(max, |result| {
                    assert_eq!(result.key, result.content);
                    keys.push((result.key, result.version));
                });
                assert_eq!(keys, reference.drain(max));
            }
            Step::Begin(nth) => {
                if let Some((key, version)) = reference.delivered(nth) {
                    assert_eq!(
                        scheduler.applying(key, version),
                        reference.begin(key, version)
                    );
                }
            }
            Step::Apply(nth) => {
                if let Some((key, version)) = reference.delivered(nth) {
                    assert_eq!(
                        scheduler.applied(key, version),
                        reference.apply(key, version)
                    );
                }
            }
            Step::ApplyFails(nth) => {
                if let Some((key, version)) = reference.delivered(nth) {
                    let will_retry = scheduler.apply_failed(key, version, "no room");
                    assert_eq!(will_retry, reference.apply_failed(key, version));
                }
            }
        }
        self.check();
    }

    fn check(&mut self) {
        self.reference.watch(&self.simulation.trace());
        self.scheduler.audit().expect("the counters add up");
        assert_eq!(self.scheduler.depths(), self.reference.depths());
        for key in 0..10 {
            let versions: Vec<_> = self.scheduler.live_versions(key).collect();
            assert_eq!(versions, self.reference.versions(key));
            assert!(versions.len() <= 4, "memory for each key is bounded (I4)");
        }
        let mut counters = self.scheduler.counters();
        // The reference has no clock, and does not know which workers were missing.
        counters.wasted_time = Duration::ZERO;
        counters.starts_refused = 0;
        assert_eq!(counters, self.reference.counters);
    }

    /// Every job ends, whatever the history.
    fn settle(&mut self) {
        for _ in 0..2_000 {
            if self.scheduler.depths().live() == 0 {
                return;
            }
            self.take(&Step::Tick);
            self.take(&Step::Pass(Duration::from_millis(10)));
            self.take(&Step::Drain(usize::MAX));
            for nth in 0..4 {
                self.take(&Step::Apply(nth));
            }
        }
        panic!("it never settles: {:?}", self.scheduler);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_agrees_with_the_reference(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..150),
    ) {
        let mut trial = Trial::new(seed);
        for step in &steps {
            trial.take(step);
        }
        trial.settle();
    }

    #[test]
    fn every_history_can_be_shut_down(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut trial = Trial::new(seed);
        for step in &steps {
            trial.take(step);
        }
        trial.scheduler.shutdown();
        let depths = trial.scheduler.depths();
        prop_assert_eq!(depths.live(), 0);
        prop_assert_eq!(trial.scheduler.audit(), Ok(()));
        trial.simulation.run();
        prop_assert_eq!(trial.scheduler.depths().live(), 0);
        prop_assert_eq!(trial.scheduler.audit(), Ok(()));
        prop_assert_eq!(trial.scheduler.drain(usize::MAX, drop), 0);
    }
}
