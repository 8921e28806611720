//! That the audit sees each thing that could be wrong. Nothing outside this crate can bring that about.

use super::*;
use crate::{FnRank, Generator, Job, Runtime, SchedulerConfig};
use std::vec::Vec;

type Broken = Scheduler<u32, u32, FnRank<fn(&u32) -> u32>>;

/// A job in each state that waits for the main thread, others that ended, and no runner.
fn sound() -> Broken {
    let config = SchedulerConfig {
        max_in_flight: 1,
        completed_capacity: 4,
        backlog_capacity: 2,
        ..SchedulerConfig::default()
    };
    let runtime = Runtime::Inline {
        budget: Duration::MAX,
    };
    let rank: FnRank<fn(&u32) -> u32> = FnRank(|key| *key);
    let generator = Generator::new(|job: &Job<u32>| job.key());
    let mut scheduler = Scheduler::new(config, generator, runtime, rank).expect("it is valid");
    for key in 0..10 {
        scheduler.request(key);
    }
    scheduler.tick(Duration::ZERO);
    let mut drained = Vec::new();
    scheduler.drain(3, |result| drained.push((result.key, result.version)));
    let (key, version) = drained[0];
    assert!(scheduler.applied(key, version));
    assert!(scheduler.cancel(9));
    scheduler.tick(Duration::ZERO);
    assert_eq!(scheduler.audit(), Ok(()));
    let depths = scheduler.depths();
    assert!(
        depths.queued > 0 && depths.completed > 0 && depths.backlog > 0,
        "{depths:?}"
    );
    scheduler
}

fn found(spoil: impl FnOnce(&mut Broken)) -> Option<AuditErrorKind> {
    let mut scheduler = sound();
    spoil(&mut scheduler);
    scheduler.audit().err().map(|error| error.kind)
}

#[test]
fn a_request_that_was_never_counted_or_counted_twice_is_found() {
    let kind = Some(AuditErrorKind::Live);
    assert_eq!(found(|broken| broken.tally.requested += 1), kind);
    assert_eq!(found(|broken| broken.tally.requested = 0), kind);
    assert_eq!(found(|broken| broken.tally.cancelled += 1), kind);
    let lose_a_job = |broken: &mut Broken| {
        let key = broken.live.iter().next().expect("one is live").key;
        broken.live.remove(&key);
    };
    assert_eq!(found(lose_a_job), kind);
}

#[test]
fn a_job_that_ended_and_is_still_listed_is_found() {
    let end_silently = |broken: &mut Broken| {
        let slot = broken.live.iter().next().expect("one is live");
        assert!(slot.end(JobState::Cancelled).is_some());
    };
    assert_eq!(found(end_silently), Some(AuditErrorKind::EndedButListed));
}

#[test]
fn a_wrong_count_of_a_state_is_found() {
    assert_eq!(
        found(|broken| broken.delivered += 1),
        Some(AuditErrorKind::Delivered)
    );
    let count = |change: fn(&Broken)| move |broken: &mut Broken| change(broken);
    let in_flight = count(|broken| {
        (broken.shared.counts.in_flight).fetch_sub(1, Ordering::Relaxed);
    });
    assert_eq!(found(in_flight), Some(AuditErrorKind::InFlight));
    let completed = count(|broken| {
        (broken.shared.counts.completed).fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(found(completed), Some(AuditErrorKind::Completed));
}

#[test]
fn a_place_that_was_lost_and_a_result_that_vanished_are_found() {
    let lose_a_place = |broken: &mut Broken| {
        broken
            .shared
            .places
            .take_urgent()
            .expect("one is free")
            .keep();
    };
    assert_eq!(found(lose_a_place), Some(AuditErrorKind::Places));
    let forget = |broken: &mut Broken| {
        (broken.shared.counts.generated).fetch_add(1, Ordering::Relaxed);
    };
    assert_eq!(found(forget), Some(AuditErrorKind::Generated));
    assert_eq!(
        found(|broken| broken.applied_empties += 1),
        Some(AuditErrorKind::Generated)
    );
}

#[test]
fn the_error_names_both_numbers() {
    let mut broken = sound();
    broken.tally.requested += 1;
    let error = broken.audit().expect_err("one request is nowhere");
    assert_eq!(
        error.to_string(),
        "the counters say 11 requests, ended or live, but there are 10"
    );
}
