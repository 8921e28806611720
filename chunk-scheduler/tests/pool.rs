//! More jobs in flight than the pool has threads: the log says so once, and the report always does.

mod common;

use chunk_scheduler::{AdaptivePolicy, Concurrency, Scheduler, SchedulerConfig, Simulation};
use common::{FRAME, Log, Near, in_flight, plain, taking_a_frame};

fn scheduler(threads: usize, config: SchedulerConfig) -> Scheduler<i32, i32, Near> {
    let simulation = Simulation::with_threads(1, threads);
    common::scheduler(config, plain(), simulation.runtime(), Near(0))
}

#[test]
fn a_pool_with_too_few_threads_is_logged_once_and_not_as_a_warning() {
    let log = Log::default();
    log.record(|| {
        let mut scheduler = scheduler(1, in_flight(4));
        assert!(scheduler.concurrency().is_pool_bound());
        for frame in 0..10 {
            scheduler.tick(FRAME * frame);
        }
        scheduler.set_max_in_flight(8).expect("it is valid");
    });
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("INFO") && lines[0].contains("threads=1"),
        "{lines:?}"
    );
}

/// Nobody chose the limit, or more jobs than threads are of use.
#[test]
fn the_default_limit_and_async_generators_are_not_logged() {
    let log = Log::default();
    log.record(|| {
        let mut by_default = scheduler(1, SchedulerConfig::default());
        by_default.tick(FRAME);
        assert!(by_default.concurrency().is_pool_bound());
        let simulation = Simulation::with_threads(1, 1);
        let generator = taking_a_frame(&simulation);
        let runtime = simulation.runtime();
        let mut waiting = common::scheduler(in_flight(64), generator, runtime, Near(0));
        waiting.tick(FRAME);
        assert!(waiting.concurrency().is_pool_bound());
    });
    assert!(log.lines().is_empty(), "{:?}", log.lines());
}

#[test]
fn a_limit_that_rises_above_the_threads_is_logged_then() {
    let log = Log::default();
    log.record(|| {
        let mut scheduler = scheduler(3, SchedulerConfig::default());
        scheduler.tick(FRAME);
        assert!(!scheduler.concurrency().is_pool_bound());
        assert!(log.lines().is_empty());
        scheduler.set_max_in_flight(4).expect("it is valid");
        let report = scheduler.concurrency();
        assert!(report.is_pool_bound());
        assert_eq!((report.limit, report.pool_threads), (4, 3));
        assert_eq!(log.lines().len(), 1);
        scheduler.set_max_in_flight(3).expect("it is valid");
        assert!(!scheduler.concurrency().is_pool_bound());
        scheduler.set_max_in_flight(5).expect("it is valid");
    });
    assert_eq!(log.lines().len(), 1);
}

#[test]
fn an_adaptive_limit_that_rises_above_the_threads_is_logged() {
    let log = Log::default();
    log.record(|| {
        let config = SchedulerConfig {
            concurrency: Concurrency::Adaptive(AdaptivePolicy {
                max_in_flight: 5,
                ..AdaptivePolicy::default()
            }),
            ..SchedulerConfig::default()
        };
        let mut scheduler = scheduler(2, config);
        for key in 0..1_000 {
            scheduler.request(key);
        }
        // Without steps of the simulation, jobs wait while every worker is busy.
        for frame in 0..100 {
            scheduler.tick(FRAME * frame);
        }
        assert_eq!(scheduler.max_in_flight(), 5);
    });
    assert_eq!(log.lines().len(), 1, "{:?}", log.lines());
}
