//! Why a chunk is not there yet.

mod common;

use chunk_scheduler::{FnRank, JobState, Lane, Runtime, SchedulerConfig, Status, WaitsFor};
use common::{FRAME, World, bounded, double, one_at_a_time, plain, taking};

/// By lane, rank, the tick that submitted it, and then by key, like the queue itself.
#[test]
fn the_position_is_the_number_of_jobs_that_start_before() {
    let generator = plain().with_known_empty(|key| (*key >= 100).then_some(0));
    let rank = FnRank(|key: &i32| key / 10);
    let mut world = World::ranked(3, one_at_a_time(), |_| generator, rank);
    world.request([15, 13, 11]);
    world.tick();
    world.request([12, 3, 100]);
    world.scheduler.request_in(14, Lane::Prefetch);
    world.scheduler.request_in(16, Lane::Urgent);
    world.scheduler.request_in(17, Lane::Prefetch);
    // A promoted job belongs to the lane and the tick of its promotion.
    world.scheduler.request_in(17, Lane::Normal);
    let expected = [16, 3, 11, 13, 15, 12, 17, 14];
    for (position, key) in expected.into_iter().enumerate() {
        assert_eq!(world.live(key).position, Some(position), "{key}");
    }
    assert_eq!(world.live(100).position, None);
    world.tick();
    for (position, key) in expected.into_iter().enumerate() {
        let submitted = world.live(key).position;
        assert_eq!(submitted, Some(position), "{key} when submitted");
    }
    world.simulation.run();
    let trace = world.simulation.trace();
    let starts = trace.iter().filter_map(|line| line.split_once("start "));
    let keys = starts.map(|(_, started)| started.split_once(' ').map(|(key, _)| key.parse()));
    let order: Vec<i32> = keys
        .map(|key| key.expect("the trace names a key").expect("it is a number"))
        .collect();
    assert_eq!(order, expected);
}

#[test]
fn what_a_job_waits_for_is_named() {
    let config = SchedulerConfig {
        max_in_flight: 2,
        ..bounded(2, 1_024)
    };
    let mut world = World::new(config, |simulation| {
        let generator = taking(|_| FRAME * 2)(simulation);
        generator.with_known_empty(|key| (*key == 100).then_some(0))
    });
    world.request([1, 100]);
    assert_eq!(world.live(1).waits_for, Some(WaitsFor::Tick));
    assert_eq!(world.live(100).state, JobState::Completed);
    world.frame();
    assert_eq!(world.live(1).waits_for, None);
    world.request(2..5);
    world.frame();
    let text = world.scheduler.explain(4).to_string();
    assert!(text.contains("waits for"), "{text}");
    assert_eq!(world.live(4).waits_for, Some(WaitsFor::Permit));
    world.frames(4);
    assert_eq!(world.scheduler.depths().completed, 2);
    assert_eq!(world.live(4).waits_for, Some(WaitsFor::Permit));
}

#[test]
fn a_job_behind_its_superseded_attempt_or_behind_the_limit_says_so() {
    let mut world = World::new(one_at_a_time(), |_| plain());
    world.request([1, 2]);
    world.tick();
    // One step picks the job, and the next one calls its generator.
    world.steps(2);
    assert_eq!(world.live(2).waits_for, Some(WaitsFor::Worker));
    world.scheduler.refresh(1);
    world.tick();
    assert_eq!(world.live(1).waits_for, Some(WaitsFor::FormerAttempt));
    assert_eq!(world.settle().len(), 2);
}

/// The pool's threads are busy with other tasks, and no job is in flight.
#[test]
fn a_job_whose_worker_has_no_thread_says_so() {
    let runtime = Runtime::custom(1, |worker| {
        // Never polled.
        std::mem::forget(worker);
    });
    let config = one_at_a_time();
    let mut scheduler = common::scheduler(config, plain(), runtime, common::Near(0));
    scheduler.request(1);
    scheduler.tick(FRAME);
    assert_eq!(scheduler.depths().in_flight, 0);
    let text = scheduler.explain(1).to_string();
    let expected = "waits for a thread, because those of the runtime are busy with other tasks";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn the_age_of_a_job_does_not_count_the_time_before_the_first_tick() {
    let mut world = World::new(one_at_a_time(), double);
    world.scheduler.request(1);
    let hour = std::time::Duration::from_secs(3_600);
    world.scheduler.tick(hour);
    world.scheduler.tick(hour + FRAME);
    assert_eq!(world.live(1).age, FRAME);
}

#[test]
fn explain_follows_a_job_through_its_life() {
    let mut world = World::new(one_at_a_time(), double);
    assert_eq!(world.scheduler.explain(5).status, Status::Unknown);
    world.request([5, 2, 3]);
    let text = world.scheduler.explain(5).to_string();
    let expected =
        "5 is queued behind 2 others and waits for the next tick (attempt 1, Normal lane";
    assert!(text.starts_with(expected), "{text}");
    world.tick();
    world.simulation.step();
    assert_eq!(world.live(2).state, JobState::InFlight);
    world.simulation.run();
    assert_eq!(world.live(5).state, JobState::Completed);
    let ready = world.drain();
    assert_eq!(world.live(5).state, JobState::Delivered);
    assert!(world.scheduler.applied(5, ready[2].version));
    assert_eq!(world.scheduler.explain(5).status, Status::Unknown);
}
