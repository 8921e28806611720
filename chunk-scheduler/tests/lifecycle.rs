//! Requests, versions, cancellation, refreshing: who gets which result.

mod common;

use chunk_scheduler::{Generator, Job, JobState, Lane, Requested, SchedulerConfig, Status};
use common::{World, double, one_at_a_time};

#[test]
fn the_nearest_comes_first_whatever_the_order_of_requests() {
    let mut world = World::new(one_at_a_time(), double);
    for key in [9, -3, 4, 0, -1, 2] {
        assert!(world.scheduler.request(key).is_new());
    }
    assert_eq!(world.settle(), [0, -1, 2, -3, 4, 9]);
}

#[test]
fn a_second_request_joins_the_live_job() {
    let mut world = World::new(one_at_a_time(), double);
    let version = world.scheduler.request(1).version();
    assert_eq!(world.scheduler.request(1), Requested::Coalesced(version));
    world.frame();
    assert_eq!(world.scheduler.request(1), Requested::Coalesced(version));
    let delivered = world.drain();
    assert_eq!(delivered.len(), 1);
    assert_eq!(world.scheduler.request(1), Requested::Coalesced(version));
    assert!(world.scheduler.applied(1, version));
    assert_eq!(world.scheduler.counters().coalesced, 3);
    assert!(world.scheduler.request(1).version() > version);
}

/// A chunk cancelled and asked for again accepts the old result (Veloren).
#[test]
fn a_forgotten_key_asked_for_again_does_not_accept_the_old_result() {
    let mut world = World::new(one_at_a_time(), double);
    let old = world.scheduler.request(1).version();
    world.frame();
    assert!(world.scheduler.cancel(1));
    let new = world.scheduler.request(1).version();
    assert!(world.drain().is_empty());
    assert!(!world.scheduler.applied(1, old));
    assert!(world.scheduler.is_current(1, new));
    world.frame();
    assert_eq!(world.apply(), [(1, new)]);
}

/// The old completion removes the new request (Veloren).
#[test]
fn applying_an_old_result_does_not_settle_the_new_request() {
    let mut world = World::new(one_at_a_time(), double);
    let old = world.scheduler.request(1).version();
    world.frame();
    assert_eq!(world.drain().len(), 1);
    let new = world.scheduler.refresh(1);
    assert!(!world.scheduler.applied(1, old));
    assert_eq!(world.scheduler.counters().stale, 1);
    world.frame();
    assert_eq!(world.apply(), [(1, new)]);
}

#[test]
fn a_job_can_be_cancelled_in_every_state() {
    for steps in 0..6 {
        let mut world = World::new(one_at_a_time(), double);
        world.scheduler.request(1);
        if steps > 0 {
            world.tick();
        }
        for _ in 1..steps {
            world.simulation.step();
        }
        if steps == 5 {
            assert_eq!(world.drain().len(), 1);
        }
        assert!(world.scheduler.cancel(1), "after {steps} steps");
        assert!(!world.scheduler.cancel(1));
        world.check();
        assert!(world.settle().is_empty());
        assert!(world.drain().is_empty());
        assert_eq!(world.scheduler.counters().cancelled, 1);
        assert_eq!(world.scheduler.depths().in_flight, 0);
    }
}

#[test]
fn a_refresh_in_every_state_delivers_only_the_new_version() {
    for steps in 0..6 {
        let mut world = World::new(one_at_a_time(), double);
        let old = world.scheduler.request(1).version();
        if steps > 0 {
            world.tick();
        }
        for _ in 1..steps {
            world.simulation.step();
        }
        let new = world.scheduler.refresh(1);
        assert!(new > old);
        world.frame();
        world.frame();
        assert_eq!(world.apply(), [(1, new)], "after {steps} steps");
        assert_eq!(world.scheduler.counters().stale, 1);
    }
}

#[test]
fn a_refresh_of_nothing_is_a_request() {
    let mut world = World::new(one_at_a_time(), double);
    let version = world.scheduler.refresh_in(1, Lane::Urgent);
    world.frame();
    assert_eq!(world.apply(), [(1, version)]);
    assert_eq!(world.scheduler.counters().stale, 0);
}

