//! I5 and I11: the nearest first by the latest snapshot, the same way every time.

mod common;

use chunk_scheduler::{Generator, Job, JobState, MayChange, Rank, Runtime, SchedulerConfig};
use common::{FRAME, Near, World, double, one_at_a_time, plain, taking_a_frame};

/// Jobs that are ranked again on a timer (Cubyz 418, Terasology 4773): here the next pick uses the new snapshot.
#[test]
fn a_new_snapshot_counts_from_the_next_pick_on() {
    let mut world = World::new(one_at_a_time(), taking_a_frame);
    world.request(0..1_000);
    world.tick();
    world.simulation.advance(FRAME * 5 / 2);
    world.scheduler.publish(Near(700));
    world.simulation.advance(FRAME * 2);
    let order = world.drain_keys(usize::MAX);
    assert_eq!(order, [0, 1, 2, 700], "2 was in flight before");
}

/// The newest first under backlog (SleakCraft 13, the staging of godot_voxel).
#[test]
fn later_requests_do_not_delay_nearer_ones() {
    let mut world = World::new(one_at_a_time(), double);
    let mut applied = Vec::new();
    for wave in 0..40 {
        // Farther each time, so that last-in-first-out would reverse the order.
        world.request(wave * 100..(wave + 1) * 100);
        world.tick();
        world.steps(30);
        applied.extend(world.apply_keys());
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
                let key = started.split(' ').next().and_then(|key| key.parse().ok());
                let started: i32 = key.expect("the trace names a key");
                let nearer = (0..1_009_i32)
                    .filter(|key| key.abs_diff(viewer) < started.abs_diff(viewer))
                    .filter(|key| world.scheduler.state(*key) == Some(JobState::Queued))
                    .collect::<Vec<_>>();
                assert!(nearer.is_empty(), "{nearer:?} before {started}");
            }
            world.apply();
        }
    }
}

/// The distance to the nearest of several places, of which few move at a time.
struct NearAny(Vec<i32>);

impl Rank<i32> for NearAny {
    type Priority = u32;

    fn rank(&self, key: &i32) -> u32 {
        let distances = self.0.iter().map(|place| place.abs_diff(*key));
        distances.min().expect("there are places")
    }

    fn may_change(&self, former: &Self) -> Option<MayChange<i32, u32>> {
        let both = self.0.iter().zip(&former.0);
        let moved = both.filter(|(now, then)| now != then);
        let moved: Vec<i32> = moved.flat_map(|(now, then)| [*now, *then]).collect();
        Some(Box::new(move |key, priority, _| {
            moved.iter().any(|place| place.abs_diff(*key) <= *priority)
        }))
    }
}

#[test]
fn a_job_that_is_not_ranked_again_is_started_in_its_place() {
    for seed in 0..20 {
        let mut places = (0..30).map(|n| n * 100).collect::<Vec<_>>();
        let first = NearAny(places.clone());
        let mut world = World::ranked(seed, one_at_a_time(), |_| plain(), first);
        let mut waiting = Vec::new();
        for round in 0..300_i32 {
            let place = (round * 7) as usize % places.len();
            places[place] = match round % 50 {
                0 => (round * 5_227) % 3_000,
                _ => (places[place] + 1) % 3_000,
            };
            world.scheduler.publish(NearAny(places.clone()));
            let keys = (0..3).map(|n| ((round * 3 + n) * 7_919 + 5) % 3_001);
            let keys: Vec<i32> = keys.filter(|key| !waiting.contains(key)).collect();
            waiting.extend(&keys);
            world.request(keys);
            world.tick();
            let rank = NearAny(places.clone());
            for _ in 0..6 {
                let before = world.simulation.trace().len();
                world.simulation.step();
                for line in &world.simulation.trace()[before..] {
                    let Some((_, started)) = line.split_once("start ") else {
                        continue;
                    };
                    let key = started.split(' ').next().and_then(|key| key.parse().ok());
                    let started: i32 = key.expect("the trace names a key");
                    waiting.retain(|key| *key != started);
                    let nearest = waiting.iter().map(|key| rank.rank(key)).min();
                    assert!(nearest.is_none_or(|nearest| nearest >= rank.rank(&started)));
                }
            }
            world.apply();
        }
        assert!(waiting.len() > 30, "the queue is never long");
    }
}

/// Two requesters compete: the one with the smaller keys does not always win.
#[test]
fn equal_jobs_are_served_by_age_so_that_none_starves() {
    let any_order = common::any_order();
    let mut world = World::ranked(3, one_at_a_time(), |_| plain(), any_order);
    world.request([1_000_000]);
    world.tick();
    let mut key = 0;
    let mut rounds = 0;
    loop {
        // Twice as many as can be done.
        world.request([key + 1, key + 2]);
        key += 2;
        world.tick();
        world.steps(4);
        if world.drain_keys(usize::MAX).contains(&1_000_000) {
            break;
        }
        rounds += 1;
        assert!(rounds < 5, "it waits for all later requests");
    }
}

/// The distance, less the age.
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

/// The round in which a far job is delivered while near ones are requested all the time.
fn round_of_the_far_job(viewers_move: bool) -> Option<i32> {
    let mut world = World::ranked(3, one_at_a_time(), |_| plain(), Ageing);
    world.request([500]);
    world.tick();
    for round in 0..1_000 {
        // Twice as many as can be done.
        world.request([10_000 + round * 2, -(round % 7 + 1)]);
        if viewers_move {
            world.scheduler.publish(Ageing);
        }
        world.tick();
        world.steps(4);
        if world.apply_keys().contains(&500) {
            return Some(round);
        }
    }
    None
}

#[test]
fn a_rank_that_ages_does_not_let_far_jobs_starve() {
    let round = round_of_the_far_job(true);
    assert!(round.is_some_and(|round| round <= 500), "{round:?}");
}

#[test]
fn a_rank_ages_while_no_viewer_moves_too() {
    let round = round_of_the_far_job(false);
    assert!(round.is_some_and(|round| round <= 570), "{round:?}");
}

/// The whole pool waits while jobs are ranked again (Cubyz 418): here a pick that ranks still picks.
#[test]
fn ranking_again_before_every_pick_costs_no_start() {
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
            let sleep = simulation.sleep(FRAME / 3 * (job.key().unsigned_abs() % 5));
            async move {
                sleep.await;
                match job.key() % 17 {
                    3 => Err("odd"),
                    _ => Ok(job.key()),
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
    assert_eq!(applied, other_applied, "the same chunks in another order");
}

/// I10: without threads the same workers make the same results in the same order.
#[test]
fn the_single_threaded_runtime_takes_the_same_path() {
    let budget = FRAME * 1_000;
    let runtime = Runtime::Inline { budget };
    let mut scheduler = common::scheduler(one_at_a_time(), plain(), runtime, Near(40));
    let mut world = World::new(one_at_a_time(), |_| plain());
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
