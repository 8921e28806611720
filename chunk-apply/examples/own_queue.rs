//! The applier with a queue of one's own: no plugin, no scheduler, no viewers.
//!
//! `cargo run -p chunk-apply --example own_queue`

use bevy_ecs::prelude::*;
use chunk_apply::{
    Applier, ApplyBudget, Arrival, ChunkHost, ChunkWriter, LoadedChunk, SpawnError, SpawnedChunk,
    Spawner, Stale,
};
use std::{collections::BTreeMap, time::Duration};

/// Levels of a dungeon that are loaded from somewhere, in the order in which they arrive.
#[derive(Default)]
struct Dungeon {
    arrived: Vec<Arrival<u8, usize>>,
    levels: BTreeMap<u8, LoadedChunk>,
}

#[derive(Component)]
struct Torch;

impl ChunkHost<u8, usize> for Dungeon {
    fn next_arrival(&mut self, _: &mut World) -> Option<Arrival<u8, usize>> {
        self.arrived.pop()
    }

    fn has_arrivals(&self, _: &World) -> bool {
        !self.arrived.is_empty()
    }

    fn is_current(&self, _: &World, _level: &u8, _version: u64) -> bool {
        true
    }

    fn spawn_root(&mut self, world: &mut World, level: &u8) -> Entity {
        world.spawn(Name::new(format!("level {level}"))).id()
    }

    fn applied(
        &mut self,
        _world: &mut World,
        level: SpawnedChunk<u8>,
    ) -> Result<Option<LoadedChunk>, Stale> {
        Ok(self.levels.insert(level.key, level.into()))
    }

    fn failed(&mut self, _: &mut World, level: &u8, _version: u64, error: SpawnError) {
        eprintln!("level {level} failed: {error}");
    }
}

fn main() {
    let spawner = Spawner::new(|_level, torches: usize, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..torches).map(|_| Torch));
    });
    let mut applier = Applier::new(spawner);
    let mut world = World::new();
    let mut dungeon = Dungeon::default();
    dungeon.arrived.extend((1..=3).map(|level| Arrival {
        key: level,
        version: 1,
        content: 10_000 * usize::from(level),
    }));

    let budget = ApplyBudget::time(Duration::from_millis(1));
    let mut frames = 0;
    let mut longest = Duration::ZERO;
    while dungeon.levels.len() < 3 {
        let report = applier.apply(&mut world, &mut dungeon, &budget);
        frames += 1;
        longest = longest.max(report.spent);
    }
    let torches: usize = dungeon.levels.values().map(|level| level.entities).sum();
    println!("{torches} torches in {frames} frames, the longest took {longest:?}");
    for (level, chunk) in std::mem::take(&mut dungeon.levels) {
        applier.unload(&mut world, level, chunk, u64::from(level));
    }
    while applier.unloading() > 0 {
        applier.apply(&mut world, &mut dungeon, &budget);
        frames += 1;
    }
    let torches = world.query::<&Torch>().iter(&world).count();
    println!("after {frames} frames {torches} torches are left");
}