/// Edits wait behind loading (godot_voxel 48).
#[test]
fn an_edit_overtakes_everything_that_is_loading() {
    let mut world = World::new(one_at_a_time(), double);
    for key in 0..500 {
        world.scheduler.request_in(
            key,
            if key % 2 == 0 {
                Lane::Prefetch
            } else {
                Lane::Normal
            },
        );
    }
    world.tick();
    world.simulation.step();
    world.scheduler.refresh_in(499, Lane::Urgent);
    world.scheduler.request_in(498, Lane::Urgent);
    let order = world.settle();
    assert_eq!(
        order[..4],
        [498, 499, 1, 3],
        "the edits, even before what was in flight, then the nearest"
    );
    assert_eq!(order[251..254], [0, 2, 4], "what may be wanted comes last");
    assert_eq!(order.len(), 500);
}

/// The same chunk generated twice at once (Luanti 10409).
#[test]
fn a_key_is_never_generated_twice_at_the_same_time() {
    use std::sync::{Arc, Mutex};
    for seed in 0..50 {
        let running = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&running);
        let mut world = World::seeded(seed, SchedulerConfig::default(), |simulation| {
            let simulation = simulation.clone();
            Generator::from_async(move |job: Job<i32>| {
                let (simulation, running) = (simulation.clone(), Arc::clone(&running));
                let key = job.key();
                let stays = Stays::enter(&running, key);
                async move {
                    let _stays = stays;
                    simulation.sleep(common::FRAME * 2).await;
                    Ok::<_, &str>(key)
                }
            })
        });
        for round in 0..30 {
            world.scheduler.refresh(round % 3);
            world.tick();
            world.simulation.step();
            world.simulation.step();
        }
        world.settle();
        assert!(seen.lock().expect("nobody panicked").is_empty());
    }

    struct Stays(Arc<Mutex<Vec<i32>>>, i32);

    impl Stays {
        fn enter(running: &Arc<Mutex<Vec<i32>>>, key: i32) -> Self {
            let mut keys = running.lock().expect("nobody panicked");
            assert!(!keys.contains(&key), "{key} is generated twice at once");
            keys.push(key);
            Self(Arc::clone(running), key)
        }
    }

    impl Drop for Stays {
        fn drop(&mut self) {
            let mut keys = self.0.lock().expect("nobody panicked");
            keys.retain(|key| *key != self.1);
        }
    }
}

#[test]
fn known_empty_chunks_are_delivered_without_a_job() {
    let mut world = World::new(one_at_a_time(), |_| {
        Generator::new(|job: &Job<i32>| job.key()).with_known_empty(|key| (*key > 10).then_some(-1))
    });
    world.scheduler.request(20);
    world.scheduler.request(1);
    world.scheduler.request(21);
    world.scheduler.request(22);
    assert!(world.scheduler.cancel(21));
    let ready = world.drain();
    let outputs: Vec<_> = ready.iter().map(|d| (d.key, d.content)).collect();
    assert_eq!(outputs, [(20, -1), (22, -1)]);
    for result in ready {
        assert!(world.scheduler.applied(result.key, result.version));
    }
    assert_eq!(world.settle(), [1]);
    let counters = world.scheduler.counters();
    assert_eq!((counters.known_empty, counters.generated), (3, 1));
}

#[test]
fn explain_follows_a_job_through_its_life() {
    let state = |world: &World<i32>, key| match world.scheduler.explain(key).status {
        Status::Live(live) => Some(live.state),
        _ => None,
    };
    let mut world = World::new(one_at_a_time(), double);
    assert_eq!(state(&world, 5), None);
    world.scheduler.request(5);
    world.scheduler.request(2);
    world.scheduler.request(3);
    let text = world.scheduler.explain(5).to_string();
    assert!(
        text.starts_with(
            "5 is queued behind 2 others and waits for the next tick (attempt 1, Normal lane"
        ),
        "{text}"
    );
    world.tick();
    world.simulation.step();
    assert_eq!(state(&world, 2), Some(JobState::InFlight));
    world.simulation.run();
    assert_eq!(state(&world, 5), Some(JobState::Completed));
    let ready = world.drain();
    assert_eq!(state(&world, 5), Some(JobState::Delivered));
    assert!(world.scheduler.applied(5, ready[2].version));
    assert_eq!(world.scheduler.explain(5).status, Status::Unknown);
}
