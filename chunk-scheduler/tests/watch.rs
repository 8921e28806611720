//! What the scheduler notices: overruns, late frames, cancellations that take their time.

mod common;

use std::time::Duration;

use chunk_scheduler::{
    AdaptivePolicy, Concurrency, ConcurrencyReason, Generator, Job, OverrunPolicy, Scheduler,
    SchedulerConfig, Simulation,
};
use common::{FRAME, Near, World, one_at_a_time};

/// Takes as many frames as its key says.
fn napping(simulation: &Simulation) -> Generator<i32, i32> {
    let simulation = simulation.clone();
    Generator::from_async(move |job: Job<i32>| {
        let nap = simulation.sleep(FRAME * job.key().unsigned_abs());
        async move {
            nap.await;
            Ok::<_, &str>(job.key())
        }
    })
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
    let mut world = World::new(config, napping);
    world.scheduler.request(500);
    world.frame();
    world.request(1..=3);
    for _ in 0..9 {
        world.frame();
        assert_eq!(world.scheduler.overruns().count(), 0);
    }
    assert!(world.apply().is_empty(), "the only permit is taken");
    for _ in 0..20 {
        world.frame();
    }
    let overruns: Vec<_> = world.scheduler.overruns().collect();
    assert_eq!(overruns.len(), 1);
    assert_eq!((overruns[0].key, overruns[0].age), (500, FRAME * 11));
    assert_eq!(world.scheduler.counters().overruns, 1);
    let applied: Vec<_> = world.apply().into_iter().map(|(key, _)| key).collect();
    assert_eq!(applied, [1, 2, 3], "another worker stood in");
    assert_eq!(world.scheduler.max_in_flight(), 1);
    assert_eq!(world.settle(), [500]);
    world.request(1..=3);
    world.frame();
    assert_eq!(world.scheduler.depths().in_flight, 1, "and left again");
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
    assert_eq!(
        (latencies.count, latencies.max),
        (1, Duration::ZERO),
        "it was woken at once"
    );
    assert_eq!(
        world.scheduler.counters().wasted,
        0,
        "and dropped where it waited"
    );
}

#[test]
fn generation_times_are_those_of_the_clock() {
    let mut world = World::new(one_at_a_time(), napping);
    world.scheduler.request(2);
    world.scheduler.request(4);
    world.settle();
    let times = world.scheduler.generation_times();
    assert_eq!(
        (times.count, times.mean, times.max),
        (2, FRAME * 3, FRAME * 4)
    );
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
    let scheduler = Scheduler::new(config, napping(&simulation), simulation.runtime(), Near(0))
        .expect("the configuration is valid");
    (simulation, scheduler)
}

#[test]
fn adaptive_concurrency_starts_from_the_pool_and_follows_the_frames() {
    let (simulation, mut scheduler) = adaptive(2);
    assert_eq!(
        (scheduler.pool_threads(), scheduler.max_in_flight()),
        (2, 2)
    );
    for key in 0..5_000 {
        scheduler.request(20 + key % 3 + key * 3);
    }
    let frames = |count: u32, frame: Duration, scheduler: &mut Scheduler<_, _, _>| {
        for _ in 0..count {
            scheduler.tick(simulation.now());
            simulation.advance(frame);
            let mut ready = Vec::new();
            scheduler.drain(usize::MAX, |result| {
                ready.push((result.key, result.version))
            });
            for (key, version) in ready {
                assert!(scheduler.applied(key, version));
            }
        }
    };
    frames(200, FRAME, &mut scheduler);
    let report = scheduler.concurrency();
    assert_eq!((report.limit, report.raised, report.lowered), (6, 4, 0));
    assert_eq!(
        report.latest.map(|decision| decision.reason),
        Some(ConcurrencyReason::JobsWait)
    );
    frames(60, FRAME * 3, &mut scheduler);
    let report = scheduler.concurrency();
    assert_eq!((report.limit, report.lowered), (1, 5));
    assert_eq!(
        report.latest.map(|decision| decision.reason),
        Some(ConcurrencyReason::FramesLate)
    );
    assert_eq!(scheduler.audit(), Ok(()));
}

#[test]
fn a_fixed_limit_is_never_touched() {
    let mut world = World::new(SchedulerConfig::default(), napping);
    world.request(0..100);
    for _ in 0..50 {
        world.tick();
        world.simulation.advance(FRAME * 9);
    }
    assert_eq!(world.scheduler.max_in_flight(), 3);
    assert_eq!(world.scheduler.concurrency().latest, None);
}
