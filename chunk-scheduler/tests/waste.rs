//! What was generated in vain is counted, with the time that it took.

mod common;

use chunk_scheduler::{Generator, Job, SchedulerConfig};
use common::{FRAME, World, one_at_a_time};
use std::time::Duration;

/// Each job takes a frame.
fn napping(config: SchedulerConfig) -> World<i32> {
    World::new(config, |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            let nap = simulation.sleep(FRAME);
            async move {
                nap.await;
                Ok::<_, &str>(job.key())
            }
        })
    })
}

#[test]
fn whatever_was_generated_was_applied_or_wasted_or_discarded() {
    let mut world = napping(SchedulerConfig::default());
    for round in 0..200 {
        world.scheduler.request((round * 37) % 61);
        world.scheduler.request((round * 11) % 61);
        match round % 5 {
            0 => {
                world.scheduler.refresh((round * 13) % 61);
            }
            1 => {
                world.scheduler.cancel((round * 17) % 61);
            }
            _ => {}
        }
        world.frame();
        if round % 3 == 0 {
            for ready in world.drain() {
                if ready.key % 19 == 7 {
                    world
                        .scheduler
                        .apply_failed(ready.key, ready.version, "no room");
                } else if ready.key % 4 != 0 {
                    assert!(world.scheduler.applied(ready.key, ready.version));
                }
            }
        }
    }
    for key in 0..61 {
        world.scheduler.cancel(key);
    }
    world.settle();
    world.simulation.advance(FRAME * 2);
    let counters = world.scheduler.counters();
    let accounted = counters.applied + counters.wasted + counters.discarded;
    assert_eq!(counters.generated, accounted, "{counters:?}");
    assert!(counters.discarded > 10, "{counters:?}");
}

#[test]
fn a_result_that_is_withdrawn_or_refused_after_it_is_ready_costs_what_making_it_did() {
    let mut world = napping(one_at_a_time());
    for key in [1, 2, 3] {
        world.scheduler.request(key);
    }
    world.tick();
    world.simulation.advance(FRAME * 7 / 2);
    assert_eq!(world.scheduler.wasted_time(), Duration::ZERO);
    world.scheduler.cancel(1);
    let ready = world.drain();
    assert_eq!(ready.len(), 2);
    world
        .scheduler
        .apply_failed(ready[0].key, ready[0].version, "no room");
    assert!(world.scheduler.applied(ready[1].key, ready[1].version));
    assert_eq!(world.scheduler.counters().discarded, 2);
    assert_eq!(world.scheduler.wasted_time(), FRAME * 2);
}

#[test]
fn the_time_of_a_generator_that_was_cancelled_on_the_way_is_wasted() {
    let mut world = napping(one_at_a_time());
    world.scheduler.request(1);
    world.tick();
    world.simulation.advance(FRAME / 2);
    world.scheduler.cancel(1);
    world.simulation.run();
    assert_eq!(world.scheduler.counters().generated, 0);
    assert_eq!(world.scheduler.wasted_time(), FRAME / 2);
}

#[test]
fn what_is_known_to_be_empty_was_never_made() {
    let mut world = World::new(one_at_a_time(), |_| {
        Generator::new(|job: &Job<i32>| job.key()).with_known_empty(|_| Some(0))
    });
    world.scheduler.request(1);
    world.tick();
    assert_eq!(world.drain().len(), 1);
    world.scheduler.cancel(1);
    assert_eq!(world.scheduler.counters().discarded, 0);
}
