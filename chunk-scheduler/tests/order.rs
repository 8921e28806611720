//! I5 and I11: the nearest first by the latest snapshot, the same way every time.

mod common;

use chunk_scheduler::{Generator, Job, Rank, Runtime, Scheduler, SchedulerConfig, Simulation};
use common::{FRAME, Near, World, double, napping, one_at_a_time};

/// Jobs re-ranked on a timer (Cubyz 418, Terasology 4773): here the next pick already knows.
#[test]
fn a_new_snapshot_counts_from_the_next_pick_on() {
    let mut world = World::new(one_at_a_time(), napping);
    world.request(0..1_000);
    world.tick();
    world.simulation.advance(FRAME * 5 / 2);
    world.scheduler.publish(Near(700));
    world.simulation.advance(FRAME * 2);
    let order: Vec<_> = world.drain().iter().map(|result| result.key).collect();
    assert_eq!(
        order,
        [0, 1, 2, 700],
        "2 was on its way when the viewer moved"
    );
}

/// Newest-pushed-first inversion under backlog (SleakCraft 13, godot_voxel's staging).
#[test]
fn late_arrivals_do_not_push_nearer_ones_back() {
    let mut world = World::new(one_at_a_time(), double);
    let mut applied = Vec::new();
    for wave in 0..40 {
        for step in 0..100 {
            // Ever farther, so that whatever is served last-in-first-out comes out in reverse.
            world.scheduler.request(wave * 100 + step);
        }
        world.tick();
        for _ in 0..30 {
            world.simulation.step();
        }
        applied.extend(world.apply().into_iter().map(|(key, _)| key));
    }
    applied.extend(world.settle());
    assert!(applied.is_sorted());
    assert_eq!(applied.len(), 4_000);
}

#[test]
fn no_job_starts_while_a_nearer_one_is_queued() {
    for seed in 0..20 {
        let mut world = World::seeded(seed, SchedulerConfig::default(), double);
        let mut viewer = 0;
        for round in 0..200_i32 {
            let key = (round * 7919 + 5) % 1_009;
            world.scheduler.request(key);
            if round % 7 == 0 {
                world.scheduler.cancel((key * 31) % 1_009);
            }
            if round % 11 == 0 {
                viewer = (round * 104_729) % 1_009;
                world.scheduler.publish(Near(viewer));
            }
            world.tick();
            let before = world.simulation.trace().len();
            world.simulation.step();
            for line in &world.simulation.trace()[before..] {
                let Some((_, started)) = line.split_once("start ") else {
                    continue;
                };
                let started: i32 = started
                    .split(' ')
                    .next()
                    .and_then(|key| key.parse().ok())
                    .expect("the trace names a key");
                let nearer = (0..1_009_i32)
                    .filter(|key| key.abs_diff(viewer) < started.abs_diff(viewer))
                    .filter(|key| is_queued(&world.scheduler, *key))
                    .collect::<Vec<_>>();
                assert_eq!(nearer, [], "{started} started before them");
            }
            world.apply();
        }
    }
}

fn is_queued(scheduler: &Scheduler<i32, i32, Near>, key: i32) -> bool {
    scheduler.explain(key).to_string().contains("is queued")
}

/// Two requesters in a tug of war: the one with the smaller keys does not always win.
#[test]
fn equal_jobs_are_served_by_age_so_that_nobody_starves() {
    let flat = common::any_order();
    let simulation = Simulation::new(3);
    let generator = Generator::new(|job: &Job<i32>| job.key());
    let mut scheduler = Scheduler::new(one_at_a_time(), generator, simulation.runtime(), flat)
        .expect("the configuration is valid");
    scheduler.request(1_000_000);
    scheduler.tick(simulation.now());
    let mut key = 0;
    let mut waited = 0;
    'waiting: loop {
        // Twice as much as can be done.
        for _ in 0..2 {
            key += 1;
            scheduler.request(key);
        }
        scheduler.tick(simulation.now());
        for _ in 0..4 {
            simulation.step();
        }
        let mut keys = Vec::new();
        scheduler.drain(usize::MAX, |result| keys.push(result.key));
        if keys.contains(&1_000_000) {
            break 'waiting;
        }
        waited += 1;
        assert!(waited < 5, "it waits for everything that comes after it");
    }
}

/// Subtracts a turn's wait from the distance.
struct Ageing;

impl Rank<i32> for Ageing {
    type Priority = u64;

    fn rank(&self, key: &i32) -> u64 {
        u64::from(key.unsigned_abs())
    }

