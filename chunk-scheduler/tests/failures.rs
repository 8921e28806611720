//! I8: a failing chunk affects only itself.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use chunk_scheduler::{
    FnRank, Generator, Job, Lane, RetryPolicy, Runtime, SchedulerConfig, Status, Verdict,
};
use common::{FRAME, Log, World, attempts, bounded, one_at_a_time, plain};

/// Panics for 13, and returns an error for 7.
fn unlucky() -> Generator<i32, i32> {
    Generator::fallible(|job: &Job<i32>| {
        assert_ne!(job.key(), 13, "unlucky");
        if job.key() == 7 {
            return Err("no seven today");
        }
        Ok(job.key())
    })
}

/// A panic orphans waiting work and the pipeline stops (Pumpkin 1868).
#[test]
fn a_panic_and_an_error_affect_no_other_job() {
    let mut world = World::new(attempts(3), |_| unlucky());
    world.request(0..20);
    let applied = world.settle();
    assert_eq!(applied.len(), 18);
    let counters = world.scheduler.counters();
    let found = (counters.failed, counters.retried, counters.panics);
    assert_eq!(found, (2, 4, 3));
    let failures = &world.failures;
    assert_eq!(failures.len(), 6);
    let last = failures.last().expect("there are six");
    let verdict = Verdict::GaveUp;
    assert_eq!((last.key, last.attempts, last.verdict), (13, 3, verdict));
    let is_panic = last.panicked && last.message.contains("unlucky");
    assert!(is_panic, "{last:?}");
    let mut errors = failures.iter().filter(|it| it.key == 7 && !it.panicked);
    assert!(errors.any(|error| error.message == "no seven today"));
    assert_eq!(counters.failures, 6);
}

/// A failing chunk that is retried for ever, before all others.
#[test]
fn a_failing_urgent_job_does_not_delay_others_and_is_quarantined() {
    let config = SchedulerConfig {
        retry: RetryPolicy {
            base_delay: FRAME * 3,
            ..RetryPolicy::default()
        },
        ..one_at_a_time()
    };
    let mut world = World::new(config, |_| unlucky());
    world.scheduler.request_in(13, Lane::Urgent);
    world.request(20..30);
    world.frame();
    assert_eq!(world.apply().len(), 10, "they do not wait for the retry");
    world.settle();
    assert_eq!(world.scheduler.counters().retried, 2);
    world.frames(100);
    let retried = world.scheduler.counters().retried;
    assert_eq!(retried, 2, "a quarantined key is not retried");
}

#[test]
fn retries_wait_longer_each_time() {
    let config = SchedulerConfig {
        retry: RetryPolicy {
            max_attempts: 5,
            base_delay: Duration::from_millis(100),
            max_delay: Duration::from_millis(300),
            jitter: 0.0,
        },
        ..one_at_a_time()
    };
    let mut world = World::new(config, |_| unlucky());
    world.scheduler.request(7);
    let mut at = Vec::new();
    while world.scheduler.depths().live() > 0 {
        let before = world.scheduler.counters().retried;
        world.tick();
        if world.scheduler.counters().retried > before {
            at.push(world.simulation.now().as_millis());
        }
        world.simulation.advance(Duration::from_millis(10));
    }
    // The failure is noticed one step of 10 ms after the attempt.
    assert_eq!(at, [110, 320, 630, 940]);
}

#[test]
fn the_quarantine_can_be_read_retried_and_cleared() {
    let is_mended = Arc::new(AtomicBool::new(false));
    let mended = Arc::clone(&is_mended);
    let mut world = World::new(attempts(3), |_| {
        Generator::fallible(move |job: &Job<i32>| match mended.load(Ordering::Relaxed) {
            true => Ok(job.key()),
            false => Err("broken"),
        })
    });
    world.request([3, 1, 2]);
    world.settle();
    assert_eq!(world.quarantined(), [1, 2, 3]);
    assert_eq!(world.scheduler.depths().quarantined, 3);
    let explained = world.scheduler.explain(2).to_string();
    assert_eq!(explained, "2 is quarantined after 3 attempts: broken");

    is_mended.store(true, Ordering::Relaxed);
    world.scheduler.request(2);
    assert_eq!(world.settle(), [2]);
    assert_eq!(world.scheduler.depths().quarantined, 2);
    assert_eq!(world.scheduler.retry_quarantined(|_| true), 2);
    assert_eq!(world.settle(), [1, 3]);

    is_mended.store(false, Ordering::Relaxed);
    world.scheduler.request(9);
    world.settle();
    assert_eq!(world.scheduler.clear_quarantine(), 1);
    assert_eq!(world.scheduler.explain(9).status, Status::Unknown);
}

