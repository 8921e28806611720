//! How often the table of what is spawned grows, which moves all that is there.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, generator, spawner};
use bevy_ecs::world::World;
use chunk_apply::{ApplyBudget, ChunkWriter, Spawner, StreamingConfig};
use chunk_coord::{ChunkCoord, ViewRange};
use chunk_scheduler::Generator;
use std::time::Duration;

fn config_of(radius: u32) -> StreamingConfig {
    StreamingConfig {
        range: ViewRange::disc(radius, radius).expect("equal radii"),
        budget: ApplyBudget::time(Duration::from_secs(1)),
        ..config()
    }
}

/// For how many pieces there is room.
fn capacity(world: &World) -> usize {
    let Some(piece) = world.component_id::<Piece>() else {
        return 0;
    };
    let archetypes = world.archetypes().iter();
    let tables = archetypes
        .filter(|archetype| archetype.contains(piece))
        .map(|archetype| archetype.table_id());
    tables
        .filter_map(|table| world.storages().tables.get(table))
        .map(|table| table.entity_capacity())
        .sum()
}

/// Settles, and returns the capacities that were seen before each chunk and at the end.
fn capacities(mut rig: Rig) -> Vec<usize> {
    let mut seen = vec![0];
    rig.viewer(0, 0);
    while !rig.stream().is_settled() || rig.index().is_empty() {
        rig.stream_mut().budget.chunks = Some(1);
        rig.frame();
        seen.push(capacity(rig.app.world()));
    }
    seen.dedup();
    seen
}

#[test]
fn a_table_that_is_large_grows_once_for_all_chunks_that_are_wanted() {
    let seen = capacities(Rig::with(generator(), spawner(), config_of(25)));
    let large: Vec<usize> = seen.into_iter().filter(|rows| *rows > 512).collect();
    assert_eq!(large.len(), 1, "{large:?}");
    assert!(
        (1_961 * PIECES..1_961 * PIECES * 5 / 4).contains(&large[0]),
        "{large:?}"
    );
}

#[test]
fn a_table_grows_once_for_all_of_a_large_chunk() {
    let large = Generator::new(|_: &_| Pieces(10_000));
    let seen = capacities(Rig::with(large, spawner(), config_of(0)));
    assert_eq!(*seen.last().expect("there is one"), 10_000, "{seen:?}");
}

#[test]
fn chunks_that_turn_out_fuller_than_those_before_find_room_all_the_same() {
    // Far out there is more and more, so that every expectation is too low.
    let spawner = Spawner::new(
        |coord: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let pieces = coord.x.unsigned_abs() + coord.z.unsigned_abs();
            writer.spawn_batch((0..pieces as usize).map(Piece));
        },
    );
    let mut rig = Rig::with(generator(), spawner, config_of(25));
    rig.viewer(0, 0);
    rig.settle();
    let around = |n: i32| (-n..=n).flat_map(move |x| (-n..=n).map(move |z| (x, z)));
    let expected: i32 = (around(25).filter(|(x, z)| x * x + z * z <= 25 * 25))
        .map(|(x, z)| x.abs() + z.abs())
        .sum();
    assert_eq!(rig.pieces(), expected as usize);
}
