//! I12: nobody is started who would find nothing to do.

mod common;

use std::{
    sync::{Arc, Mutex},
    task::{Context, Waker},
};

use chunk_scheduler::{Generator, Job, Runtime, Scheduler, SchedulerConfig, WorkerFuture};
use common::{FRAME, Near};

/// Workers in the order they were started in, for the test to poll.
type Workers = Arc<Mutex<Vec<Option<WorkerFuture>>>>;

/// Generates nothing, ever.
fn scheduler(max_in_flight: usize) -> (Scheduler<i32, i32, Near>, Workers) {
    let workers = Workers::default();
    let started = Arc::clone(&workers);
    let runtime = Runtime::custom(8, move |worker| {
        started.lock().expect("nobody panicked").push(Some(worker));
    });
    let generator = Generator::from_async(|_: Job<i32>| std::future::pending::<Result<_, &str>>());
    let config = SchedulerConfig {
        max_in_flight,
        ..SchedulerConfig::default()
    };
    let scheduler =
        Scheduler::new(config, generator, runtime, Near(0)).expect("the configuration is valid");
    (scheduler, workers)
}

fn poll(workers: &Workers, nth: usize) {
    let mut workers = workers.lock().expect("nobody panicked");
    let Some(worker) = &mut workers[nth] else {
        return;
    };
    let mut context = Context::from_waker(Waker::noop());
    if worker.as_mut().poll(&mut context).is_ready() {
        workers[nth] = None;
    }
}

fn started(workers: &Workers) -> usize {
    workers.lock().expect("nobody panicked").len()
}

#[test]
fn a_job_that_waits_for_a_superseded_attempt_starts_no_worker_each_frame() {
    let (mut scheduler, workers) = scheduler(3);
    scheduler.request(1);
    scheduler.tick(FRAME);
    poll(&workers, 0);
    assert_eq!(scheduler.depths().in_flight, 1);
    scheduler.refresh(1);
    // The first worker is not polled, as if its generator computed for a long time.
    for frame in 2..50 {
        scheduler.tick(FRAME * frame);
        for newcomer in 1..started(&workers) {
            poll(&workers, newcomer);
        }
    }
    assert_eq!(scheduler.depths().queued, 1);
    assert!(started(&workers) <= 3, "{} workers", started(&workers));
    // It returns, and goes on with what waited for it, whoever ticks or not. Others may have the thread in between.
    poll(&workers, 0);
    poll(&workers, 0);
    assert_eq!(scheduler.depths().in_flight, 1);
}

#[test]
fn nobody_is_started_after_one_who_has_done_everything() {
    let started = Arc::new(Mutex::new(0));
    let count = Arc::clone(&started);
    // As where a pool's thread that wakes takes the core from the one that woke it.
    let runtime = Runtime::custom(8, move |worker| {
        *count.lock().expect("nobody panicked") += 1;
        bevy_tasks::block_on(worker);
    });
    let config = SchedulerConfig {
        max_in_flight: 8,
        ..SchedulerConfig::default()
    };
    let generator = Generator::new(|job: &Job<i32>| job.key());
    let mut scheduler =
        Scheduler::new(config, generator, runtime, Near(0)).expect("the configuration is valid");
    for key in 0..100 {
        scheduler.request(key);
    }
    scheduler.tick(FRAME);
    assert_eq!(scheduler.depths().completed, 100);
    assert_eq!(*started.lock().expect("nobody panicked"), 1);
}