    fn rank_aged(&self, key: &i32, turns: u32) -> u64 {
        self.rank(key).saturating_sub(u64::from(turns))
    }
}

/// In which round a far job comes while somebody keeps asking for near things.
fn round_of_the_far_job(viewers_move: bool) -> Option<i32> {
    let simulation = Simulation::new(3);
    let generator = Generator::new(|job: &Job<i32>| job.key());
    let mut scheduler = Scheduler::new(one_at_a_time(), generator, simulation.runtime(), Ageing)
        .expect("the configuration is valid");
    scheduler.request(500);
    scheduler.tick(simulation.now());
    for round in 0..1_000 {
        // Twice as many as can be done.
        scheduler.request(10_000 + round * 2);
        scheduler.request(-(round % 7 + 1));
        if viewers_move {
            scheduler.publish(Ageing);
        }
        scheduler.tick(simulation.now());
        for _ in 0..4 {
            simulation.step();
        }
        let mut ready = Vec::new();
        scheduler.drain(usize::MAX, |result| {
            ready.push((result.key, result.version))
        });
        for (key, version) in ready {
            assert!(scheduler.applied(key, version));
            if key == 500 {
                return Some(round);
            }
        }
    }
    None
}

#[test]
fn a_rank_that_ages_does_not_let_far_jobs_starve() {
    let came_at = round_of_the_far_job(true);
    assert!(came_at.is_some_and(|round| round <= 500), "{came_at:?}");
}

#[test]
fn a_rank_ages_while_the_viewers_rest_too() {
    let came_at = round_of_the_far_job(false);
    assert!(came_at.is_some_and(|round| round <= 570), "{came_at:?}");
}

/// The whole pool stalls while jobs are re-ranked (Cubyz 418): here a pick that re-ranks is still a
/// pick.
#[test]
fn re_ranking_before_every_pick_costs_no_start() {
    let generated_in_500_steps = |viewers_move: bool| {
        let mut world = World::new(SchedulerConfig::default(), double);
        world.request(0..10_000);
        world.tick();
        for step in 0..500 {
            if viewers_move {
                world.scheduler.publish(Near(step * 20));
            }
            assert!(world.simulation.step());
        }
        world.scheduler.counters().generated
    };
    let at_rest = generated_in_500_steps(false);
    assert!(at_rest > 150);
    assert_eq!(generated_in_500_steps(true), at_rest);
}

fn traced(seed: u64) -> (Vec<String>, Vec<i32>) {
    let mut world = World::seeded(seed, SchedulerConfig::default(), |simulation| {
        let simulation = simulation.clone();
        Generator::from_async(move |job: Job<i32>| {
            let nap = simulation.sleep(FRAME / 3 * (job.key().unsigned_abs() % 5));
            async move {
                nap.await;
                if job.key() % 17 == 3 {
                    Err("odd")
                } else {
                    Ok(job.key())
                }
            }
        })
    });
    for key in 0..60 {
        world.scheduler.request((key * 37) % 61);
        if key % 5 == 0 {
            world.frame();
            world.scheduler.cancel(key);
            world.scheduler.publish(Near(key));
        }
    }
    let applied = world.settle();
    (world.simulation.trace(), applied)
}

#[test]
fn a_seed_replays_exactly_and_another_one_differs() {
    assert_eq!(traced(11), traced(11));
    let (trace, mut applied) = traced(11);
    let (other_trace, mut other_applied) = traced(12);
    assert_ne!(trace, other_trace);
    applied.sort_unstable();
    other_applied.sort_unstable();
    assert_eq!(
        applied, other_applied,
        "whatever the order, the same chunks"
    );
}

/// I10: without threads the same workers make the same things in the same order.
#[test]
fn the_single_threaded_runtime_takes_the_same_path() {
    let mut scheduler = Scheduler::new(
        one_at_a_time(),
        Generator::new(|job: &Job<i32>| job.key() * 2),
        Runtime::Inline {
            budget: FRAME * 1_000,
        },
        Near(40),
    )
    .expect("the configuration is valid");
    let mut world = World::new(one_at_a_time(), double);
    world.scheduler.publish(Near(40));
    for key in 0..100 {
        scheduler.request(key);
        world.scheduler.request(key);
    }
    scheduler.tick(FRAME);
    let mut order = Vec::new();
    scheduler.drain(usize::MAX, |result| order.push(result.key));
    assert_eq!(order, world.settle());
}
