//! Every interleaving of workers and the main thread, up to a number of preemptions: `cargo xtask loom`.
//!
//! A model must be able to fail, so none repairs what it looks for: a fixed number of ticks submits jobs, and then
//! the workers run until all of them have exited. Only draining starts others, as it does in a game. Jobs that are
//! live then were lost.
#![cfg(loom)]

mod harness;
mod layers;
#[cfg(feature = "store")]
mod store;

use chunk_scheduler::{
    FnRank, GenerateError, Generator, Job, JobState, Lane, RetryPolicy, SchedulerConfig, Verdict,
};
use harness::{Model, check, config, one_permit};
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
fn no_wake_up_is_lost_when_a_job_is_submitted_while_a_worker_exits() {
    check(2, || {
        let mut model = Model::new(config(1), plain());
        model.scheduler.request(1);
        model.tick();
        model.scheduler.request(2);
        model.tick();
        // Before a drain, because that starts workers too.
        model.join();
        assert_eq!(model.scheduler.depths().completed, 2);
        assert_eq!(sorted(model.settle()), [1, 2]);
    });
}

#[test]
fn no_wake_up_is_lost_when_a_drain_frees_a_permit_while_a_worker_exits() {
    check(2, || {
        let mut model = Model::new(one_permit(), plain());
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        let mut arrived = model.drain();
        model.join();
        // The permit that the drain released is used.
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
fn a_cancelled_job_is_not_delivered_and_releases_its_permit() {
    check(2, || {
        let mut model = Model::new(one_permit(), plain());
        model.scheduler.request(1);
        model.tick();
        assert!(model.scheduler.cancel(1));
        model.scheduler.request(2);
        model.tick();
        assert_eq!(model.settle(), [2]);
    });
}

/// A generator that reads what a refresh announces, without any order of its own.
fn reading(edits: &Arc<AtomicUsize>) -> Generator<u8, u8> {
    let (edits, running) = (Arc::clone(edits), AtomicUsize::new(0));
    Generator::new(move |_: &Job<u8>| {
        assert_eq!(running.fetch_add(1, Ordering::Relaxed), 0, "twice at once");
        let read = edits.load(Ordering::Relaxed);
        thread::yield_now();
        running.fetch_sub(1, Ordering::Relaxed);
        u8::try_from(read).expect("there are few")
    })
}

/// Wherever the refresh meets the job: queued, it serves the refresh too; later, its result is delivered and a newer one
/// after it. In the end what was edited is there.
#[test]
fn a_refresh_is_served_by_a_job_that_has_not_started_or_by_a_newer_one() {
    check(2, || {
        let edits = Arc::new(AtomicUsize::new(0));
        let mut model = Model::new(config(2), reading(&edits));
        let old = model.scheduler.request(1);
        model.tick();
        edits.store(1, Ordering::Relaxed);
        let new = model.scheduler.refresh(1);
        model.tick();
        let arrived = model.settle();
        let generated = model.scheduler.counters().generated;
        if new.is_new() {
            assert!(new.version() > old.version());
            assert_eq!(generated, 2);
            // Where both were finished at the first drain, only the newer is delivered.
            assert!(
                arrived == [0, 1] || arrived == [1] || arrived == [1, 1],
                "{arrived:?}"
            );
        } else {
            assert_eq!((generated, arrived), (1, vec![1]));
        }
    });
}

#[test]
fn each_result_between_two_refreshes_is_delivered_and_the_last_edit_is_seen() {
    // Longer than the others, so that two preemptions take minutes.
    check(1, || {
        let edits = Arc::new(AtomicUsize::new(0));
        let mut model = Model::new(config(1), reading(&edits));
        let mut arrived = Vec::new();
        model.scheduler.request(1);
        for edit in 1..=2 {
            model.tick();
            edits.store(edit, Ordering::Relaxed);
            model.scheduler.refresh(1);
            arrived.extend(model.drain());
        }
        model.tick();
        arrived.extend(model.settle());
        assert!(
            arrived.is_sorted(),
            "nothing older replaces something newer"
        );
        assert_eq!(arrived.last(), Some(&2));
        let counters = model.scheduler.counters();
        assert_eq!(counters.applied, arrived.len() as u64);
        assert_eq!(counters.applied + counters.stale, counters.generated);
    });
}

#[test]
fn a_failed_attempt_is_not_retried_when_a_newer_job_exists() {
    check(2, || {
        let generator = Generator::fallible(|job: &Job<u8>| match job.version().get() {
            1 => Err("not this one"),
            _ => Ok(job.key()),
        });
        let mut model = Model::new(one_permit(), generator);
        model.scheduler.request(1);
        model.tick();
        model.join();
        // The attempt has failed, and nobody has handled that.
        assert!(model.scheduler.refresh(1).is_new());
        model.scheduler.refresh(1);
        model.tick();
        assert_eq!(model.settle(), [1]);
        let counters = model.scheduler.counters();
        assert_eq!(
            (counters.retried, counters.stale, counters.failed),
            (0, 1, 0)
        );
        let failures: Vec<_> = model.scheduler.failures().collect();
        assert_eq!(failures.len(), 1);
        assert_eq!(failures[0].verdict, Verdict::Unwanted);
    });
}

#[test]
fn a_promoted_job_starts_once_whichever_entry_is_popped_first() {
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

/// The generator waits for ever, so unless the cancellation reaches it the worker never exits.
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
fn a_fault_is_handled_once_and_its_job_is_retried() {
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
            ..one_permit()
        };
        let mut model = Model::new(config, generator);
        model.scheduler.request(1);
        model.tick();
        // This tick may come before, during or after the fault, and the next one comes after it.
        model.tick();
        model.join();
        model.tick();
        assert_eq!(model.settle(), [1]);
        assert_eq!(model.scheduler.counters().retried, 1);
        assert_eq!(model.scheduler.counters().failures, 1);
    });
}

#[test]
fn an_attempt_that_is_too_early_is_repeated_and_costs_no_attempt() {
    check(2, || {
        let asks = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asks);
        let generator = Generator::fallible(move |job: &Job<u8>| {
            assert_eq!(job.attempt(), 1);
            match count.fetch_add(1, Ordering::Relaxed) {
                0 => Err(GenerateError::NotYet(Duration::ZERO)),
                _ => Ok(job.key()),
            }
        });
        let mut model = Model::new(one_permit(), generator);
        model.scheduler.request(1);
        model.tick();
        // This tick may come before, during or after the first attempt, and the next one comes after it.
        model.tick();
        model.join();
        model.tick();
        assert_eq!(model.settle(), [1]);
        assert_eq!(asks.load(Ordering::Relaxed), 2);
        assert_eq!(model.scheduler.counters().not_yet, 1);
        assert_eq!(model.scheduler.counters().failures, 0);
    });
}

