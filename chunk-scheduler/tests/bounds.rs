//! I3 and I4: bounds delay results and never lose one.

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chunk_scheduler::{Generator, Job, SchedulerConfig};
use common::{FRAME, Near, Starts, World, bounded, double, taking};

#[test]
fn a_full_completed_queue_stops_starts_and_draining_resumes_them() {
    let started = Starts::default();
    let config = SchedulerConfig {
        max_in_flight: 3,
        ..bounded(4, 1_024)
    };
    let mut world = World::new(config, started.counted());
    world.request(0..100);
    for _ in 0..5 {
        world.frame();
        assert_eq!(started.get(), 4, "no fifth job starts");
    }
    let mut applied = 0;
    while applied < 100 {
        let mut ready = Vec::new();
        world.scheduler.drain(1, |result| ready.push(result));
        applied += ready.len();
        world.applied(ready);
        world.simulation.run();
        world.check();
        let unapplied = started.get() - applied;
        assert!(unapplied <= 4, "{unapplied} results for 4 permits");
    }
}

#[test]
fn a_full_backlog_stops_draining_and_nothing_is_lost() {
    let config = SchedulerConfig {
        max_in_flight: 3,
        ..bounded(3, 2)
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
    world.applied(backlog);
    assert_eq!(world.settle().len(), 8);
}

#[test]
fn cancelled_results_release_their_permits() {
    let config = SchedulerConfig {
        max_in_flight: 3,
        ..bounded(2, 1_024)
    };
    let mut world = World::new(config, double);
    for round in 0..20 {
        let keys = [round, round + 100];
        world.request(keys);
        world.frame();
        assert_eq!(world.cancel(keys), 2);
        assert!(world.drain().is_empty());
    }
    world.scheduler.request(1);
    assert_eq!(world.settle(), [1]);
}

#[test]
fn the_jobs_in_flight_follow_the_limit_up_and_down() {
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    let mut world = World::new(SchedulerConfig::default(), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |_: Job<i32>| {
            let (simulation, running) = (simulation.clone(), Arc::clone(&running));
            let now = running.fetch_add(1, Ordering::Relaxed) + 1;
            most.fetch_max(now, Ordering::Relaxed);
            async move {
                simulation.sleep(FRAME).await;
                running.fetch_sub(1, Ordering::Relaxed);
                Ok::<_, &str>(())
            }
        })
    });
    world.request(0..400);
    let most_at = |world: &mut World<()>, limit| {
        let set = world.scheduler.set_max_in_flight(limit);
        set.expect("the limit is valid");
        world.frames(3);
        seen.store(0, Ordering::Relaxed);
        world.frames(4);
        world.apply();
        seen.load(Ordering::Relaxed)
    };
    for limit in [3, 8, 1, 5] {
        assert_eq!(most_at(&mut world, limit), limit);
    }
    assert!(world.scheduler.set_max_in_flight(0).is_err());
    assert_eq!(world.scheduler.max_in_flight(), 5);
}

/// A teleport withdraws what is queued, so only what is in flight can be generated in vain.
#[test]
fn a_teleport_wastes_at_most_what_is_in_flight() {
    let mut world = World::new(SchedulerConfig::default(), taking(|_| FRAME / 4));
    for teleport in 0..10 {
        let base = teleport * 10_000;
        world.scheduler.publish(Near(base));
        world.request(base..base + 2_000);
        for _ in 0..20 {
            world.frame();
            world.apply();
        }
        let before = world.scheduler.counters();
        world.cancel(base..base + 2_000);
        world.simulation.run();
        world.apply();
        let after = world.scheduler.counters();
        assert_eq!(after.applied, before.applied);
        let in_vain = after.generated - before.applied;
        assert!(in_vain <= 3, "{in_vain} were generated in vain");
    }
}
