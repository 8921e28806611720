//! Refreshing at any rate: the newest finished version is delivered, and one more is made after the last refresh (I13).

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use chunk_scheduler::{
    Generator, Job, JobState, Lane, Requested, SchedulerConfig, Simulation, Verdict, Version,
    WaitsFor,
};
use common::{FRAME, World, attempts, bounded, one_at_a_time, plain, taking_a_frame};

/// Makes the number of the edit that it reads when it starts, in `time`.
fn reading(
    edits: &Arc<AtomicU32>,
    time: Duration,
) -> impl FnOnce(&Simulation) -> Generator<i32, u32> + use<> {
    let edits = Arc::clone(edits);
    move |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |_: Job<i32>| {
            let read = edits.load(Ordering::Relaxed);
            let sleep = simulation.sleep(time);
            async move {
                sleep.await;
                Ok::<_, &str>(read)
            }
        })
    }
}

fn versions<T: Send + 'static>(world: &World<T>, key: i32) -> Vec<Version> {
    world.scheduler.live_versions(key).collect()
}

#[test]
fn a_queued_job_serves_every_refresh_because_it_has_read_nothing() {
    let mut world = World::new(one_at_a_time(), taking_a_frame);
    let version = world.scheduler.request(1).version();
    for _ in 0..100 {
        let refreshed = world.scheduler.refresh(1);
        assert_eq!(refreshed, Requested::Coalesced(version));
        world.check();
    }
    world.frames(2);
    assert_eq!(world.apply(), [(1, version)]);
    let counters = world.scheduler.counters();
    assert_eq!((counters.requested, counters.coalesced), (1, 100));
    assert_eq!((counters.generated, counters.stale), (1, 0));
}

#[test]
fn a_refresh_moves_a_queued_job_to_a_more_urgent_lane_and_not_back() {
    let mut world = World::new(one_at_a_time(), |_| plain());
    world.request(0..50);
    world.scheduler.refresh_in(49, Lane::Urgent);
    world.tick();
    world.scheduler.refresh_in(48, Lane::Urgent);
    world.scheduler.refresh_in(48, Lane::Prefetch);
    world.frame();
    let order = world.apply_keys();
    assert_eq!((&order[..3], order.len()), (&[48, 49, 0][..], 50));
}

#[test]
fn a_result_in_flight_is_delivered_and_one_more_is_made_for_all_refreshes_meanwhile() {
    let mut world = World::new(one_at_a_time(), taking_a_frame);
    let first = world.scheduler.request(1).version();
    world.tick();
    world.steps(1);
    let second = world.scheduler.refresh(1);
    assert!(second.is_new() && second.version() > first);
    let second = second.version();
    for _ in 0..10 {
        assert_eq!(world.scheduler.refresh(1), Requested::Coalesced(second));
        world.tick();
    }
    assert_eq!(versions(&world, 1), [first, second]);
    assert_eq!(world.live(1).version, second);
    assert_eq!(world.live(1).waits_for, Some(WaitsFor::FormerAttempt));
    world.frame();
    assert_eq!(world.apply(), [(1, first)]);
    world.frame();
    assert_eq!(world.apply(), [(1, second)]);
    assert_eq!(world.scheduler.counters().stale, 0);
    assert!(versions(&world, 1).is_empty());
}

#[test]
fn of_two_finished_versions_only_the_newer_is_delivered() {
    for lane in [Lane::Normal, Lane::Urgent] {
        let mut world = World::new(one_at_a_time(), |_| plain());
        world.request([1, 2]);
        world.frame();
        let newer = world.scheduler.refresh_in(1, lane).version();
        world.frame();
        assert_eq!(world.scheduler.depths().completed, 3);
        let mut applied = world.apply();
        applied.sort_unstable();
        assert_eq!(applied[0], (1, newer));
        assert_eq!(applied.len(), 2);
        let counters = world.scheduler.counters();
        assert_eq!((counters.stale, counters.wasted), (1, 1));
        assert_eq!(world.scheduler.depths().unwanted, 0, "its permit is free");
    }
}

