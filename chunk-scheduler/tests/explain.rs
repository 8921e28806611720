//! Why isn't this chunk here?

mod common;

use chunk_scheduler::{
    FnRank, Generator, Job, JobState, Lane, LiveStatus, Scheduler, SchedulerConfig, Simulation,
    Status, WaitsFor,
};
use common::{FRAME, World, double, one_at_a_time};

fn live<T: Send>(world: &World<T>, key: i32) -> LiveStatus {
    match world.scheduler.explain(key).status {
        Status::Live(live) => live,
        other => panic!("{key} is not live: {other:?}"),
    }
}

fn sleeping(simulation: &Simulation) -> Generator<i32, i32> {
    let simulation = simulation.clone();
    Generator::new(move |job: &Job<i32>| {
        let _ = &simulation;
        job.key()
    })
}

/// By lane, rank, the frame in which it was handed over, and then by key, like the queue itself.
#[test]
fn the_position_is_the_number_of_jobs_that_start_before() {
    let simulation = Simulation::new(3);
    let generator = Generator::new(|job: &Job<i32>| job.key())
        .with_known_empty(|key| (*key >= 100).then_some(0));
    let flat = FnRank(|key: &i32| key / 10);
    let mut scheduler = Scheduler::new(one_at_a_time(), generator, simulation.runtime(), flat)
        .expect("the configuration is valid");
    for key in [15, 13, 11] {
        scheduler.request(key);
    }
    scheduler.tick(FRAME);
    for key in [12, 3, 100] {
        scheduler.request(key);
    }
    scheduler.request_in(14, Lane::Prefetch);
    scheduler.request_in(16, Lane::Urgent);
    scheduler.request_in(17, Lane::Prefetch);
    // Promoted: it now belongs to the lane, and the frame, of its promotion.
    scheduler.request_in(17, Lane::Normal);
    let position = |scheduler: &Scheduler<i32, i32, _>, key| match scheduler.explain(key).status {
        Status::Live(live) => live.position,
        _ => None,
    };
    let expected = [16, 3, 11, 13, 15, 12, 17, 14];
    for (place, key) in expected.into_iter().enumerate() {
        assert_eq!(position(&scheduler, key), Some(place), "{key}");
    }
    assert_eq!(position(&scheduler, 100), None);
    scheduler.tick(FRAME * 2);
    for (place, key) in expected.into_iter().enumerate() {
        assert_eq!(
            position(&scheduler, key),
            Some(place),
            "{key} when handed over"
        );
    }
    simulation.run();
    let order: Vec<_> = simulation
        .trace()
        .iter()
        .filter_map(|line| {
            Some(
                line.split_once("start ")?
                    .1
                    .split_once(' ')?
                    .0
                    .parse::<i32>(),
            )
        })
        .map(|key| key.expect("keys are numbers"))
        .collect();
    assert_eq!(order, expected);
}

#[test]
fn what_a_job_waits_for_is_named() {
    let config = SchedulerConfig {
        completed_capacity: 2,
        max_in_flight: 2,
        ..SchedulerConfig::default()
    };
    let mut world = World::new(config, |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            let nap = simulation.sleep(FRAME * 2);
            async move {
                nap.await;
                Ok::<_, &str>(job.key())
            }
        })
        .with_known_empty(|key| (*key == 100).then_some(0))
    });
    world.scheduler.request(1);
    world.scheduler.request(100);
    assert_eq!(live(&world, 1).waits_for, Some(WaitsFor::Tick));
    assert_eq!(live(&world, 100).state, JobState::Completed);
    world.frame();
    assert_eq!(live(&world, 1).waits_for, None);
    world.request(2..5);
    world.frame();
    let text = world.scheduler.explain(4).to_string();
    assert!(text.contains("waits for"), "{text}");
    assert_eq!(live(&world, 4).waits_for, Some(WaitsFor::Permit));
    for _ in 0..4 {
        world.frame();
    }
    assert_eq!(world.scheduler.depths().completed, 2);
    assert_eq!(live(&world, 4).waits_for, Some(WaitsFor::Permit));
}

#[test]
fn a_job_behind_its_superseded_attempt_or_behind_the_limit_says_so() {
    let mut world = World::new(
        SchedulerConfig {
            max_in_flight: 1,
            ..SchedulerConfig::default()
        },
        sleeping,
    );
    world.scheduler.request(1);
    world.scheduler.request(2);
    world.tick();
    // Two steps: picked, and inside of the generator.
    world.simulation.step();
    world.simulation.step();
    assert_eq!(live(&world, 2).waits_for, Some(WaitsFor::Worker));
    world.scheduler.refresh(1);
    world.tick();
    assert_eq!(live(&world, 1).waits_for, Some(WaitsFor::FormerAttempt));
    assert_eq!(world.settle().len(), 2);
}

#[test]
fn the_age_of_a_job_does_not_count_the_time_before_the_first_tick() {
    let mut world = World::new(one_at_a_time(), double);
    world.scheduler.request(1);
    let hour = std::time::Duration::from_secs(3_600);
    world.scheduler.tick(hour);
    world.scheduler.tick(hour + FRAME);
    assert_eq!(live(&world, 1).age, FRAME);
}
