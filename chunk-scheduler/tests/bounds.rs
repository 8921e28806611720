//! I3 and I4: bounds delay results and never lose one.

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chunk_scheduler::{Generator, Job, SchedulerConfig};
use common::{FRAME, Starts, World, double};

#[test]
fn a_full_completed_queue_stops_starts_and_draining_resumes_them() {
    let started = Starts::default();
    let config = SchedulerConfig {
        completed_capacity: 4,
        ..SchedulerConfig::default()
    };
    let mut world = World::new(config, started.counted());
    world.request(0..100);
    for _ in 0..5 {
        world.frame();
        assert_eq!(started.get(), 4, "nobody starts a fifth");
    }
    let mut applied = 0;
    while applied < 100 {
        let mut ready = Vec::new();
        world.scheduler.drain(1, |result| ready.push(result));
        for result in ready {
            assert!(world.scheduler.applied(result.key, result.version));
            applied += 1;
        }
        world.simulation.run();
        world.check();
        let unapplied = started.get() - applied;
        assert!(unapplied <= 4, "{unapplied} results for 4 permits");
    }
}

#[test]
fn a_full_backlog_stops_draining_and_nothing_is_lost() {
    let config = SchedulerConfig {
        completed_capacity: 3,
        backlog_capacity: 2,
        ..SchedulerConfig::default()
    };
    let mut world = World::new(config, double);
    world.request(0..10);
    let mut backlog = Vec::new();
    for _ in 0..20 {
        world.frame();
        backlog.extend(world.drain());
    }
    assert_eq!(backlog.len(), 2);
    let depths = world.scheduler.depths();
    assert_eq!((depths.completed, depths.backlog, depths.queued), (3, 2, 5));
    for result in backlog {
        assert!(world.scheduler.applied(result.key, result.version));
    }
    assert_eq!(world.settle().len(), 8);
}

#[test]
fn cancelled_results_give_their_places_back() {
    let config = SchedulerConfig {
        completed_capacity: 2,
        ..SchedulerConfig::default()
    };
    let mut world = World::new(config, double);
    for round in 0..20 {
        world.scheduler.request(round);
        world.scheduler.request(round + 100);
        world.frame();
        assert!(world.scheduler.cancel(round));
        assert!(world.scheduler.cancel(round + 100));
        assert!(world.drain().is_empty());
    }
    world.scheduler.request(1);
    assert_eq!(world.settle(), [1]);
}

#[test]
fn in_flight_follows_the_limit_up_and_down() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let mut world = World::new(SchedulerConfig::default(), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |_: Job<i32>| {
            let (simulation, running) = (simulation.clone(), Arc::clone(&running));
            most.fetch_max(
                running.fetch_add(1, Ordering::Relaxed) + 1,
                Ordering::Relaxed,
            );
            async move {
                simulation.sleep(FRAME).await;
                running.fetch_sub(1, Ordering::Relaxed);
                Ok::<_, &str>(())
            }
        })
    });
    world.request(0..400);
    let most_at = |world: &mut World<()>, limit| {
        world
            .scheduler
            .set_max_in_flight(limit)
            .expect("the limit is valid");
        for _ in 0..3 {
            world.frame();
        }
        seen.store(0, Ordering::Relaxed);
        for _ in 0..4 {
            world.frame();
        }
        world.apply();
        seen.load(Ordering::Relaxed)
    };
    assert_eq!(most_at(&mut world, 3), 3);
    assert_eq!(most_at(&mut world, 8), 8);
    assert_eq!(most_at(&mut world, 1), 1);
    assert_eq!(most_at(&mut world, 5), 5);
    assert!(world.scheduler.set_max_in_flight(0).is_err());
    assert_eq!(world.scheduler.max_in_flight(), 5);
}

/// A teleport withdraws what the workers have not begun; only what they have can be in vain.
#[test]
fn a_teleport_wastes_at_most_what_is_in_flight() {
    let mut world = World::new(SchedulerConfig::default(), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            let nap = simulation.sleep(FRAME / 4);
            async move {
                nap.await;
                Ok::<_, &str>(job.key())
            }
        })
    });
    for teleport in 0..10 {
        let base = teleport * 10_000;
        world.scheduler.publish(common::Near(base));
        world.request(base..base + 2_000);
        for _ in 0..20 {
            world.frame();
            world.apply();
        }
        let before = world.scheduler.counters();
        for key in base..base + 2_000 {
            world.scheduler.cancel(key);
        }
        world.simulation.run();
        world.apply();
        let after = world.scheduler.counters();
        assert_eq!(after.applied, before.applied);
        let in_vain = after.generated - before.applied;
        assert!(in_vain <= 3, "{in_vain} were generated in vain");
    }
}