#[test]
fn a_job_that_waits_for_its_retry_can_be_cancelled_or_superseded() {
    let mut world = World::new(one_at_a_time(), |_| unlucky());
    world.request([7, 13]);
    world.frame();
    world.tick();
    assert_eq!(world.scheduler.depths().queued, 2);
    assert!(world.scheduler.cancel(7));
    assert!(world.scheduler.refresh(13).is_new());
    world.settle();
    let counters = world.scheduler.counters();
    let found = (counters.cancelled, counters.stale, counters.failed);
    assert_eq!(found, (1, 1, 1));
}

#[test]
fn a_result_that_could_not_be_applied_is_generated_again() {
    let mut world = World::new(attempts(3), |_| {
        Generator::new(|job: &Job<i32>| job.attempt())
    });
    let version = world.scheduler.request(1).version();
    for attempt in 1..=3 {
        world.frame();
        let ready = world.drain();
        assert_eq!(ready[0].content, attempt);
        assert_eq!(ready[0].version, version);
        let will_retry = world
            .scheduler
            .apply_failed(1, version, "the spawner panicked");
        assert_eq!(will_retry, attempt < 3);
        world.check();
    }
    assert!(!world.scheduler.apply_failed(1, version, "too late"));
    assert_eq!(world.scheduler.depths().quarantined, 1);
}

#[test]
fn a_known_empty_chunk_that_could_not_be_applied_is_generated_after_all() {
    let mut world = World::new(attempts(3), |_| {
        Generator::new(|job: &Job<i32>| job.attempt()).with_known_empty(|_| Some(0))
    });
    let version = world.scheduler.request(1).version();
    assert_eq!(world.drain()[0].content, 0);
    assert!(world.scheduler.apply_failed(1, version, "no"));
    world.frame();
    assert_eq!(world.drain()[0].content, 1);
}

#[test]
fn panics_of_an_async_generator_are_caught_before_and_after_its_first_await() {
    let mut world = World::new(attempts(3), |_| {
        Generator::from_async(|job: Job<i32>| {
            assert_ne!(job.key(), 1, "before");
            async move {
                job.checkpoint().await;
                assert_ne!(job.key(), 2, "after");
                Ok::<_, String>(job.key())
            }
        })
    });
    world.request(1..=3);
    assert_eq!(world.settle(), [3]);
    let failures = &world.failures;
    for text in ["before", "after"] {
        assert!(failures.iter().any(|it| it.message.contains(text)));
    }
}

#[test]
fn a_panicking_rank_affects_only_its_own_key() {
    let rank = |unlucky: i32| {
        FnRank(move |key: &i32| {
            assert_ne!(*key, unlucky, "cannot rank");
            u64::from(key.unsigned_abs())
        })
    };
    let mut scheduler = common::scheduler(attempts(3), plain(), common::inline(), rank(2));
    for key in 1..=3 {
        scheduler.request(key);
    }
    let mut order = Vec::new();
    for frame in 1..10 {
        scheduler.tick(FRAME * frame);
        scheduler.publish(rank(1));
        scheduler.drain(usize::MAX, |result| order.push(result.key));
        assert_eq!(scheduler.audit(), Ok(()));
    }
    // The later snapshot does not panic for 2, so its retry succeeds.
    assert_eq!(order, [1, 3, 2]);
}

#[test]
fn panics_of_destructors_of_unwanted_results_are_caught() {
    #[derive(Debug)]
    struct PanicsOnDrop;
    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            panic!("on drop");
        }
    }
    let mut world = World::new(one_at_a_time(), |_| {
        Generator::new(|_: &Job<i32>| PanicsOnDrop)
    });
    world.scheduler.request(1);
    world.tick();
    world.simulation.step();
    world.scheduler.cancel(1);
    world.simulation.run();
    world.scheduler.request(2);
    world.frame();
    world.scheduler.cancel(2);
    assert!(world.drain().is_empty());
    world.scheduler.request(3);
    world.frame();
    drop(world);
}

#[test]
fn a_panicking_known_empty_hook_means_that_the_chunk_is_generated() {
    let mut world = World::new(one_at_a_time(), |_| {
        plain().with_known_empty(|_| panic!("no answer"))
    });
    world.scheduler.request(1);
    assert_eq!(world.settle(), [1]);
    assert_eq!(world.scheduler.counters().panics, 1);
}

