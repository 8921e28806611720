//! Urgent jobs overtake loading in every state (godot_voxel 48), and do not stop it.

mod common;

use chunk_scheduler::{Lane, SchedulerConfig};
use common::{Starts, World, bounded, double, one_at_a_time};

#[test]
fn an_urgent_job_overtakes_finished_results_at_the_drain() {
    let mut world = World::new(one_at_a_time(), double);
    world.request(0..50);
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 50);
    world.scheduler.refresh_in(60, Lane::Urgent);
    world.frame();
    assert_eq!(world.drain_keys(1), [60]);
    assert_eq!(world.drain_keys(3), [0, 1, 2]);
}

#[test]
fn a_finished_result_whose_job_is_promoted_overtakes_the_others() {
    let mut world = World::new(one_at_a_time(), double);
    world.request(0..50);
    world.frame();
    assert_eq!(world.drain_keys(2), [0, 1]);
    assert!(!world.scheduler.request_in(30, Lane::Urgent).is_new());
    assert!(!world.scheduler.request_in(20, Lane::Urgent).is_new());
    assert_eq!(world.drain_keys(4), [20, 30, 2, 3]);
}

#[test]
fn an_urgent_job_is_generated_while_the_completed_queue_is_full() {
    let mut world = World::new(bounded(4, 1_024), double);
    world.request(0..20);
    world.frames(2);
    assert_eq!(world.scheduler.depths().completed, 4);
    world.scheduler.refresh_in(99, Lane::Urgent);
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 5);
    assert_eq!(world.drain_keys(1), [99]);
}

#[test]
fn an_urgent_result_passes_a_full_backlog() {
    let mut world = World::new(bounded(3, 2), double);
    world.request(0..20);
    world.frame();
    assert_eq!(world.drain_keys(usize::MAX), [0, 1]);
    world.frame();
    let more = world.drain_keys(usize::MAX);
    assert!(more.is_empty(), "the backlog is full");
    world.scheduler.refresh_in(99, Lane::Urgent);
    world.frame();
    assert_eq!(world.drain_keys(usize::MAX), [99]);
}

#[test]
fn the_reserve_of_urgent_jobs_is_bounded() {
    let started = Starts::default();
    let config = SchedulerConfig {
        max_in_flight: 3,
        urgent_reserve: 3,
        ..bounded(4, 2)
    };
    let mut world = World::new(config, started.counted());
    for key in 0..100 {
        world.scheduler.request(key);
        world.scheduler.request_in(key + 1_000, Lane::Urgent);
    }
    for _ in 0..5 {
        world.frame();
        assert_eq!(started.get(), 7);
    }
    let mut backlog = world.drain();
    assert_eq!(backlog.len(), 5);
    world.frame();
    assert_eq!(started.get(), 12);
    assert!(world.drain().is_empty());
    let mut applied = 0;
    while !backlog.is_empty() {
        applied += backlog.len();
        world.applied(backlog);
        world.frame();
        backlog = world.drain();
    }
    assert_eq!(applied, 200);
}

/// One normal start in sixty-five is enough.
#[test]
fn urgent_jobs_without_end_do_not_stop_loading() {
    let mut world = World::new(one_at_a_time(), double);
    world.request(0..3);
    let mut loaded = Vec::new();
    for round in 0..400 {
        for edit in [0, 1] {
            let key = 1_000 + round * 2 + edit;
            world.scheduler.request_in(key, Lane::Urgent);
        }
        world.tick();
        world.steps(3);
        let applied = world.apply_keys();
        loaded.extend(applied.into_iter().filter(|key| *key < 1_000));
    }
    assert_eq!(loaded, [0, 1, 2]);
}
