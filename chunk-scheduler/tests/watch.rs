//! Overruns, adaptive concurrency, and how long generators and cancellations take.

mod common;

use std::time::Duration;

use chunk_scheduler::{
    AdaptivePolicy, Concurrency, ConcurrencyReason, Generator, Job, OverrunPolicy, Scheduler,
    SchedulerConfig, Simulation,
};
use common::{FRAME, Near, World, one_at_a_time, taking};

/// Takes as many frames as its key says.
fn taking_frames(simulation: &Simulation) -> Generator<i32, i32> {
    taking(|key| FRAME * key.unsigned_abs())(simulation)
}

#[test]
fn an_overrun_is_reported_once_with_its_age_and_compensated() {
    let config = SchedulerConfig {
        overrun: OverrunPolicy {
            allowance: Some(FRAME * 10),
            max_compensated: 1,
        },
        ..one_at_a_time()
    };
    let mut world = World::new(config, taking_frames);
    world.scheduler.request(500);
    world.frame();
    world.request(1..=3);
    for _ in 0..9 {
        world.frame();
        assert_eq!(world.scheduler.overruns().count(), 0);
    }
    assert!(world.apply().is_empty(), "the only worker is busy");
    world.frames(20);
    let overruns: Vec<_> = world.scheduler.overruns().collect();
    assert_eq!(overruns.len(), 1);
    assert_eq!((overruns[0].key, overruns[0].age), (500, FRAME * 11));
    assert_eq!(world.scheduler.counters().overruns, 1);
    assert_eq!(world.apply_keys(), [1, 2, 3], "by another worker");
    assert_eq!(world.scheduler.max_in_flight(), 1);
    assert_eq!(world.settle(), [500]);
    world.request(1..=3);
    world.frame();
    assert_eq!(world.scheduler.depths().in_flight, 1, "the limit again");
}

#[test]
fn the_time_from_cancelling_to_stopping_is_measured() {
    let mut world = World::new(one_at_a_time(), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            let simulation = simulation.clone();
            async move {
                while !job.is_cancelled() {
                    simulation.sleep(FRAME).await;
                }
                Ok::<_, &str>(job.key())
            }
        })
    });
    world.scheduler.request(1);
    world.frame();
    assert!(world.scheduler.cancel(1));
    assert_eq!(world.scheduler.cancel_latencies().count, 0);
    world.frame();
    let latencies = world.scheduler.cancel_latencies();
    let found = (latencies.count, latencies.max);
    assert_eq!(found, (1, Duration::ZERO), "it was woken at once");
    let wasted = world.scheduler.counters().wasted;
    assert_eq!(wasted, 0, "it was dropped where it waited");
}

#[test]
fn generation_times_are_those_of_the_clock() {
    let mut world = World::new(one_at_a_time(), taking_frames);
    world.request([2, 4]);
    world.settle();
    let times = world.scheduler.generation_times();
    let found = (times.count, times.mean, times.max);
    assert_eq!(found, (2, FRAME * 3, FRAME * 4));
}

fn adaptive(threads: usize) -> (Simulation, Scheduler<i32, i32, Near>) {
    let simulation = Simulation::with_threads(5, threads);
    let config = SchedulerConfig {
        concurrency: Concurrency::Adaptive(AdaptivePolicy {
            max_in_flight: 6,
            ..AdaptivePolicy::default()
        }),
        ..SchedulerConfig::default()
    };
    let (generator, runtime) = (taking_frames(&simulation), simulation.runtime());
    let scheduler = common::scheduler(config, generator, runtime, Near(0));
    (simulation, scheduler)
}

#[test]
fn adaptive_concurrency_starts_from_the_pool_and_follows_the_frames() {
    let (simulation, mut scheduler) = adaptive(2);
    let found = (scheduler.pool_threads(), scheduler.max_in_flight());
    assert_eq!(found, (2, 2));
    for key in 0..5_000 {
        scheduler.request(20 + key % 3 + key * 3);
    }
    let frames = |count: u32, took: Duration, scheduler: &mut Scheduler<_, _, _>| {
        for _ in 0..count {
            scheduler.tick(simulation.now());
            simulation.advance(took);
            common::apply(scheduler);
            scheduler.frame_took(took);
        }
    };
    frames(200, FRAME, &mut scheduler);
    let report = scheduler.concurrency();
    assert_eq!((report.limit, report.raised, report.lowered), (6, 4, 0));
    let reason = report.latest.map(|decision| decision.reason);
    assert_eq!(reason, Some(ConcurrencyReason::JobsWait));
    frames(60, FRAME * 3, &mut scheduler);
    let report = scheduler.concurrency();
    assert_eq!((report.limit, report.lowered), (1, 5));
    let reason = report.latest.map(|decision| decision.reason);
    assert_eq!(reason, Some(ConcurrencyReason::FramesLate));
    assert_eq!(scheduler.audit(), Ok(()));
}

/// A server that ticks ten times a second, on a machine that has little to do.
#[test]
fn a_slow_cadence_of_ticks_does_not_lower_the_limit_and_slow_frames_do() {
    let (simulation, mut scheduler) = adaptive(2);
    for key in 0..5_000 {
        scheduler.request(20 + key % 3 + key * 3);
    }
    let cadence = Duration::from_millis(100);
    let mut frames = |count: u32, took: Duration| {
        for _ in 0..count {
            scheduler.tick(simulation.now());
            common::apply(&mut scheduler);
            scheduler.frame_took(took);
            simulation.advance(cadence);
        }
        scheduler.concurrency()
    };
    let report = frames(100, Duration::from_millis(1));
    assert_eq!((report.limit, report.lowered), (6, 0));
    let report = frames(100, Duration::from_millis(30));
    assert_eq!((report.limit, report.lowered), (1, 5));
}

#[test]
fn a_fixed_limit_does_not_change() {
    let mut world = World::new(SchedulerConfig::default(), taking_frames);
    world.request(0..100);
    for _ in 0..50 {
        world.tick();
        world.simulation.advance(FRAME * 9);
    }
    assert_eq!(world.scheduler.max_in_flight(), 3);
    assert_eq!(world.scheduler.concurrency().latest, None);
}
