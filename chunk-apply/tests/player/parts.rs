//! What the streams of the game are made of.

use crate::land::{Place, Things};
use bevy_ecs::prelude::*;
use chunk_apply::{ChunkLoaded, LoadOrder, SavePolicy, SavedChunks};
use chunk_coord::ChunkGrid;
use std::time::Duration;

/// The sizes of chunks between which the player switches.
const SIZES: [f32; 2] = [10.0, 14.0];

/// What the generator of a stream makes.
pub(crate) struct Made<const STREAM: usize> {
    pub(crate) place: Place,
    pub(crate) seed: u32,
    pub(crate) edit: u32,
    pub(crate) level: u8,
    pub(crate) things: Things,
}

/// In each chunk of a stream: what it was made from.
#[derive(Component, Clone, Copy, Debug)]
pub(crate) struct Ground<const STREAM: usize> {
    pub(crate) place: Place,
    pub(crate) seed: u32,
    pub(crate) edit: u32,
    pub(crate) level: u8,
}

/// What a player built in a chunk of a stream.
#[derive(Component, Clone, Copy, Debug)]
pub(crate) struct Thing<const STREAM: usize>(pub(crate) u32);

/// What each chunk has several of.
#[derive(Component)]
pub(crate) struct Stone;

pub(crate) const STONES: usize = 6;
pub(crate) const BYTES: usize = 100;
pub(crate) const TIME_FOR_A_STONE: Duration = Duration::from_micros(300);

/// One of every kind.
pub(crate) fn order(seed: u64) -> LoadOrder {
    match seed % 4 {
        0 => LoadOrder::Distance,
        1 => LoadOrder::Motion {
            look_ahead: Duration::from_secs(2),
            prefetch: true,
        },
        2 => LoadOrder::View { weight: 3.0 },
        // Like nothing on earth.
        _ => LoadOrder::by(|coord, _viewers| {
            let mixed = i64::from(coord.x) * 7_919 + i64::from(coord.z) * 104_729;
            mixed.unsigned_abs() % 97
        }),
    }
}

/// All chunks or dirty ones alone, after a time or not.
pub(crate) fn saving(seed: u64) -> SavePolicy {
    SavePolicy {
        chunks: [Some(SavedChunks::Dirty), Some(SavedChunks::Dirty), None][seed as usize % 3],
        autosave: seed.is_multiple_of(2).then_some(Duration::from_millis(200)),
        ..SavePolicy::default()
    }
}

pub(crate) fn grid(number: u32) -> ChunkGrid {
    ChunkGrid::planar(SIZES[number as usize % 2]).expect("it is a size")
}

pub(crate) fn level(distance_sq: u64) -> u8 {
    match distance_sq {
        0..=1 => 0,
        2..=4 => 1,
        _ => 2,
    }
}

/// What a chunk contains.
pub(crate) fn content<const STREAM: usize>(
    world: &World,
    root: Entity,
) -> (Ground<STREAM>, Things) {
    let children = world.get::<Children>(root).expect("a chunk has content");
    let ground = children
        .iter()
        .find_map(|child| world.get::<Ground<STREAM>>(child));
    let things = children
        .iter()
        .filter_map(|child| world.get::<Thing<STREAM>>(child));
    (
        *ground.expect("a chunk has ground"),
        things.map(|thing| thing.0).collect(),
    )
}

/// Things that were built in the chunk that is replaced, after it was saved, stay.
pub(crate) fn carry_over<const STREAM: usize>(
    loaded: On<ChunkLoaded<Made<STREAM>>>,
    children: Query<&Children>,
    things: Query<(), With<Thing<STREAM>>>,
    mut commands: Commands,
) {
    let Some(replaced) = loaded.replaced else {
        return;
    };
    let things_of = |root| {
        let children = children.get(root).into_iter().flatten().copied();
        children
            .filter(|child| things.contains(*child))
            .collect::<Vec<_>>()
    };
    for thing in things_of(loaded.root) {
        commands.entity(thing).despawn();
    }
    commands
        .entity(loaded.root)
        .add_children(&things_of(replaced));
}
