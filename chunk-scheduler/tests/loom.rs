//! Every interleaving of runners and the main thread, up to a number of preemptions, by the model
//! checker: `cargo xtask loom`.
#![cfg(loom)]

use chunk_scheduler::{FnRank, Generator, Job, Runtime, Scheduler, SchedulerConfig};
use loom::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use std::{
    future::Future,
    task::{Context, Waker},
    time::Duration,
};

type Stream<R> = Scheduler<u8, u8, R>;

/// Runs `model` under every schedule with at most two preemptions.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.max_branches = 20_000;
    builder.check(model);
}

/// Every runner is a thread of the model.
fn threads() -> Runtime {
    Runtime::custom(2, |mut work| {
        thread::spawn(move || {
            let mut context = Context::from_waker(Waker::noop());
            while work.as_mut().poll(&mut context).is_pending() {
                thread::yield_now();
            }
        });
    })
}

fn config(max_in_flight: usize) -> SchedulerConfig {
    SchedulerConfig {
        max_in_flight,
        completed_capacity: 1,
        ..SchedulerConfig::default()
    }
}

/// Frames until nothing is live; returns what arrived.
fn settle<R: chunk_scheduler::Rank<u8>>(scheduler: &mut Stream<R>) -> Vec<u8> {
    let mut arrived = Vec::new();
    while scheduler.depths().live() > 0 {
        scheduler.tick(Duration::ZERO);
        let mut ready = Vec::new();
        scheduler.drain(8, |delivered| ready.push(delivered));
        for delivered in ready {
            arrived.push(delivered.content);
            assert!(scheduler.applied(delivered.key, delivered.version));
        }
        thread::yield_now();
    }
    assert_eq!(scheduler.audit(), Ok(()));
    arrived
}

#[test]
fn no_wake_up_and_no_result_is_lost() {
    check(|| {
        let generator = Generator::new(|job: &Job<u8>| job.key());
        let rank = FnRank(|key: &u8| *key);
        let mut scheduler =
            Scheduler::new(config(1), generator, threads(), rank).expect("it is valid");
        // The second request meets a runner that is about to leave, or a full completed queue.
        scheduler.request(1);
        scheduler.tick(Duration::ZERO);
        scheduler.request(2);
        let mut arrived = settle(&mut scheduler);
        arrived.sort_unstable();
        assert_eq!(arrived, [1, 2]);
    });
}

#[test]
fn no_job_is_started_twice() {
    check(|| {
        let starts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&starts);
        let generator = Generator::new(move |job: &Job<u8>| {
            counter.fetch_add(1, Ordering::Relaxed);
            job.key()
        });
        let rank = FnRank(|key: &u8| *key);
        let mut scheduler =
            Scheduler::new(config(2), generator, threads(), rank).expect("it is valid");
        scheduler.request(1);
        scheduler.request(2);
        assert_eq!(settle(&mut scheduler).len(), 2);
        assert_eq!(starts.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_cancelled_job_never_arrives_whatever_it_was_doing() {
    check(|| {
        let generator = Generator::new(|job: &Job<u8>| job.key());
        let rank = FnRank(|key: &u8| *key);
        let mut scheduler =
            Scheduler::new(config(1), generator, threads(), rank).expect("it is valid");
        scheduler.request(1);
        scheduler.tick(Duration::ZERO);
        assert!(scheduler.cancel(1));
        assert!(settle(&mut scheduler).is_empty());
        scheduler.drain(8, |_| panic!("it was cancelled"));
    });
}