#[test]
fn a_result_in_the_backlog_is_valid_until_a_newer_one_is_delivered() {
    let mut world = World::new(one_at_a_time(), |_| plain());
    let old = world.scheduler.request(1).version();
    world.frame();
    assert_eq!(world.drain().len(), 1);
    let new = world.scheduler.refresh(1).version();
    world.frame();
    assert!(
        world.scheduler.is_live(1, old),
        "the newer one waits to be drained"
    );
    let delivered = world.drain();
    assert!(!world.scheduler.is_live(1, old));
    assert!(!world.scheduler.applying(1, old));
    assert!(!world.scheduler.applied(1, old));
    assert!(!world.scheduler.apply_failed(1, old, "too late"));
    assert_eq!(delivered[0].version, new);
    world.applied(delivered);
    assert_eq!(world.scheduler.counters().stale, 1);
}

/// Otherwise a caller that takes several frames for a result would never finish one.
#[test]
fn a_result_that_is_being_applied_is_valid_until_a_newer_one_is_applied() {
    let mut world = World::new(one_at_a_time(), |_| plain());
    let first = world.scheduler.request(1).version();
    world.frame();
    assert_eq!(world.drain().len(), 1);
    assert!(world.scheduler.applying(1, first));
    assert_eq!(world.live(1).state, JobState::Applying);
    let mut latest = first;
    for round in 0..10 {
        latest = world.scheduler.refresh(1).version();
        world.frame();
        assert_eq!(world.drain().len(), 1);
        assert_eq!(versions(&world, 1), [first, latest]);
        assert_eq!(world.scheduler.counters().stale, round);
    }
    assert_eq!(world.scheduler.depths().backlog, 2);
    assert!(world.scheduler.applied(1, first));
    assert!(world.scheduler.is_live(1, latest));
    assert!(world.scheduler.applied(1, latest));
    assert!(
        !world.scheduler.applied(1, first),
        "an older one comes too late"
    );
    world.check();
}

#[test]
fn an_older_version_is_refused_after_a_newer_one_was_applied_or_begun() {
    for is_begun in [false, true] {
        let mut world = World::new(one_at_a_time(), |_| plain());
        let old = world.scheduler.request(1).version();
        world.frame();
        assert_eq!(world.drain().len(), 1);
        assert!(world.scheduler.applying(1, old));
        let new = world.scheduler.refresh(1).version();
        world.frame();
        assert_eq!(world.drain().len(), 1);
        if is_begun {
            assert!(world.scheduler.applying(1, new));
        } else {
            assert!(world.scheduler.applied(1, new));
        }
        assert!(!world.scheduler.applied(1, old));
        world.check();
        assert_eq!(world.scheduler.counters().stale, 1);
        assert_eq!(world.scheduler.applied(1, new), is_begun);
        world.check();
    }
}

/// One that is being applied, one finished, one in flight and one queued, also while nobody drains.
#[test]
fn a_key_has_at_most_four_live_versions_and_cancelling_ends_them_all() {
    let edits = Arc::new(AtomicU32::new(0));
    let mut world = World::new(one_at_a_time(), reading(&edits, FRAME * 3 / 2));
    let first = world.scheduler.request(1).version();
    world.frames(3);
    assert_eq!(world.drain().len(), 1);
    assert!(world.scheduler.applying(1, first));
    let mut most = 0;
    for _ in 0..100 {
        world.scheduler.refresh(1);
        world.frame();
        most = most.max(versions(&world, 1).len());
    }
    assert_eq!(most, 4);
    world.scheduler.refresh(1);
    assert_eq!(versions(&world, 1).len(), 4);
    assert_eq!(versions(&world, 1)[0], first);
    let stale = world.scheduler.counters().stale;
    assert!(stale > 30, "{stale} were finished and not drained");
    assert!(world.scheduler.cancel(1));
    assert!(!world.scheduler.cancel(1));
    world.frames(4);
    assert!(world.drain().is_empty());
    let counters = world.scheduler.counters();
    assert_eq!((counters.cancelled, counters.stale), (4, stale));
    let depths = world.scheduler.depths();
    assert_eq!((depths.live(), depths.unwanted), (0, 0));
}

