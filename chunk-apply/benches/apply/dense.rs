//! 1.2 million entities, in tables and a list of entities that have room for them or double.

use bevy_ecs::{hierarchy::Children, prelude::*};
use bevy_transform::components::Transform;
use chunk_apply::{
    Applier, ApplyBudget, Arrival, ChunkHost, ChunkWriter, LoadedChunk, SpawnError, SpawnedChunk,
    Spawner, Stale, reserve_entities,
};
use std::time::{Duration, Instant};

const CHUNKS: usize = 10_000;
const ENTITIES: usize = 120;

/// Two small components beside the transform.
#[derive(Component, Clone, Copy)]
struct Tint(#[expect(dead_code, reason = "stands for what a renderer reads")] u32);
#[derive(Component, Clone, Copy)]
struct Shape(#[expect(dead_code, reason = "stands for what a renderer reads")] u64);

fn item(n: usize) -> (Transform, Tint, Shape) {
    let transform = Transform::from_xyz(n as f32, 0.0, 0.0);
    (transform, Tint(7), Shape(9))
}

/// Chunks that are all there already.
struct Queue {
    left: usize,
    is_expected: bool,
}

impl ChunkHost<usize, ()> for Queue {
    fn next_arrival(&mut self, _: &mut World) -> Option<Arrival<usize, ()>> {
        self.left = self.left.checked_sub(1)?;
        Some(Arrival {
            key: self.left,
            version: 1,
            content: (),
        })
    }

    fn has_arrivals(&self, _: &World) -> bool {
        self.left > 0
    }

    fn expected(&self, _: &World) -> usize {
        if self.is_expected { self.left } else { 0 }
    }

    fn is_current(&self, _: &World, _key: &usize, _version: u64) -> bool {
        true
    }

    fn spawn_root(&mut self, world: &mut World, _key: &usize) -> Entity {
        let root = (Transform::IDENTITY, Children::default());
        world.spawn(root).id()
    }

    fn applied(
        &mut self,
        _: &mut World,
        _: SpawnedChunk<usize>,
    ) -> Result<Option<LoadedChunk>, Stale> {
        Ok(None)
    }

    fn failed(&mut self, _: &mut World, key: &usize, _version: u64, error: SpawnError) {
        panic!("chunk {key} failed: {error}");
    }
}

/// What frames took, in milliseconds.
pub(crate) struct Fill {
    pub(crate) p99: f64,
    pub(crate) worst: f64,
    pub(crate) total: f64,
}

/// Applies all chunks at 2 ms a frame, after a call of `reserve_entities` and with chunks that are expected, or without.
pub(crate) fn fill(has_room: bool) -> Fill {
    let spawner = Spawner::new(|_key, (), writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..ENTITIES).map(item));
    });
    let mut applier = Applier::new(spawner);
    let mut world = World::new();
    let mut queue = Queue {
        left: CHUNKS,
        is_expected: has_room,
    };
    if has_room {
        reserve_entities(&mut world, (CHUNKS * (ENTITIES + 1)) as u32);
    }
    let budget = ApplyBudget {
        time: Some(Duration::from_millis(2)),
        ..ApplyBudget::default()
    };
    let mut frames = Vec::new();
    while queue.left > 0 || applier.partial().is_some() {
        let start = Instant::now();
        applier.apply(&mut world, &mut queue, &budget);
        frames.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let total = frames.iter().sum();
    frames.sort_unstable_by(f64::total_cmp);
    let nth = (frames.len() * 99).div_ceil(100) - 1;
    Fill {
        p99: frames[nth],
        worst: frames[frames.len() - 1],
        total,
    }
}

/// Milliseconds for raw `spawn_batch` of the same entities, chunk by chunk, after as many were spawned and despawned.
pub(crate) fn warm_spawn_batch() -> f64 {
    let mut world = World::new();
    let mut took = Duration::ZERO;
    for _ in 0..2 {
        let start = Instant::now();
        let spawn = |_| {
            let root = world.spawn((Transform::IDENTITY, Children::default())).id();
            let items = (0..ENTITIES).map(item);
            world.spawn_batch(items.map(|item| (item, ChildOf(root))));
            root
        };
        let roots: Vec<Entity> = (0..CHUNKS).map(spawn).collect();
        took = start.elapsed();
        for root in roots {
            world.despawn(root);
        }
    }
    took.as_secs_f64() * 1e3
}