#[test]
fn an_executor_that_drops_its_worker_loses_no_job() {
    let dropped = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&dropped);
    let runtime = Runtime::custom(1, move |worker| {
        count.fetch_add(1, Ordering::Relaxed);
        drop(worker);
    });
    let mut scheduler = common::scheduler(attempts(3), plain(), runtime, common::Near(0));
    scheduler.request(1);
    scheduler.tick(FRAME);
    scheduler.tick(FRAME * 2);
    let dropped = dropped.load(Ordering::Relaxed);
    assert_eq!(dropped, 2, "one worker for each tick");
    assert_eq!(scheduler.depths().queued, 1);
    assert_eq!(scheduler.audit(), Ok(()));
}

/// An outage: more chunks fail in a frame than one tick should handle.
#[test]
fn every_failure_is_told_and_no_tick_handles_more_than_its_share() {
    let mut world = World::new(attempts(1), |_| {
        Generator::fallible(|_| Err::<i32, _>("always"))
    });
    world.request(0..1_009);
    let mut told = Vec::new();
    while world.scheduler.depths().live() > 0 {
        world.frame();
        let now = std::mem::take(&mut world.failures);
        assert!(now.len() <= 128, "{} in one tick", now.len());
        told.extend(now.into_iter().map(|failure| failure.key));
    }
    assert_eq!(told, Vec::from_iter(0..1_009), "in the order of requests");
    assert_eq!(world.scheduler.counters().failures, 1_009);
}

/// Failures that are not handled yet hold back new attempts like results that are not drained.
#[test]
fn failures_that_were_not_handled_are_bounded_by_the_permits() {
    let starts = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&starts);
    let mut world = World::new(bounded(300, 300), |_| {
        Generator::fallible(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Err::<i32, _>("always")
        })
    });
    world.request(0..1_000);
    for tick in 1..5 {
        world.frame();
        let handled = (tick - 1) * 128;
        assert_eq!(starts.load(Ordering::Relaxed), 300 + handled, "tick {tick}");
    }
    world.settle();
    assert_eq!(world.scheduler.depths().unwanted, 0);
}

/// They hold no permit, because no worker started their jobs.
#[test]
fn keys_that_cannot_be_ranked_and_are_withdrawn_do_not_pile_up() {
    let rank = FnRank(|_: &i32| -> u64 { std::panic::resume_unwind(Box::new("cannot rank")) });
    let mut world = World::ranked(1, one_at_a_time(), |_| plain(), rank);
    for round in 0..20 {
        let keys = round * 1_000..(round + 1) * 1_000;
        world.request(keys.clone());
        world.frame();
        assert_eq!(world.cancel(keys), 1_000);
    }
    world.tick();
    assert_eq!(world.scheduler.counters().failures, 20_000);
}

#[test]
fn a_failure_can_be_read_until_the_next_tick() {
    let mut world = World::new(attempts(1), |_| {
        Generator::fallible(|job: &Job<i32>| match job.key() {
            1 => Err("always"),
            key => Ok(key),
        })
    });
    world.request([1, 2]);
    world.frame();
    let ready = world.drain();
    world.scheduler.tick(FRAME);
    let version = ready[0].version;
    assert!(!world.scheduler.apply_failed(2, version, "no room"));
    world.scheduler.tick(FRAME * 2);
    let told: Vec<i32> = world.scheduler.failures().map(|it| it.key).collect();
    assert_eq!(
        told,
        [2],
        "the tick dropped what was there after the last one"
    );
    assert_eq!(world.scheduler.failures().count(), 0);
}

#[test]
fn the_log_has_a_limit_and_says_what_it_left_out() {
    let log = Log::default();
    log.record(|| {
        let mut world = World::new(attempts(1), |_| {
            Generator::fallible(|_| Err::<i32, _>("always"))
        });
        world.request(0..1_000);
        world.settle();
        world.simulation.advance(Duration::from_secs(1));
        world.tick();
        world.request(0..3);
        world.settle();
    });
    let lines = log.lines();
    let failures = lines.iter().filter(|line| line.contains("always"));
    assert_eq!(failures.count(), 20 + 3);
    let left_out = lines.iter().filter(|line| line.contains("left_out=980"));
    assert_eq!(left_out.count(), 1, "{lines:?}");
}
