//! What is withdrawn gives back all that it took, wherever it was.

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chunk_scheduler::{Generator, Job, SchedulerConfig};
use common::{FRAME, World, double, napping, one_at_a_time};

#[test]
fn withdrawn_results_take_no_room_in_the_backlog() {
    let config = SchedulerConfig {
        backlog_capacity: 2,
        ..one_at_a_time()
    };
    let mut world = World::new(config, double);
    world.request(0..10);
    world.frame();
    for key in 0..8 {
        assert!(world.scheduler.cancel(key));
    }
    assert_eq!(world.scheduler.depths().unwanted, 8);
    let keys: Vec<_> = world.drain().iter().map(|result| result.key).collect();
    assert_eq!(keys, [8, 9]);
    assert_eq!(world.scheduler.depths().unwanted, 0);
}

#[test]
fn withdrawn_results_give_their_places_back_though_the_backlog_is_full() {
    let config = SchedulerConfig {
        completed_capacity: 3,
        backlog_capacity: 2,
        ..one_at_a_time()
    };
    let mut world = World::new(config, double);
    world.request(0..20);
    world.frame();
    let backlog = world.drain();
    assert_eq!(backlog.len(), 2);
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 3);
    for key in 2..5 {
        assert!(world.scheduler.cancel(key));
    }
    // Nobody drains: a paused game does not, and a full backlog lets nothing through.
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 3, "three others");
    assert_eq!(world.scheduler.counters().generated, 8);
    for result in backlog {
        assert!(world.scheduler.applied(result.key, result.version));
    }
    assert_eq!(world.settle().len(), 15);
}

#[test]
fn a_full_queue_is_counted_each_time_it_stops_a_start() {
    let config = SchedulerConfig {
        completed_capacity: 4,
        ..one_at_a_time()
    };
    let mut world = World::new(config, double);
    world.request(0..5);
    world.frame();
    assert_eq!(world.scheduler.counters().starts_refused, 0);
    for frames in 1..=3 {
        world.frame();
        assert_eq!(world.scheduler.counters().starts_refused, frames);
    }
    assert_eq!(world.settle().len(), 5);
    assert_eq!(
        world.scheduler.counters().starts_refused,
        4,
        "and no more after the drain"
    );
}

#[test]
fn what_is_generated_and_never_applied_is_wasted_wherever_it_ends() {
    let mut world = World::new(SchedulerConfig::default(), napping);
    world.request(0..3);
    world.frame();
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 3);
    assert!(world.scheduler.cancel(0));
    assert_eq!(world.scheduler.counters().wasted, 1, "at the drain");
    let backlog = world.drain();
    world.scheduler.refresh(backlog[0].key);
    assert_eq!(world.scheduler.counters().wasted, 2, "in the backlog");
    let (key, version) = (backlog[1].key, backlog[1].version);
    assert!(world.scheduler.apply_failed(key, version, "no room"));
    let counters = world.scheduler.counters();
    assert_eq!(counters.wasted, 3, "when it cannot be applied");
    let lost = counters.wasted_time.as_secs_f32() / (FRAME * 3).as_secs_f32();
    assert!((0.93..1.07).contains(&lost), "{lost} of the time");
    assert_eq!(world.settle().len(), 2);
    world.check();
}

/// Like a result, an answer holds a permit, so that answers which are withdrawn cannot pile up.
#[test]
fn withdrawn_answers_of_the_known_empty_hook_are_bounded_and_forgotten_at_the_next_tick() {
    let token = Arc::new(());
    let answer = Arc::clone(&token);
    let config = SchedulerConfig {
        completed_capacity: 50,
        ..one_at_a_time()
    };
    let mut world = World::new(config, |_| {
        Generator::new(|_: &Job<i32>| unreachable!("all of it is empty or withdrawn"))
            .with_known_empty(move |_| Some(Arc::clone(&answer)))
    });
    for round in 0..10_000 {
        world.scheduler.request(round);
        assert!(world.scheduler.cancel(round));
        world.simulation.run();
    }
    let kept = Arc::strong_count(&token) - 2;
    assert_eq!(kept, 50, "as many as there are permits");
    world.tick();
    world.simulation.run();
    assert_eq!(Arc::strong_count(&token), 2);
}

