//! 2,000 chunks of 15 entities through the applier, and by raw `spawn_batch` with `ChildOf`.

use crate::{
    print::{Figure, Figures},
    stream::wait_out,
};
use bevy_ecs::{entity_disabling::Disabled, prelude::*};
use bevy_transform::components::Transform;
use chunk_apply::{
    Applier, ApplyBudget, Arrival, ChunkHost, ChunkWriter, LoadedChunk, SpawnError, SpawnedChunk,
    Spawner, Stale,
};
use criterion::Criterion;
use std::{
    collections::VecDeque,
    hint::black_box,
    time::{Duration, Instant},
};

const CHUNKS: usize = 2_000;
const ENTITIES: usize = 15;
/// Why a chunk is spawned in one piece instead of being enabled in one: see the README, "What other systems meet".
const ENABLED: &str = "apply/enabling 1 chunk x 15000, against spawning it";
const NAME: &str = "apply/2000 chunks x 15, against spawn_batch";

/// Two small components beside the transform.
#[derive(Component, Clone, Copy)]
struct Tint(#[expect(dead_code, reason = "stands for what a renderer reads")] u32);
#[derive(Component, Clone, Copy)]
struct Shape(#[expect(dead_code, reason = "stands for what a renderer reads")] u64);

type Item = (Transform, Tint, Shape);

fn content(entities: usize) -> Vec<Item> {
    (0..entities)
        .map(|n| (Transform::from_xyz(n as f32, 0.0, 0.0), Tint(7), Shape(9)))
        .collect()
}

/// A queue that has everything already, in the order in which the plain way spawns it.
struct Queue(VecDeque<Arrival<u32, Vec<Item>>>);

impl ChunkHost<u32, Vec<Item>> for Queue {
    fn next_arrival(&mut self, _: &mut World) -> Option<Arrival<u32, Vec<Item>>> {
        self.0.pop_front()
    }

    fn has_arrivals(&self, _: &World) -> bool {
        !self.0.is_empty()
    }

    fn is_current(&self, _: &World, _key: &u32, _version: u64) -> bool {
        true
    }

    fn spawn_root(&mut self, world: &mut World, _key: &u32) -> Entity {
        world.spawn(Transform::IDENTITY).id()
    }

    fn applied(
        &mut self,
        _: &mut World,
        chunk: SpawnedChunk<u32>,
    ) -> Result<Option<LoadedChunk>, Stale> {
        black_box(chunk);
        Ok(None)
    }

    fn failed(&mut self, _: &mut World, key: &u32, _version: u64, error: SpawnError) {
        panic!("chunk {key} failed: {error}");
    }
}

/// Time to apply all chunks in one frame under a budget of ten seconds, so that the clock is
/// watched as in every other frame.
fn ours() -> Duration {
    let spawner = Spawner::new(|_key, items: Vec<Item>, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch(items);
    });
    let mut applier = Applier::new(spawner);
    let arrival = |key| Arrival {
        key,
        version: 1,
        content: content(ENTITIES),
    };
    let mut queue = Queue((0..CHUNKS as u32).map(arrival).collect());
    let mut world = World::new();
    let budget = ApplyBudget::time(Duration::from_secs(10));
    let start = Instant::now();
    let report = applier.apply(&mut world, &mut queue, &budget);
    let taken = start.elapsed();
    assert_eq!(report.applied, CHUNKS);
    assert_eq!(report.spawned, CHUNKS * ENTITIES);
    taken
}

/// Time to spawn the same entities under the same roots with nothing in between.
pub(crate) fn raw(chunks: usize, entities: usize) -> Duration {
    let contents: Vec<Vec<Item>> = (0..chunks).map(|_| content(entities)).collect();
    let mut world = World::new();
    let start = Instant::now();
    for items in contents {
        let root = world.spawn(Transform::IDENTITY).id();
        world.spawn_batch((items.into_iter()).map(|item| (item, ChildOf(root))));
    }
    start.elapsed()
}

/// Frames at 60 Hz that spawning the same takes when nothing else is done, `budget` in each; the contents come from
/// another thread, as a generator's do.
pub(crate) fn raw_frames(chunks: usize, entities: usize, budget: Duration) -> u32 {
    let make = || -> Vec<Vec<Item>> { (0..chunks).map(|_| content(entities)).collect() };
    let contents = std::thread::scope(|scope| scope.spawn(make).join());
    let mut world = World::new();
    let (mut frames, mut start) = (1, Instant::now());
    for items in contents.expect("making contents does not panic") {
        if start.elapsed() >= budget {
            wait_out(start);
            (frames, start) = (frames + 1, Instant::now());
        }
        let root = world.spawn(Transform::IDENTITY).id();
        world.spawn_batch((items.into_iter()).map(|item| (item, ChildOf(root))));
    }
    frames
}

/// Time to enable so many entities of one chunk at once, which were spawned with `Disabled`, and to spawn them at once.
fn enabled_and_spawned(entities: usize) -> (Duration, Duration) {
    let mut world = World::new();
    let root = world.spawn(Transform::IDENTITY).id();
    let items = content(entities).into_iter();
    let disabled: Vec<Entity> = world
        .spawn_batch(items.map(|item| (item, ChildOf(root), Disabled)))
        .collect();
    let start = Instant::now();
    for entity in disabled {
        world.entity_mut(entity).remove::<Disabled>();
    }
    (start.elapsed(), raw(1, entities))
}

fn repeated(mut once: impl FnMut() -> Duration) -> impl FnMut(u64) -> Duration {
    move |times| (0..times).map(|_| once()).sum()
}

pub(crate) fn bench(criterion: &mut Criterion, figures: &mut Figures) {
    let mut group = criterion.benchmark_group("apply/2000 chunks x 15");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(2));
    group.bench_function("ours", |bencher| bencher.iter_custom(repeated(ours)));
    group.bench_function("spawn_batch", |bencher| {
        bencher.iter_custom(repeated(|| raw(CHUNKS, ENTITIES)))
    });
    group.finish();

    figures.add(5, &[ENABLED], || {
        let mut pairs = [(); 9].map(|()| enabled_and_spawned(15_000));
        pairs.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (enabled, spawned) = pairs[pairs.len() / 2];
        vec![Figure::new(ENABLED, "ms", ms(enabled)).against(ms(spawned))]
    });
    figures.add(15, &[NAME], || {
        // Alternately, so that the speed of the machine changes for both alike.
        let mut pairs = [(); 5].map(|()| (ours(), raw(CHUNKS, ENTITIES)));
        let ratio = |(ours, raw): &(Duration, Duration)| raw.as_secs_f64() / ours.as_secs_f64();
        pairs.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (ours, raw) = pairs[pairs.len() / 2];
        vec![
            Figure::new(NAME, "ms", ms(ours))
                .against(ms(raw))
                .at_least(0.9),
        ]
    });
}
