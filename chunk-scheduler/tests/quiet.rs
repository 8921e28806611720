//! I12: no worker is started that would find no job.

mod common;

use std::{
    sync::{Arc, Mutex},
    task::{Context, Waker},
};

use chunk_scheduler::{Generator, Job, Runtime, Scheduler, WorkerFuture};
use common::{FRAME, Near, in_flight, plain};

/// Workers in the order in which they were started, for the test to poll.
type Workers = Arc<Mutex<Vec<Option<WorkerFuture>>>>;

/// A scheduler whose generator never returns.
fn scheduler(max_in_flight: usize) -> (Scheduler<i32, i32, Near>, Workers) {
    let workers = Workers::default();
    let started = Arc::clone(&workers);
    let runtime = Runtime::custom(8, move |worker| {
        started
            .lock()
            .expect("no thread panicked")
            .push(Some(worker));
    });
    let generator = Generator::from_async(|_: Job<i32>| std::future::pending::<Result<_, &str>>());
    let scheduler = common::scheduler(in_flight(max_in_flight), generator, runtime, Near(0));
    (scheduler, workers)
}

fn poll(workers: &Workers, nth: usize) {
    let mut workers = workers.lock().expect("no thread panicked");
    let Some(worker) = &mut workers[nth] else {
        return;
    };
    let mut context = Context::from_waker(Waker::noop());
    if worker.as_mut().poll(&mut context).is_ready() {
        workers[nth] = None;
    }
}

fn started(workers: &Workers) -> usize {
    workers.lock().expect("no thread panicked").len()
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
    // The first worker abandons the attempt and starts the job that waited for it, without a tick. It may yield
    // between.
    poll(&workers, 0);
    poll(&workers, 0);
    assert_eq!(scheduler.depths().in_flight, 1);
}

#[test]
fn no_worker_is_started_after_one_that_has_done_all_jobs() {
    let started = Arc::new(Mutex::new(0));
    let count = Arc::clone(&started);
    // As on one core, where a worker that wakes may run before the main thread continues.
    let runtime = Runtime::custom(8, move |worker| {
        *count.lock().expect("no thread panicked") += 1;
        bevy_tasks::block_on(worker);
    });
    let mut scheduler = common::scheduler(in_flight(8), plain(), runtime, Near(0));
    for key in 0..100 {
        scheduler.request(key);
    }
    scheduler.tick(FRAME);
    assert_eq!(scheduler.depths().completed, 100);
    assert_eq!(*started.lock().expect("no thread panicked"), 1);
}