/// Unbounded requests, 52,000 chunks and 7 GB (Cubyz 2848): all of it is visible, none of it is
/// generated ahead of its use.
#[test]
fn more_requests_than_anybody_applies_wait_where_they_can_be_seen() {
    let alive = Arc::new(());
    let content = Arc::clone(&alive);
    let config = SchedulerConfig {
        completed_capacity: 100,
        backlog_capacity: 50,
        ..SchedulerConfig::default()
    };
    let mut world = World::new(config, |_| {
        Generator::new(move |_: &Job<i32>| Arc::clone(&content))
    });
    world.request(0..52_000);
    let mut backlog = Vec::new();
    for _ in 0..20 {
        world.frame();
        backlog.extend(world.drain());
    }
    let depths = world.scheduler.depths();
    assert_eq!((depths.backlog, depths.completed), (50, 100));
    assert_eq!(depths.queued, 52_000 - 150);
    assert_eq!(Arc::strong_count(&alive) - 2, 150, "contents in memory");
    assert!(world.scheduler.counters().starts_refused > 10);
    for key in 0..52_000 {
        world.scheduler.cancel(key);
    }
    world.frame();
    world
        .scheduler
        .discard(backlog.into_iter().map(|it| it.content).collect());
    world.simulation.run();
    assert_eq!(Arc::strong_count(&alive) - 2, 0);
    assert_eq!(
        (
            world.scheduler.depths().live(),
            world.scheduler.depths().unwanted
        ),
        (0, 0)
    );
}

/// Border churn eats the whole capacity (bevy_voxel_world 65).
#[test]
fn churn_at_a_border_neither_delays_what_is_kept_nor_is_generated_for_nothing() {
    let frames_until_loaded = |has_churn: bool| {
        let mut world = World::new(SchedulerConfig::default(), |simulation| {
            let simulation = simulation.clone();
            Generator::from_async(move |job: Job<i32>| {
                let nap = simulation.sleep(FRAME / 2);
                async move {
                    nap.await;
                    Ok::<_, &str>(job.key())
                }
            })
        });
        world.request(0..300);
        let mut kept = 0;
        for frame in 1..1_000 {
            if has_churn {
                // Wanted for one frame, in which the workers do run.
                world.request(1_000..1_100);
            }
            world.frame();
            kept += world
                .apply()
                .into_iter()
                .filter(|(key, _)| *key < 300)
                .count();
            for key in 1_000..1_100 {
                world.scheduler.cancel(key);
            }
            if kept == 300 {
                return (frame, world.scheduler.counters());
            }
        }
        unreachable!("it never loads");
    };
    let (undisturbed, _) = frames_until_loaded(false);
    let (disturbed, counters) = frames_until_loaded(true);
    assert_eq!(disturbed, undisturbed);
    assert!(counters.cancelled >= 100 * (undisturbed - 1));
    assert!(
        counters.generated <= 300 + 3 * 2,
        "{} generated",
        counters.generated
    );
}

#[test]
fn a_scheduler_and_its_simulation_let_go_of_each_other() {
    let token = Arc::new(AtomicUsize::new(0));
    let shared = Arc::clone(&token);
    let mut world = World::new(SchedulerConfig::default(), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            shared.fetch_add(1, Ordering::Relaxed);
            let nap = simulation.sleep(FRAME * 100);
            async move {
                nap.await;
                Ok::<_, &str>(job.key())
            }
        })
    });
    world.request(0..10);
    world.frame();
    assert_eq!(
        token.load(Ordering::Relaxed),
        3,
        "three wait for time to pass"
    );
    drop(world);
    assert_eq!(Arc::strong_count(&token), 1);
}
