//! Requests, versions, cancelling and refreshing: which result answers which request.

mod common;

use chunk_scheduler::{Generator, Job, Lane, Requested, SchedulerConfig};
use common::{FRAME, World, double, one_at_a_time, plain};

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

/// A chunk that is cancelled and requested again accepts the old result (Veloren).
#[test]
fn a_key_that_is_requested_again_does_not_accept_the_old_result() {
    let mut world = World::new(one_at_a_time(), double);
    let old = world.scheduler.request(1).version();
    world.frame();
    assert!(world.scheduler.cancel(1));
    let new = world.scheduler.request(1).version();
    assert!(world.drain().is_empty());
    assert!(!world.scheduler.applied(1, old));
    assert!(world.scheduler.is_live(1, new));
    world.frame();
    assert_eq!(world.apply(), [(1, new)]);
}

/// The old result removes the new request (Veloren).
#[test]
fn applying_an_old_result_does_not_end_the_new_request() {
    let mut world = World::new(one_at_a_time(), double);
    let old = world.scheduler.request(1).version();
    world.frame();
    assert_eq!(world.drain().len(), 1);
    let new = world.scheduler.refresh(1).version();
    assert!(world.scheduler.applied(1, old), "nothing newer is finished");
    assert_eq!(world.scheduler.live_version(1), Some(new));
    world.frame();
    assert_eq!(world.apply(), [(1, new)]);
    assert_eq!(world.scheduler.counters().stale, 0);
}

#[test]
fn a_job_can_be_cancelled_in_every_state() {
    for steps in 0..6 {
        let mut world = World::new(one_at_a_time(), double);
        world.scheduler.request(1);
        if steps > 0 {
            world.tick();
        }
        world.steps(steps.max(1) - 1);
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
fn a_refresh_without_a_live_job_is_a_request() {
    let mut world = World::new(one_at_a_time(), double);
    let refreshed = world.scheduler.refresh_in(1, Lane::Urgent);
    assert!(refreshed.is_new());
    world.frame();
    assert_eq!(world.apply(), [(1, refreshed.version())]);
    assert_eq!(world.scheduler.counters().stale, 0);
}

/// Edits wait behind loading (godot_voxel 48).
#[test]
fn an_urgent_job_overtakes_all_others() {
    let mut world = World::new(one_at_a_time(), double);
    for key in 0..500 {
        let lane = [Lane::Prefetch, Lane::Normal][usize::from(key % 2 == 1)];
        world.scheduler.request_in(key, lane);
    }
    world.tick();
    world.simulation.step();
    world.scheduler.refresh_in(499, Lane::Urgent);
    world.scheduler.request_in(498, Lane::Urgent);
    let order = world.settle();
    // The urgent results are delivered even before the one that was in flight.
    assert_eq!(order[..4], [498, 499, 1, 3]);
    assert_eq!(order[251..254], [0, 2, 4], "the prefetch lane comes last");
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
                let guard = Running::enter(&running, key);
                async move {
                    let _guard = guard;
                    simulation.sleep(common::FRAME * 2).await;
                    Ok::<_, &str>(key)
                }
            })
        });
        for round in 0..30 {
            world.scheduler.refresh(round % 3);
            world.tick();
            world.steps(2);
        }
        world.settle();
        assert!(seen.lock().expect("no thread panicked").is_empty());
    }

    struct Running(Arc<Mutex<Vec<i32>>>, i32);

    impl Running {
        fn enter(running: &Arc<Mutex<Vec<i32>>>, key: i32) -> Self {
            let mut keys = running.lock().expect("no thread panicked");
            assert!(!keys.contains(&key), "{key} is generated twice at once");
            keys.push(key);
            Self(Arc::clone(running), key)
        }
    }

    impl Drop for Running {
        fn drop(&mut self) {
            let mut keys = self.0.lock().expect("no thread panicked");
            keys.retain(|key| *key != self.1);
        }
    }
}

#[test]
fn known_empty_chunks_are_delivered_without_a_job() {
    let mut world = World::new(one_at_a_time(), |_| {
        plain().with_known_empty(|key| (*key > 10).then_some(-1))
    });
    world.request([20, 1, 21, 22]);
    assert!(world.scheduler.cancel(21));
    let ready = world.drain();
    let outputs: Vec<_> = ready.iter().map(|d| (d.key, d.content)).collect();
    assert_eq!(outputs, [(20, -1), (22, -1)]);
    world.applied(ready);
    assert_eq!(world.settle(), [1]);
    let counters = world.scheduler.counters();
    assert_eq!((counters.known_empty, counters.generated), (3, 1));
}

/// Answers and results of workers take turns, and a key whose answer finds no room is generated.
#[test]
fn results_do_not_wait_behind_a_burst_of_answers_for_keys_that_are_known_to_be_empty() {
    let config = SchedulerConfig {
        completed_capacity: 8,
        ..one_at_a_time()
    };
    let mut world = World::new(config, |_| {
        Generator::new(|job: &Job<i32>| job.key()).with_known_empty(|key| (*key > 10).then_some(-1))
    });
    world.request([1, 2]);
    world.frame();
    world.request(11..30);
    let counters = world.scheduler.counters();
    assert_eq!((counters.known_empty, counters.generated), (6, 2));
    let mut delivered = Vec::new();
    (world.scheduler).drain(4, |result| delivered.push((result.key, result.content)));
    assert_eq!(delivered, [(11, -1), (1, 1), (12, -1), (2, 2)]);
    for (key, _) in delivered {
        let version = world.scheduler.live_version(key).expect("it was delivered");
        assert!(world.scheduler.applied(key, version));
    }
    assert_eq!(world.settle().len(), 17);
}

#[test]
fn held_workers_start_when_they_are_let_go_and_those_that_run_go_on() {
    let config = SchedulerConfig {
        completed_capacity: 1,
        ..one_at_a_time()
    };
    let mut world = World::new(config, double);
    world.scheduler.hold_workers(true);
    world.request([1, 2]);
    world.frames(3);
    assert!(world.drain().is_empty(), "none was started");
    world.scheduler.hold_workers(false);
    world.scheduler.hold_workers(true);
    world.frame();
    let first = world.drain();
    assert_eq!(first[0].key, 1);
    world.frames(3);
    assert!(
        world.drain().is_empty(),
        "its place is free, and no worker is started for it"
    );
    world.scheduler.hold_workers(false);
    world.frame();
    assert_eq!(world.drain()[0].key, 2);
    world.scheduler.hold_workers(true);
    world.request([3]);
    world.scheduler.shutdown();
    world.scheduler.hold_workers(false);
    world.simulation.advance(FRAME);
    assert_eq!(world.scheduler.counters().generated, 2, "it is shut down");
}