#[test]
fn a_failed_attempt_is_told_and_not_retried_when_a_newer_job_exists() {
    let mut world = World::new(attempts(3), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            let sleep = simulation.sleep(FRAME);
            async move {
                sleep.await;
                match job.version().get() {
                    1 => Err("not this one"),
                    _ => Ok(job.attempt()),
                }
            }
        })
    });
    world.scheduler.request(1);
    world.tick();
    world.steps(2);
    let newer = world.scheduler.refresh(1).version();
    world.frames(3);
    let delivered = world.drain();
    assert_eq!((delivered[0].version, delivered[0].content), (newer, 1));
    world.applied(delivered);
    let failures = &world.failures;
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].verdict, Verdict::Unwanted);
    let counters = world.scheduler.counters();
    assert_eq!((counters.retried, counters.stale), (0, 1));
    assert_eq!(world.scheduler.depths().quarantined, 0);
}

#[test]
fn a_result_that_cannot_be_applied_is_not_made_again_when_a_newer_job_exists() {
    let mut world = World::new(attempts(3), |_| plain());
    let old = world.scheduler.request(1).version();
    world.frame();
    assert_eq!(world.drain().len(), 1);
    assert!(world.scheduler.applying(1, old));
    let new = world.scheduler.refresh(1).version();
    assert!(!world.scheduler.apply_failed(1, old, "no room"));
    world.check();
    world.frame();
    assert_eq!(world.apply(), [(1, new)]);
}

/// The edit may be what mends it, so it neither waits nor has fewer attempts.
#[test]
fn a_refresh_gives_a_failing_key_all_its_attempts_again_at_once() {
    let mut world = World::new(attempts(2), |_| {
        Generator::fallible(|_: &Job<i32>| Err::<i32, _>("never"))
    });
    world.scheduler.request(1);
    world.frame();
    // Handles the failure and queues the second attempt.
    world.tick();
    assert_eq!(world.live(1).attempt, 2);
    assert!(!world.scheduler.refresh(1).is_new());
    assert_eq!(world.live(1).attempt, 1);
    world.settle();
    let failed: Vec<_> = world.failures.iter().map(|it| it.attempts).collect();
    assert_eq!(failed, [1, 1, 2]);
    assert_eq!(world.quarantined(), [1]);
    assert!(world.scheduler.refresh(1).is_new());
    assert!(world.quarantined().is_empty());
}

#[test]
fn a_failure_that_nobody_has_handled_does_not_serve_a_refresh() {
    let edits = Arc::new(AtomicU32::new(0));
    let mut world = World::new(attempts(1), |_| {
        let edits = Arc::clone(&edits);
        Generator::fallible(move |_: &Job<i32>| match edits.load(Ordering::Relaxed) {
            0 => Err("empty"),
            edit => Ok(edit),
        })
    });
    world.scheduler.request(1);
    world.frame();
    assert_eq!(world.live(1).state, JobState::Retrying);
    edits.store(1, Ordering::Relaxed);
    assert!(world.scheduler.refresh(1).is_new());
    world.frame();
    assert_eq!(world.drain()[0].content, 1);
    assert!(world.quarantined().is_empty());
}

/// The newest version is given up while an older result waits to be applied.
#[test]
fn giving_up_the_newest_version_leaves_the_older_result_and_a_request_tries_again() {
    let mut world = World::new(attempts(1), |_| {
        Generator::fallible(|job: &Job<i32>| match job.version().get() {
            2 => Err("not this one"),
            version => Ok(version),
        })
    });
    let old = world.scheduler.request(1).version();
    world.frame();
    assert_eq!(world.drain().len(), 1);
    world.scheduler.refresh(1);
    world.frame();
    world.tick();
    assert_eq!(world.quarantined(), [1]);
    assert_eq!(versions(&world, 1), [old]);
    assert_eq!(world.live(1).state, JobState::Delivered);
    assert_eq!(world.scheduler.retry_quarantined(|_| true), 1);
    let again = world.scheduler.live_version(1);
    assert_eq!(world.quarantined().len(), 0);
    assert!(again > Some(old));
    assert!(world.scheduler.applied(1, old));
    world.frame();
    assert_eq!(world.apply(), [(1, again.expect("it is live"))]);
}

