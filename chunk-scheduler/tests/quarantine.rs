//! The quarantine: what is in it, and how it gets out.

mod common;

use chunk_scheduler::{Generator, Job, Lane, RetryPolicy, SchedulerConfig, Status};
use common::{World, one_at_a_time, without_waiting};

/// Everything fails at once.
fn broken() -> World<i32> {
    let config = SchedulerConfig {
        retry: RetryPolicy {
            max_attempts: 1,
            ..without_waiting()
        },
        ..one_at_a_time()
    };
    World::new(config, |_| {
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
    assert_eq!(world.scheduler.retry_quarantined(), 2);
    for (key, lane) in [(1, Lane::Urgent), (2, Lane::Prefetch)] {
        let Status::Live(live) = world.scheduler.explain(key).status else {
            panic!("{key} was asked for again");
        };
        assert_eq!(live.lane, lane);
    }
}

#[test]
fn only_the_keys_that_are_still_wanted_are_retried() {
    let mut world = broken();
    world.request(0..6);
    world.settle();
    assert_eq!(
        world.scheduler.retry_quarantined_where(|key| key % 2 == 0),
        3
    );
    assert_eq!(world.scheduler.depths().queued, 3);
    let left: Vec<_> = world.scheduler.quarantined().map(|it| it.key).collect();
    assert_eq!(left, [1, 3, 5]);
}

#[test]
fn a_withdrawn_key_is_not_missed() {
    let mut world = broken();
    world.scheduler.request(1);
    world.settle();
    assert_eq!(world.scheduler.depths().quarantined, 1);
    assert!(!world.scheduler.cancel(1), "nothing is live");
    assert_eq!(world.scheduler.explain(1).status, Status::Unknown);
    assert_eq!(world.scheduler.retry_quarantined(), 0);
}
