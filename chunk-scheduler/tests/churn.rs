//! Real threads and few keys, which are refreshed, promoted, withdrawn and requested again while they run.

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
};

use chunk_scheduler::{
    Depths, Generator, Job, JobState, Lane, Runtime, Scheduler, SchedulerConfig,
};
use common::{FRAME, Near};

const KEYS: usize = 16;
const STEPS: usize = 100_000;

/// What the generator saw, to find overlapping and repeated attempts.
#[derive(Debug)]
struct Observations {
    starts: Vec<AtomicU32>,
    is_running: Vec<AtomicBool>,
    started_twice: AtomicUsize,
    ran_twice_at_once: AtomicUsize,
}

impl Observations {
    /// Generates a job, and counts what is wrong with it.
    fn work(&self, job: &Job<i32>) -> (i32, u64) {
        let key = usize::try_from(job.key()).expect("keys are positive");
        let version = job.version().get();
        let start = &self.starts[usize::try_from(version).expect("versions are few")];
        let was_started = start.fetch_add(1, Ordering::Relaxed) > 0;
        let was_running = self.is_running[key].swap(true, Ordering::AcqRel);
        for _ in 0..version % 64 {
            std::hint::spin_loop();
        }
        self.is_running[key].store(false, Ordering::Release);
        self.started_twice
            .fetch_add(usize::from(was_started), Ordering::Relaxed);
        self.ran_twice_at_once
            .fetch_add(usize::from(was_running), Ordering::Relaxed);
        (job.key(), version)
    }
}

/// Ticks, and waits for one result, however little the workers get of the machine. If a wake-up were lost this would wait
/// for ever.
fn tick(scheduler: &mut Scheduler<i32, (i32, u64), Near>, now: u32) {
    scheduler.tick(FRAME * now);
    let is_waiting = |depths: Depths| depths.completed == 0 && depths.queued + depths.in_flight > 0;
    while is_waiting(scheduler.depths()) {
        std::thread::yield_now();
    }
}

fn churn(threads: usize) {
    let observed = Arc::new(Observations {
        // At most one version for each step.
        starts: (0..=STEPS).map(|_| AtomicU32::new(0)).collect(),
        is_running: (0..KEYS).map(|_| AtomicBool::new(false)).collect(),
        started_twice: AtomicUsize::new(0),
        ran_twice_at_once: AtomicUsize::new(0),
    });
    let seen = Arc::clone(&observed);
    let config = SchedulerConfig {
        max_in_flight: threads,
        completed_capacity: 16,
        backlog_capacity: 8,
        urgent_reserve: 2,
        ..SchedulerConfig::default()
    };
    let runtime = Runtime::pool(common::pool(threads));
    let generator = Generator::new(move |job: &Job<i32>| seen.work(job));
    let mut scheduler = common::scheduler(config, generator, runtime, Near(0));
    let (mut applied, mut bits) = (0, 7_u64);
    let (mut shown, mut overtaken) = ([0; KEYS], Vec::new());
    let mut frame = |scheduler: &mut Scheduler<i32, (i32, u64), Near>, now: u32| {
        tick(scheduler, now);
        let mut ready = Vec::new();
        scheduler.drain(usize::MAX, |result| ready.push(result));
        for result in ready {
            let (key, version) = (result.key, result.version);
            assert_eq!(result.content, (key, version.get()));
            let slot = &mut shown[usize::try_from(key).expect("keys are positive")];
            // False where a newer version was finished during the drain, and delivered by it too.
            if scheduler.applied(key, version) {
                assert!(
                    *slot < version.get(),
                    "nothing older replaces something newer"
                );
                *slot = version.get();
                applied += 1;
            } else {
                overtaken.push((key, version));
            }
        }
        for (key, version) in overtaken.drain(..) {
            let slot = shown[usize::try_from(key).expect("keys are positive")];
            assert!(
                slot > version.get(),
                "a newer version of {key} took its place"
            );
        }
    };
    let mut now = 0;
    for _ in 0..STEPS {
        // A linear congruence is random enough to mix what follows.
        bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut draw = (bits >> 33) as usize;
        let mut one_of = |choices: usize| {
            let choice = draw % choices;
            draw /= choices;
            choice
        };
        let what = one_of(16);
        let key = i32::try_from(one_of(KEYS)).expect("there are few");
        let lane = Lane::ALL[one_of(3)];
        match what {
            0..6 => _ = scheduler.request_in(key, lane),
            6..9 => _ = scheduler.refresh_in(key, lane),
            9..12 => _ = scheduler.cancel(key),
            12 => scheduler.publish(Near(key)),
            // Results wait, so that a key has several versions.
            13..15 => {
                now += 1;
                tick(&mut scheduler, now);
                if scheduler.state(key) == Some(JobState::Completed) {
                    scheduler.refresh_in(key, lane);
                }
            }
            _ => {
                now += 1;
                frame(&mut scheduler, now);
            }
        }
    }
    while scheduler.depths().live() > 0 {
        now += 1;
        frame(&mut scheduler, now);
        std::thread::yield_now();
    }
    assert_eq!(scheduler.audit(), Ok(()));
    let counters = scheduler.counters();
    assert_eq!(counters.applied, applied);
    assert!(
        counters.stale > 20 && counters.cancelled > 100,
        "{counters:?}"
    );
    assert!(counters.applied > 1_000, "{counters:?}");
    assert_eq!(observed.started_twice.load(Ordering::Relaxed), 0);
    assert_eq!(observed.ran_twice_at_once.load(Ordering::Relaxed), 0);
}

#[test]
fn a_few_keys_churn_on_one_thread() {
    churn(1);
}

#[test]
fn a_few_keys_churn_on_two_threads() {
    churn(2);
}

#[test]
fn a_few_keys_churn_on_eight_threads() {
    churn(8);
}
