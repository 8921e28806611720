//! A withdrawn job gives back all that it took, in every state.

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chunk_scheduler::{Generator, Job, SchedulerConfig};
use common::{FRAME, World, bounded, double, taking, taking_a_frame};

#[test]
fn withdrawn_results_take_no_room_in_the_backlog() {
    let mut world = World::new(bounded(1_024, 2), double);
    world.request(0..10);
    world.frame();
    assert_eq!(world.cancel(0..8), 8);
    assert_eq!(world.scheduler.depths().unwanted, 8);
    assert_eq!(world.drain_keys(usize::MAX), [8, 9]);
    assert_eq!(world.scheduler.depths().unwanted, 0);
}

#[test]
fn withdrawn_results_release_their_permits_while_the_backlog_is_full() {
    let mut world = World::new(bounded(3, 2), double);
    world.request(0..20);
    world.frame();
    let backlog = world.drain();
    assert_eq!(backlog.len(), 2);
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 3);
    assert_eq!(world.cancel(2..5), 3);
    // Without a drain, as in a paused game.
    world.frame();
    assert_eq!(world.scheduler.depths().completed, 3, "three others");
    assert_eq!(world.scheduler.counters().generated, 8);
    world.applied(backlog);
    assert_eq!(world.settle().len(), 15);
}

#[test]
fn each_start_that_a_full_queue_refuses_is_counted() {
    let mut world = World::new(bounded(4, 1_024), double);
    world.request(0..5);
    world.frame();
    assert_eq!(world.scheduler.counters().starts_refused, 0);
    for frames in 1..=3 {
        world.frame();
        assert_eq!(world.scheduler.counters().starts_refused, frames);
    }
    assert_eq!(world.settle().len(), 5);
    let refused = world.scheduler.counters().starts_refused;
    assert_eq!(refused, 4, "and no more after the drain");
}

#[test]
fn a_generated_result_that_is_not_applied_is_wasted_in_every_state() {
    let mut world = World::new(SchedulerConfig::default(), taking_a_frame);
    world.request(0..3);
    world.frames(2);
    assert_eq!(world.scheduler.depths().completed, 3);
    assert_eq!(world.cancel([0]), 1);
    assert_eq!(world.scheduler.counters().wasted, 1, "at the drain");
    let backlog = world.drain();
    assert_eq!(world.cancel([backlog[0].key]), 1);
    assert_eq!(world.scheduler.counters().wasted, 2, "in the backlog");
    let (key, version) = (backlog[1].key, backlog[1].version);
    assert!(world.scheduler.apply_failed(key, version, "no room"));
    let counters = world.scheduler.counters();
    assert_eq!(counters.wasted, 3, "when it cannot be applied");
    let fraction = counters.wasted_time.as_secs_f32() / (FRAME * 3).as_secs_f32();
    assert!((0.93..1.07).contains(&fraction), "{fraction} of the time");
    assert_eq!(world.settle().len(), 1);
    world.check();
}

/// An answer holds a permit like a result, so the number of withdrawn answers is bounded.
#[test]
fn withdrawn_answers_of_the_known_empty_hook_are_bounded_and_dropped_at_the_next_tick() {
    let token = Arc::new(());
    let answer = Arc::clone(&token);
    let mut world = World::new(bounded(50, 1_024), |_| {
        Generator::new(|_: &Job<i32>| unreachable!("each key is empty or withdrawn"))
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

/// Unbounded requests, 52,000 chunks and 7 GB (Cubyz 2848): here requests wait in the queue, and the results in
/// memory are bounded.
#[test]
fn more_requests_than_are_applied_wait_in_the_queue() {
    let token = Arc::new(());
    let content = Arc::clone(&token);
    let config = SchedulerConfig {
        max_in_flight: 3,
        ..bounded(100, 50)
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
    assert_eq!(Arc::strong_count(&token) - 2, 150, "contents in memory");
    assert!(world.scheduler.counters().starts_refused > 10);
    assert_eq!(world.cancel(0..52_000), 52_000);
    world.frame();
    let contents = backlog.into_iter().map(|it| it.content).collect();
    world.scheduler.discard(contents);
    world.simulation.run();
    assert_eq!(Arc::strong_count(&token) - 2, 0);
    let depths = world.scheduler.depths();
    assert_eq!((depths.live(), depths.unwanted), (0, 0));
}

/// Churn at a border takes the whole capacity (bevy_voxel_world 65).
#[test]
fn churn_at_a_border_neither_delays_what_is_kept_nor_is_generated_for_nothing() {
    let frames_until_loaded = |has_churn: bool| {
        let mut world = World::new(SchedulerConfig::default(), taking(|_| FRAME / 2));
        world.request(0..300);
        let mut kept = 0;
        for frame in 1..1_000 {
            if has_churn {
                // Wanted for one frame, in which the workers run.
                world.request(1_000..1_100);
            }
            world.frame();
            let applied = world.apply_keys();
            kept += applied.into_iter().filter(|key| *key < 300).count();
            world.cancel(1_000..1_100);
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
    let generated = counters.generated;
    assert!(generated <= 300 + 3 * 2, "{generated} generated");
}

#[test]
fn dropping_a_scheduler_and_its_simulation_drops_waiting_generators() {
    let token = Arc::new(AtomicUsize::new(0));
    let started = Arc::clone(&token);
    let mut world = World::new(SchedulerConfig::default(), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            started.fetch_add(1, Ordering::Relaxed);
            let sleep = simulation.sleep(FRAME * 100);
            async move {
                sleep.await;
                Ok::<_, &str>(job.key())
            }
        })
    });
    world.request(0..10);
    world.frame();
    assert_eq!(token.load(Ordering::Relaxed), 3, "three are waiting");
    drop(world);
    assert_eq!(Arc::strong_count(&token), 1);
}
