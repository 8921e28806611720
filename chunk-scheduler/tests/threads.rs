//! Real threads: nothing is lost, nothing happens twice, and nobody waits for ever.

mod common;

use std::{
    panic,
    sync::{
        Arc, Once,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use bevy_tasks::{AsyncComputeTaskPool, TaskPool, TaskPoolBuilder};
use chunk_scheduler::{
    FnRank, Generator, Job, RetryPolicy, Runtime, Scheduler, SchedulerConfig,
    recommended_pool_threads,
};
use common::{FRAME, Near, without_waiting};

/// What the unlucky generators below say; the hook keeps these panics out of the output.
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

fn pool(threads: usize) -> Arc<TaskPool> {
    Arc::new(TaskPoolBuilder::new().num_threads(threads).build())
}

fn scheduler<T: Send>(
    threads: usize,
    config: SchedulerConfig,
    generator: Generator<i32, T>,
) -> Scheduler<i32, T, Near> {
    Scheduler::new(config, generator, Runtime::Pool(pool(threads)), Near(0))
        .expect("the configuration is valid")
}

/// A third is cancelled in whatever state it happens to be in, one in twenty panics, and results
/// are applied as they come. Returns when everything has ended.
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
        retry: RetryPolicy {
            max_attempts: 1,
            ..without_waiting()
        },
        ..SchedulerConfig::default()
    };
    let mut scheduler = scheduler(threads, config, generator);
    let (mut next, mut sum, mut frame) = (0, 0, 0);
    while next < jobs || scheduler.depths().live() > 0 {
        frame += 1;
        // Whatever the order of the threads, the queue stays short enough to be re-ranked often.
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
                .expect("the counters add up in the middle of it");
        }
        std::thread::yield_now();
    }
    scheduler.audit().expect("the counters add up");
    let counters = scheduler.counters();
    assert_eq!(counters.requested, u64::from(jobs.unsigned_abs()));
    assert_eq!(counters.applied, sum);
    assert_eq!(counters.stale + counters.retried, 0);
    assert_eq!(
        counters.requested,
        counters.applied + counters.cancelled + counters.failed
    );
    assert!(counters.applied + counters.failed <= started.load(Ordering::Relaxed));
    assert!(
        started.load(Ordering::Relaxed) <= counters.requested,
        "nothing starts twice"
    );
    let depths = scheduler.depths();
    assert_eq!(
        (depths.in_flight, depths.completed, depths.queued),
        (0, 0, 0)
    );
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
fn one_thread_serves_many_worker_and_the_other_users_of_its_pool() {
    let shared = pool(1);
    let config = SchedulerConfig {
        max_in_flight: 16,
        ..SchedulerConfig::default()
    };
    let generator = Generator::from_async(|job: Job<i32>| async move {
        job.checkpoint().await;
        Ok::<_, &str>(job.key())
    });
    let runtime = Runtime::Pool(Arc::clone(&shared));
    let mut scheduler =
        Scheduler::new(config, generator, runtime, Near(0)).expect("the configuration is valid");
    assert_eq!(
        (scheduler.max_in_flight(), scheduler.pool_threads()),
        (16, 1)
    );
    for key in 0..100_000 {
        scheduler.request(key);
    }
    scheduler.tick(FRAME);
    // Another user of the pool gets the thread while there is still work for all of it.
    let (done, is_done) = std::sync::mpsc::channel();
    shared.spawn(async move { done.send(()) }).detach();
    assert_eq!(is_done.recv(), Ok(()));
    let mut frame = 1;
    while scheduler.depths().live() > 0 {
        frame += 1;
        scheduler.tick(FRAME * frame);
        let mut ready = Vec::new();
        scheduler.drain(usize::MAX, |result| {
            ready.push((result.key, result.version))
        });
        for (key, version) in ready {
            assert!(scheduler.applied(key, version));
        }
    }
    assert_eq!(scheduler.counters().applied, 100_000);
}

#[test]
fn bevys_own_pool_is_made_when_it_is_missing() {
    let generator = Generator::new(|job: &Job<i32>| job.key());
    let mut scheduler = Scheduler::new(
        SchedulerConfig::default(),
        generator,
        Runtime::AsyncCompute,
        Near(0),
    )
    .expect("the configuration is valid");
    let cores = chunk_scheduler::available_cores();
    assert_eq!(scheduler.pool_threads(), recommended_pool_threads(cores));
    assert_eq!(
        AsyncComputeTaskPool::get().thread_num(),
        scheduler.pool_threads()
    );
    scheduler.request(1);
    let mut frame = 0;
    while scheduler.depths().completed == 0 {
        frame += 1;
        scheduler.tick(FRAME * frame);
    }
    assert_eq!(scheduler.drain(1, drop), 1);
}

/// A schedule that only ticks while there is nothing on the workers must still see each result.
#[test]
fn no_wake_up_is_lost_when_work_comes_one_by_one() {
    let generator = Generator::new(|job: &Job<i32>| job.key());
    let mut scheduler = scheduler(2, SchedulerConfig::default(), generator);
    for key in 0..20_000 {
        scheduler.request(key);
        // One tick only: a lost wake-up would leave this waiting for ever.
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
fn no_wake_up_is_lost_when_places_come_one_by_one() {
    let generator = Generator::new(|job: &Job<i32>| job.key());
    let config = SchedulerConfig {
        completed_capacity: 1,
        ..SchedulerConfig::default()
    };
    let mut scheduler = scheduler(2, config, generator);
    for key in 0..20_000 {
        scheduler.request(key);
    }
    // One tick for all of them: from here on only draining makes room and wakes.
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
    let generator = Generator::new(|job: &Job<i32>| job.key());
    let config = SchedulerConfig {
        max_in_flight: 4,
        ..SchedulerConfig::default()
    };
    let rank = FnRank(|key: &i32| *key);
    let mut scheduler =
        Scheduler::new(config, generator, runtime, rank).expect("the configuration is valid");
    for key in 0..5_000 {
        scheduler.request(key);
    }
    let mut frame = 0;
    while scheduler.depths().live() > 0 {
        frame += 1;
        scheduler.tick(FRAME * frame);
        let mut ready = Vec::new();
        scheduler.drain(usize::MAX, |result| {
            ready.push((result.key, result.version))
        });
        for (key, version) in ready {
            assert!(scheduler.applied(key, version));
        }
    }
    assert!(spawned.load(Ordering::Relaxed) >= 1);
    assert_eq!(scheduler.counters().applied, 5_000);
}
