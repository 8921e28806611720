//! Real threads: nothing is lost, nothing happens twice, and no wake-up is missed.

mod common;

use std::{
    panic,
    sync::{
        Arc, Once,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bevy_tasks::AsyncComputeTaskPool;
use chunk_scheduler::{
    FnRank, Generator, Job, Runtime, Scheduler, SchedulerConfig, recommended_pool_threads,
};
use common::{FRAME, Near, attempts, in_flight, plain, pool};

/// The message of the expected panics, which the hook keeps out of the output.
const EXPECTED: &str = "one in twenty";

fn expect_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let default = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<&str>() != Some(&EXPECTED) {
                default(info);
            }
        }));
    });
}

fn scheduler<T: Send>(
    threads: usize,
    config: SchedulerConfig,
    generator: Generator<i32, T>,
) -> Scheduler<i32, T, Near> {
    let runtime = Runtime::pool(pool(threads));
    common::scheduler(config, generator, runtime, Near(0))
}

/// A third is cancelled in whatever state it happens to be in, one in twenty panics, and results are applied as they
/// come. Returns when everything has ended.
fn stress(threads: usize, jobs: i32) {
    expect_panics();
    let starts = Arc::new(AtomicU64::new(0));
    let started = Arc::clone(&starts);
    let generator = Generator::new(move |job: &Job<i32>| {
        starts.fetch_add(1, Ordering::Relaxed);
        assert!(job.key() % 20 != 7, "one in twenty");
        u64::from(job.key().unsigned_abs())
    });
    let config = SchedulerConfig {
        max_in_flight: threads,
        ..attempts(1)
    };
    let mut scheduler = scheduler(threads, config, generator);
    let (mut next, mut sum, mut frame) = (0, 0, 0);
    while next < jobs || scheduler.depths().live() > 0 {
        frame += 1;
        // So that the queue stays short enough to be ranked often.
        let has_room = scheduler.depths().queued < 4_000;
        let batch = if has_room { (jobs - next).min(997) } else { 0 };
        for key in next..next + batch {
            assert!(scheduler.request(key).is_new());
        }
        next += batch;
        if batch > 0 {
            scheduler.publish(Near(next));
        }
        scheduler.tick(FRAME * frame);
        for key in (next - batch..next).filter(|key| key % 10 < 3) {
            scheduler.cancel(key);
        }
        let mut ready = Vec::new();
        scheduler.drain(usize::MAX, |result| ready.push(result));
        for result in ready {
            assert_eq!(result.content, u64::from(result.key.unsigned_abs()));
            assert!(scheduler.applied(result.key, result.version));
            sum += 1;
        }
        if frame % 64 == 0 {
            scheduler
                .audit()
                .expect("the counters add up while it runs");
        }
        std::thread::yield_now();
    }
    scheduler.audit().expect("the counters add up");
    let counters = scheduler.counters();
    assert_eq!(counters.requested, u64::from(jobs.unsigned_abs()));
    assert_eq!(counters.applied, sum);
    assert_eq!(counters.stale + counters.retried, 0);
    let ended = counters.applied + counters.cancelled + counters.failed;
    assert_eq!(counters.requested, ended);
    let started = started.load(Ordering::Relaxed);
    assert!(counters.applied + counters.failed <= started);
    assert!(started <= counters.requested, "no job starts twice");
    let depths = scheduler.depths();
    let found = (depths.in_flight, depths.completed, depths.queued);
    assert_eq!(found, (0, 0, 0));
}

#[test]
fn a_million_jobs_on_one_thread() {
    stress(1, 1_000_000);
}

#[test]
fn a_million_jobs_on_two_threads() {
    stress(2, 1_000_000);
}

#[test]
fn a_million_jobs_on_eight_threads() {
    stress(8, 1_000_000);
}

/// Deadlock on 1–2 cores (Pumpkin 954).
#[test]
fn one_thread_serves_many_workers_and_the_other_users_of_its_pool() {
    let shared = pool(1);
    let generator = Generator::from_async(|job: Job<i32>| async move {
        job.checkpoint().await;
        Ok::<_, &str>(job.key())
    });
    let runtime = Runtime::pool(Arc::clone(&shared));
    let mut scheduler = common::scheduler(in_flight(16), generator, runtime, Near(0));
    let found = (scheduler.max_in_flight(), scheduler.pool_threads());
    assert_eq!(found, (16, 1));
    for key in 0..100_000 {
        scheduler.request(key);
    }
    scheduler.tick(FRAME);
    // Another user of the pool gets the thread while jobs are still queued.
    let (done, is_done) = std::sync::mpsc::channel();
    shared.spawn(async move { done.send(()) }).detach();
    assert_eq!(is_done.recv(), Ok(()));
    common::finish(&mut scheduler);
    assert_eq!(scheduler.counters().applied, 100_000);
}

#[test]
fn bevys_own_pool_is_made_when_it_is_missing() {
    let (config, runtime) = (SchedulerConfig::default(), Runtime::AsyncCompute);
    let mut scheduler = common::scheduler(config, plain(), runtime, Near(0));
    let cores = chunk_scheduler::available_cores();
    assert_eq!(scheduler.pool_threads(), recommended_pool_threads(cores));
    assert!(
        AsyncComputeTaskPool::try_get().is_none(),
        "the app may still make it with other options"
    );
    scheduler.request(1);
    scheduler.tick(FRAME);
    let made = AsyncComputeTaskPool::get().thread_num();
    assert_eq!(made, recommended_pool_threads(cores));
    let mut frame = 1;
    while scheduler.depths().completed == 0 {
        frame += 1;
        scheduler.tick(FRAME * frame);
    }
    assert_eq!(scheduler.drain(1, drop), 1);
}

#[test]
fn no_wake_up_is_lost_when_jobs_come_one_by_one() {
    let mut scheduler = scheduler(2, SchedulerConfig::default(), plain());
    for key in 0..20_000 {
        scheduler.request(key);
        // There is only one tick, so after a lost wake-up this would never end.
        scheduler.tick(FRAME);
        let mut ready = None;
        while ready.is_none() {
            scheduler.drain(1, |result| ready = Some(result.version));
            std::hint::spin_loop();
        }
        assert!(ready.is_some_and(|version| scheduler.applied(key, version)));
    }
}

#[test]
fn no_wake_up_is_lost_when_permits_come_one_by_one() {
    let config = SchedulerConfig {
        completed_capacity: 1,
        ..SchedulerConfig::default()
    };
    let mut scheduler = scheduler(2, config, plain());
    for key in 0..20_000 {
        scheduler.request(key);
    }
    // There is only one tick, so from here on only draining wakes workers.
    scheduler.tick(FRAME);
    let mut applied = 0;
    while applied < 20_000 {
        let mut ready = None;
        scheduler.drain(1, |result| ready = Some((result.key, result.version)));
        if let Some((key, version)) = ready {
            assert!(scheduler.applied(key, version));
            applied += 1;
        }
    }
}

#[test]
fn the_callers_own_executor_can_be_plain_threads() {
    let spawned = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&spawned);
    let runtime = Runtime::custom(4, move |worker| {
        count.fetch_add(1, Ordering::Relaxed);
        std::thread::spawn(|| bevy_tasks::block_on(worker));
    });
    let rank = FnRank(|key: &i32| *key);
    let mut scheduler = common::scheduler(in_flight(4), plain(), runtime, rank);
    for key in 0..5_000 {
        scheduler.request(key);
    }
    common::finish(&mut scheduler);
    assert!(spawned.load(Ordering::Relaxed) >= 1);
    assert_eq!(scheduler.counters().applied, 5_000);
}
