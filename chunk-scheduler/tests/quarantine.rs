//! The quarantine: what is in it, and how keys leave it.

mod common;

use chunk_scheduler::{Generator, Job, Lane, Status};
use common::{World, attempts};

/// A world in which each job fails at once.
fn broken() -> World<i32> {
    World::new(attempts(1), |_| {
        Generator::fallible(|_: &Job<i32>| Err::<i32, _>("broken"))
    })
}

#[test]
fn a_retried_key_keeps_its_lane() {
    let mut world = broken();
    world.scheduler.request_in(1, Lane::Urgent);
    world.scheduler.request_in(2, Lane::Prefetch);
    world.settle();
    let lanes: Vec<_> = world.scheduler.quarantined().map(|it| it.lane).collect();
    assert_eq!(lanes, [Lane::Urgent, Lane::Prefetch]);
    assert_eq!(world.scheduler.retry_quarantined(|_| true), 2);
    assert_eq!(world.live(1).lane, Lane::Urgent);
    assert_eq!(world.live(2).lane, Lane::Prefetch);
}

#[test]
fn only_accepted_keys_are_retried() {
    let mut world = broken();
    world.request(0..6);
    world.settle();
    let retried = world.scheduler.retry_quarantined(|key| key % 2 == 0);
    assert_eq!(retried, 3);
    assert_eq!(world.scheduler.depths().queued, 3);
    assert_eq!(world.quarantined(), [1, 3, 5]);
}

#[test]
fn a_withdrawn_key_leaves_the_quarantine() {
    let mut world = broken();
    world.scheduler.request(1);
    world.settle();
    assert_eq!(world.scheduler.depths().quarantined, 1);
    assert!(!world.scheduler.cancel(1), "no job is live");
    assert_eq!(world.scheduler.explain(1).status, Status::Unknown);
    assert_eq!(world.scheduler.retry_quarantined(|_| true), 0);
}
