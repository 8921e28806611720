//! The applier with a host of one's own: uploads and gates without a stream.

use bevy_ecs::prelude::*;
use chunk_apply::{
    Applier, ApplyBudget, Arrival, ChunkHost, ChunkWriter, LoadedChunk, SpawnError, SpawnedChunk,
    Spawner, Stale,
};
use std::collections::{BTreeMap, BTreeSet};

/// Chunks by their numbers, the last first.
#[derive(Default)]
struct Shelf {
    arrived: Vec<Arrival<u32, ()>>,
    loaded: BTreeMap<u32, LoadedChunk>,
    withdrawn: BTreeSet<u32>,
    failed: Vec<(u32, String)>,
    waiting: Vec<(u32, u64, bool)>,
}

impl ChunkHost<u32, ()> for Shelf {
    fn next_arrival(&mut self, _: &mut World) -> Option<Arrival<u32, ()>> {
        self.arrived.pop()
    }

    fn has_arrivals(&self, _: &World) -> bool {
        !self.arrived.is_empty()
    }

    fn expected(&self, _: &World) -> usize {
        self.arrived.len()
    }

    fn is_current(&self, _: &World, key: &u32, _version: u64) -> bool {
        !self.withdrawn.contains(key)
    }

    fn spawn_root(&mut self, world: &mut World, _key: &u32) -> Entity {
        world.spawn_empty().id()
    }

    fn applied(
        &mut self,
        _: &mut World,
        chunk: SpawnedChunk<u32>,
    ) -> Result<Option<LoadedChunk>, Stale> {
        Ok(self.loaded.insert(chunk.key, chunk.into()))
    }

    fn waits_at_gate(&mut self, _: &mut World, key: &u32, version: u64, waits: bool) {
        self.waiting.push((*key, version, waits));
    }

    fn gate_rank(&self, _: &World, key: &u32) -> u64 {
        u64::from(u32::MAX - key)
    }

    fn failed(&mut self, _: &mut World, key: &u32, _version: u64, error: SpawnError) {
        self.failed.push((*key, error.message().to_owned()));
    }
}

/// The chunks whose gates are open.
#[derive(Resource, Default)]
struct Open(BTreeSet<u32>);

fn applier() -> Applier<u32, ()> {
    Applier::new(Spawner::new(
        |key: u32, (), writer: &mut ChunkWriter<'_, '_>| {
            writer.upload(100, |_, _| {});
            writer.show_when(move |world, _| world.resource::<Open>().0.contains(&key));
            writer.show_when(move |_, _| {
                assert_ne!(key, 13);
                true
            });
        },
    ))
}

fn shelf(keys: impl IntoIterator<Item = u32>) -> Shelf {
    let arrival = |key| Arrival {
        key,
        version: 1,
        content: (),
    };
    Shelf {
        arrived: keys.into_iter().map(arrival).collect(),
        ..Shelf::default()
    }
}

#[test]
fn chunks_are_shown_as_their_gates_open_and_leave_nothing_when_they_do_not() {
    let (mut world, mut applier, mut shelf) = (World::new(), applier(), shelf([1, 2, 13, 4]));
    world.init_resource::<Open>();
    let before = world.query::<Entity>().iter(&world).count();
    let budget = ApplyBudget::unlimited();
    let report = applier.apply(&mut world, &mut shelf, &budget);
    assert_eq!((report.applied, report.failed, report.bytes), (0, 1, 400));
    assert_eq!(shelf.failed[0].0, 13);
    assert_eq!((applier.gated(), applier.bytes()), (3, 300));
    assert_eq!(applier.held().gated, 3);
    world.resource_mut::<Open>().0.insert(2);
    assert_eq!(applier.apply(&mut world, &mut shelf, &budget).applied, 1);
    assert!(shelf.loaded.keys().eq(&[2]));
    shelf.withdrawn.insert(1);
    applier.apply(&mut world, &mut shelf, &budget);
    assert_eq!((applier.gated(), applier.bytes()), (1, 200));
    world.resource_mut::<Open>().0.insert(4);
    applier.apply(&mut world, &mut shelf, &budget);
    let expected = [
        (4, 1, true),
        (13, 1, false),
        (2, 1, true),
        (1, 1, true),
        (2, 1, false),
        (1, 1, false),
        (4, 1, false),
    ];
    assert_eq!(shelf.waiting, expected);
    for (key, chunk) in shelf.loaded.clone() {
        applier.unload(&mut world, key, chunk, 0);
    }
    assert_eq!(applier.bytes(), 200, "until they are despawned");
    applier.apply(&mut world, &mut shelf, &budget);
    assert_eq!((applier.gated(), applier.bytes()), (0, 0));
    assert_eq!(world.query::<Entity>().iter(&world).count(), before);
}

#[test]
fn a_frame_has_its_limit_of_bytes() {
    let (mut world, mut applier, mut shelf) = (World::new(), applier(), shelf(20..29));
    world.insert_resource(Open((20..29).collect()));
    let budget = ApplyBudget {
        bytes: Some(250),
        ..ApplyBudget::unlimited()
    };
    let mut frames = Vec::new();
    while shelf.loaded.len() < 9 {
        frames.push(applier.apply(&mut world, &mut shelf, &budget).bytes);
    }
    assert_eq!(frames, [200, 200, 200, 200, 100]);
}

#[derive(Component)]
struct Rock;

#[test]
fn a_table_gets_room_for_the_chunks_that_are_expected_while_it_is_small_and_does_not_double() {
    let mut world = World::new();
    let mut applier = Applier::new(Spawner::new(
        |_key: u32, (), writer: &mut ChunkWriter<'_, '_>| {
            writer.spawn_batch((0..30).map(|_| Rock));
        },
    ));
    let mut shelf = shelf(0..400);
    while shelf.loaded.len() < 400 {
        applier.apply(&mut world, &mut shelf, &ApplyBudget::default());
    }
    let mut rocks = world.query_filtered::<Entity, With<Rock>>();
    assert_eq!(rocks.iter(&world).count(), 12_000);
    let rock = rocks.iter(&world).next().expect("there are some");
    let table = world.entity(rock).location().table_id;
    let room = world.storages().tables[table].entity_capacity();
    // A table that doubled would have room for 16,384.
    assert!((12_000..16_000).contains(&room), "{room}");
}