#[test]
fn a_key_that_became_empty_supersedes_all_that_is_generated_for_it() {
    let is_empty = Arc::new(AtomicU32::new(0));
    let knows = Arc::clone(&is_empty);
    let config = SchedulerConfig {
        max_in_flight: 2,
        ..bounded(8, 8)
    };
    let mut world = World::new(config, |simulation| {
        let generator = taking_a_frame(simulation);
        generator.with_known_empty(move |_| (knows.load(Ordering::Relaxed) == 1).then_some(-1))
    });
    world.scheduler.request(1);
    world.tick();
    world.steps(2);
    is_empty.store(1, Ordering::Relaxed);
    let empty = world.scheduler.refresh(1).version();
    assert_eq!(versions(&world, 1), [empty]);
    let ready = world.drain();
    assert_eq!((ready[0].version, ready[0].content), (empty, -1));
    world.applied(ready);
    world.frames(2);
    assert!(world.drain().is_empty());
    let counters = world.scheduler.counters();
    assert_eq!((counters.stale, counters.applied), (1, 1));
}

/// A caller that drains each frame. Nothing that is delivered is older than two attempts and two frames.
#[test]
fn what_is_delivered_at_any_rate_of_edits_is_at_most_two_attempts_old() {
    for (millis, every) in [(1, 1), (5, 1), (16, 1), (25, 2), (40, 1), (60, 1), (60, 3)] {
        let (edits, time) = (Arc::new(AtomicU32::new(0)), Duration::from_millis(millis));
        let mut world = World::new(one_at_a_time(), reading(&edits, time));
        let (mut edited_at, mut seen) = (vec![Duration::ZERO], Vec::new());
        world.scheduler.request(1);
        for frame in 0..180 {
            if frame % every == 0 {
                edits.fetch_add(1, Ordering::Relaxed);
                edited_at.push(world.simulation.now());
                world.scheduler.refresh_in(1, Lane::Urgent);
            }
            world.frame();
            let ready = world.drain();
            seen.extend(ready.iter().map(|result| result.content as usize));
            world.applied(ready);
            let next = seen.last().map_or(0, |last| last + 1);
            if let Some(oldest) = edited_at.get(next) {
                let age = world.simulation.now() - *oldest;
                assert!(age <= 2 * time + 2 * FRAME, "{age:?} after {millis} ms");
            }
        }
        assert!(seen.is_sorted());
        let least = 180 * 16 / (millis + 16).max(every * 16) - 2;
        assert!(
            seen.len() as u64 >= least,
            "{} of {least} updates",
            seen.len()
        );
        edits.fetch_add(1, Ordering::Relaxed);
        world.scheduler.refresh_in(1, Lane::Urgent);
        world.frames(10);
        let last = world.drain().pop().expect("the last edit is made");
        assert_eq!(last.content, edits.load(Ordering::Relaxed));
    }
}

#[test]
fn a_key_that_is_refreshed_all_the_time_is_delivered_although_many_results_wait_before_it() {
    let mut world = World::new(SchedulerConfig::default(), |_| plain());
    world.request(1..500);
    world.frame();
    let mut delivered = 0;
    for _ in 0..40 {
        world.scheduler.refresh(0);
        world.frame();
        // The caller has time for one result a frame.
        let mut ready = Vec::new();
        world.scheduler.drain(1, |result| ready.push(result));
        delivered += ready.iter().filter(|result| result.key == 0).count();
        world.applied(ready);
    }
    assert!(delivered >= 10, "{delivered} times");
}
