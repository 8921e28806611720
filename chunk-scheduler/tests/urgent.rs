//! Edits overtake loading wherever it is (godot_voxel 48), and do not stop it.

mod common;

use chunk_scheduler::{Lane, SchedulerConfig};
use common::{Starts, World, double, one_at_a_time};

fn keys(world: &mut World<i32>, max: usize) -> Vec<i32> {
    let mut keys = Vec::new();
    world.scheduler.drain(max, |result| keys.push(result.key));
    world.check();
    keys
}

#[test]
fn an_edit_overtakes_finished_results_at_the_drain() {
    let mut world = World::new(one_at_a_time(), double);
    world.request(0..50);
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 50);
    world.scheduler.refresh_in(60, Lane::Urgent);
    world.frame();
    assert_eq!(keys(&mut world, 1), [60]);
    assert_eq!(keys(&mut world, 3), [0, 1, 2]);
}

#[test]
fn a_finished_result_that_is_promoted_overtakes_the_others() {
    let mut world = World::new(one_at_a_time(), double);
    world.request(0..50);
    world.frame();
    assert_eq!(keys(&mut world, 2), [0, 1]);
    assert!(!world.scheduler.request_in(30, Lane::Urgent).is_new());
    assert!(!world.scheduler.request_in(20, Lane::Urgent).is_new());
    assert_eq!(keys(&mut world, 4), [20, 30, 2, 3]);
}

#[test]
fn an_edit_is_generated_though_the_completed_queue_is_full() {
    let config = SchedulerConfig {
        completed_capacity: 4,
        ..one_at_a_time()
    };
    let mut world = World::new(config, double);
    world.request(0..20);
    world.frame();
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 4);
    world.scheduler.refresh_in(99, Lane::Urgent);
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 5);
    assert_eq!(keys(&mut world, 1), [99]);
}

#[test]
fn an_edit_passes_a_full_backlog() {
    let config = SchedulerConfig {
        completed_capacity: 3,
        backlog_capacity: 2,
        ..one_at_a_time()
    };
    let mut world = World::new(config, double);
    world.request(0..20);
    world.frame();
    assert_eq!(keys(&mut world, usize::MAX), [0, 1]);
    world.frame();
    assert!(
        keys(&mut world, usize::MAX).is_empty(),
        "the backlog is full"
    );
    world.scheduler.refresh_in(99, Lane::Urgent);
    world.frame();
    assert_eq!(keys(&mut world, usize::MAX), [99]);
}

#[test]
fn what_edits_may_have_beyond_the_bounds_is_bounded_too() {
    let started = Starts::default();
    let config = SchedulerConfig {
        completed_capacity: 4,
        backlog_capacity: 2,
        urgent_reserve: 3,
        ..SchedulerConfig::default()
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
        for result in backlog.drain(..) {
            assert!(world.scheduler.applied(result.key, result.version));
            applied += 1;
        }
        world.frame();
        backlog = world.drain();
    }
    assert_eq!(applied, 200);
}

/// One start in sixty-five is enough for loading never to stop.
#[test]
fn edits_without_end_do_not_stop_loading() {
    let mut world = World::new(one_at_a_time(), double);
    world.request(0..3);
    let mut loaded = Vec::new();
    for round in 0..400 {
        for edit in 0..2 {
            world
                .scheduler
                .request_in(1_000 + round * 2 + edit, Lane::Urgent);
        }
        world.tick();
        for _ in 0..3 {
            world.simulation.step();
        }
        let applied = world.apply().into_iter().map(|(key, _)| key);
        loaded.extend(applied.filter(|key| *key < 1_000));
    }
    assert_eq!(loaded, [0, 1, 2]);
}
