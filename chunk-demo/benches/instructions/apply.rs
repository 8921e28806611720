//! The applier: whole chunks into a `World`.

use std::sync::Arc;

use bevy_ecs::component::Component;
use bevy_ecs::entity::Entity;
use bevy_ecs::world::World;
use bevy_transform::components::Transform;
use chunk_apply::{
    Applier, ApplyBudget, Arrival, ChunkHost, ChunkWriter, LoadedChunk, ManualClock, SpawnError,
    SpawnedChunk, Spawner, Stale,
};

use super::Path;

const CHUNKS: u32 = 100;

#[derive(Component, Clone, Copy)]
struct Shape(#[expect(dead_code, reason = "stands for what a renderer reads")] u64);

type Content = Vec<(Transform, Shape)>;

/// A queue that has everything already.
struct Queue(Vec<Arrival<u32, Content>>);

impl ChunkHost<u32, Content> for Queue {
    fn next_arrival(&mut self, _: &mut World) -> Option<Arrival<u32, Content>> {
        self.0.pop()
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
        _: SpawnedChunk<u32>,
    ) -> Result<Option<LoadedChunk>, Stale> {
        Ok(None)
    }

    fn failed(&mut self, _: &mut World, key: &u32, _version: u64, error: SpawnError) {
        panic!("chunk {key} failed: {error}");
    }
}

pub(super) fn apply() -> Path {
    let spawner = Spawner::new(|_key, content: Content, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch(content);
    });
    // The clock stands still, so that the budget is watched and never spent.
    let mut applier = Applier::with_clock(spawner, Arc::new(ManualClock::default()));
    let place = |n| Transform::from_xyz(n as f32, 0.0, 0.0);
    let content: Content = (0..15).map(|n| (place(n), Shape(9))).collect();
    let arrivals = (0..CHUNKS).map(|key| Arrival {
        key,
        version: 1,
        content: content.clone(),
    });
    let mut queue = Queue(arrivals.collect());
    let mut world = World::new();
    Box::new(move || {
        let report = applier.apply(&mut world, &mut queue, &ApplyBudget::default());
        assert_eq!(report.applied, CHUNKS as usize);
    })
}
