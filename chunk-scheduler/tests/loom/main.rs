//! Every interleaving of workers and the main thread, up to a number of preemptions, by the model
//! checker: `cargo xtask loom`.
//!
//! A model must be able to fail, so none of them repairs what it looks for: work is handed over by
//! a fixed number of ticks, and then the workers are left to themselves until all of them are gone.
//! Only draining may start others, as it does in a game. What is live then was lost.
#![cfg(loom)]

mod harness;

use chunk_scheduler::{FnRank, Generator, Job, JobState, Lane, RetryPolicy, SchedulerConfig};
use harness::{Model, check, config, one_place};
use loom::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};
use std::time::Duration;

/// Returns its key.
fn plain() -> Generator<u8, u8> {
    Generator::new(|job: &Job<u8>| job.key())
}

fn sorted(mut keys: Vec<u8>) -> Vec<u8> {
    keys.sort_unstable();
    keys
}

#[test]
fn no_wake_up_is_lost_when_work_meets_a_worker_that_leaves() {
    check(2, || {
        let mut model = Model::new(config(1), plain());
        model.scheduler.request(1);
        model.tick();
        model.scheduler.request(2);
        model.tick();
        // Before anything is drained, because a drain starts workers too.
        model.join();
        assert_eq!(model.scheduler.depths().completed, 2);
        assert_eq!(sorted(model.settle()), [1, 2]);
    });
}

#[test]
fn no_wake_up_is_lost_when_a_drain_meets_a_worker_without_a_place() {
    check(2, || {
        let mut model = Model::new(one_place(), plain());
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        let mut arrived = model.drain();
        model.join();
        // The place that was given back is used, or it never was given back.
        assert_eq!(model.scheduler.depths().completed, 1);
        arrived.extend(model.settle());
        assert_eq!(arrived, [1, 2]);
    });
}

#[test]
fn no_job_is_started_twice() {
    check(2, || {
        let starts = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let counters = Arc::clone(&starts);
        let generator = Generator::new(move |job: &Job<u8>| {
            counters[usize::from(job.key())].fetch_add(1, Ordering::Relaxed);
            job.key()
        });
        let mut model = Model::new(config(2), generator);
        model.scheduler.request(0);
        model.scheduler.request(1);
        model.tick();
        assert_eq!(sorted(model.settle()), [0, 1]);
        for starts in starts.iter() {
            assert_eq!(starts.load(Ordering::Relaxed), 1);
        }
    });
}

#[test]
fn a_cancelled_job_never_arrives_and_gives_its_place_back() {
    check(2, || {
        let mut model = Model::new(one_place(), plain());
        model.scheduler.request(1);
        model.tick();
        assert!(model.scheduler.cancel(1));
        model.scheduler.request(2);
        model.tick();
        assert_eq!(model.settle(), [2]);
    });
}

#[test]
fn a_refresh_of_a_running_job_runs_after_it_and_only_the_new_one_arrives() {
    check(2, || {
        let running = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&running);
        let generator = Generator::new(move |job: &Job<u8>| {
            assert_eq!(counter.fetch_add(1, Ordering::Relaxed), 0, "twice at once");
            thread::yield_now();
            counter.fetch_sub(1, Ordering::Relaxed);
            u8::try_from(job.version().get()).expect("there are few")
        });
        let mut model = Model::new(config(2), generator);
        let old = model.scheduler.request(1).version();
        model.tick();
        let new = model.scheduler.refresh(1);
        model.tick();
        let arrived = model.settle();
        assert!(new > old);
        assert_eq!(
            arrived.iter().map(|it| u64::from(*it)).collect::<Vec<_>>(),
            [new.get()]
        );
    });
}

#[test]
fn a_promoted_job_starts_once_whichever_entry_is_found_first() {
    check(2, || {
        let starts = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&starts);
        let generator = Generator::new(move |job: &Job<u8>| {
            counter.fetch_add(1, Ordering::Relaxed);
            job.key()
        });
        let mut model = Model::new(config(1), generator);
        model.scheduler.request(1);
        model.tick();
        assert!(!model.scheduler.request_in(1, Lane::Urgent).is_new());
        model.tick();
        assert_eq!(model.settle(), [1]);
        assert_eq!(starts.load(Ordering::Relaxed), 1);
    });
}