#[test]
fn a_permanent_failure_ends_its_job_and_releases_its_permit() {
    check(2, || {
        let generator = Generator::fallible(|job: &Job<u8>| match job.key() {
            1 => Err(GenerateError::permanent("never")),
            key => Ok(key),
        });
        let mut model = Model::new(one_permit(), generator);
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        model.tick();
        model.join();
        model.tick();
        assert_eq!(model.settle(), [2]);
        assert_eq!(model.scheduler.state(1), Some(JobState::Failed));
        assert_eq!(model.scheduler.counters().retried, 0);
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
fn two_workers_and_one_permit_lose_nothing() {
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

/// The only permit is taken by a result that is not drained, and the worker is about to exit.
#[test]
fn an_urgent_job_is_not_lost_while_a_worker_without_a_permit_exits() {
    check(2, || {
        let mut model = Model::new(one_permit(), plain());
        model.scheduler.request(1);
        model.scheduler.request(2);
        model.tick();
        model.scheduler.request_in(3, Lane::Urgent);
        model.tick();
        model.join();
        assert_eq!(model.scheduler.state(3), Some(JobState::Completed));
        let mut arrived = model.drain();
        assert_eq!(arrived[0], 3, "it overtakes the finished result");
        arrived.extend(model.settle());
        assert_eq!(sorted(arrived), [1, 2, 3]);
    });
}