/// The generator waits for ever: unless the cancellation reaches it the worker never ends.
#[test]
fn a_cancellation_reaches_a_generator_that_is_about_to_wait() {
    check(2, || {
        let generator = Generator::from_async(|job: Job<u8>| async move {
            std::future::pending::<()>().await;
            Ok::<_, &str>(job.key())
        });
        let mut model = Model::new(config(1), generator);
        model.scheduler.request(1);
        model.tick();
        assert!(model.scheduler.cancel(1));
        assert!(model.settle().is_empty());
    });
}

#[test]
fn a_fault_is_judged_once_and_its_job_comes_back() {
    check(2, || {
        let generator = Generator::fallible(|job: &Job<u8>| match job.attempt() {
            1 => Err("not yet"),
            _ => Ok(job.key()),
        });
        let config = SchedulerConfig {
            retry: RetryPolicy {
                max_attempts: 2,
                base_delay: Duration::ZERO,
                max_delay: Duration::ZERO,
                jitter: 0.0,
            },
            ..one_place()
        };
        let mut model = Model::new(config, generator);
        model.scheduler.request(1);
        model.tick();
        // This one may come before, during or after the fault, and the next one after it.
        model.tick();
        model.join();
        model.tick();
        assert_eq!(model.settle(), [1]);
        assert_eq!(model.scheduler.counters().retried, 1);
        assert_eq!(model.scheduler.failures().count(), 1);
    });
}

/// What a worker picks after a snapshot was published follows that snapshot (I5).
#[test]
fn a_snapshot_counts_from_the_next_pick_on() {
    check(2, || {
        let is_published = Arc::new(AtomicUsize::new(0));
        let starts = Arc::new(Mutex::new(Vec::new()));
        let (seen, noted) = (Arc::clone(&is_published), Arc::clone(&starts));
        let generator = Generator::new(move |job: &Job<u8>| {
            let was_published = seen.load(Ordering::Acquire) == 1;
            let mut starts = noted.lock().expect("no thread panicked");
            starts.push((job.key(), was_published));
            job.key()
        });
        let mut model = Model::new(
            SchedulerConfig {
                completed_capacity: 3,
                ..config(1)
            },
            generator,
        );
        for key in [1, 2, 3] {
            model.scheduler.request(key);
        }
        model.tick();
        model.scheduler.publish(FnRank(|key| u8::MAX - *key));
        is_published.store(1, Ordering::Release);
        assert_eq!(sorted(model.settle()), [1, 2, 3]);
        let starts = starts.lock().expect("no thread panicked");
        for (at, pair) in starts.windows(2).enumerate() {
            let ((_, was_published), (next, _)) = (pair[0], pair[1]);
            let rest = starts[at + 1..].iter().map(|(key, _)| *key);
            if was_published {
                assert_eq!(Some(next), rest.max(), "{starts:?}");
            }
        }
    });
}

#[test]
fn shutting_down_ends_every_job_and_every_worker() {
    check(2, || {
        let mut model = Model::new(config(1), plain());
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        model.scheduler.shutdown();
        model.join();
        assert_eq!(model.scheduler.counters().cancelled, 2);
        assert_eq!(model.scheduler.depths().live(), 0);
        assert_eq!(model.scheduler.audit(), Ok(()));
        assert!(model.drain().is_empty());
    });
}

#[test]
fn two_worker_and_one_place_lose_nothing() {
    check(2, || {
        let config = SchedulerConfig {
            completed_capacity: 1,
            ..config(2)
        };
        let mut model = Model::new(config, plain());
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        let mut arrived = model.drain();
        arrived.extend(model.settle());
        assert_eq!(sorted(arrived), [1, 2]);
    });
}

/// The only permit is taken by a result that nobody drains, and the worker is about to leave.
#[test]
fn an_edit_that_meets_a_worker_without_a_place_is_not_lost() {
    check(2, || {
        let mut model = Model::new(one_place(), plain());
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        model.scheduler.request_in(3, Lane::Urgent);
        model.tick();
        model.join();
        assert_eq!(model.scheduler.state(3), Some(JobState::Completed));
        let mut arrived = model.drain();
        assert_eq!(arrived[0], 3, "it overtakes what was finished before");
        arrived.extend(model.settle());
        assert_eq!(sorted(arrived), [1, 2, 3]);
    });
}
