//! Turns a chunk of the city into entities.

use bevy_ecs::{bundle::Bundle, component::Component};
use bevy_transform::components::Transform;
use chunk_apply::{ChunkWriter, Spawner};
use chunk_assets::{Instance, SharedAssets, Tint};
use chunk_coord::ChunkCoord;

use crate::city::{CityChunk, Item};
use crate::motion::Course;

/// On every entity that is a part of a building.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Building;

/// On every entity that is a part of a tree.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tree;

/// On every vehicle.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vehicle;

/// On every person.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Npc;

/// On every piece of a street.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Road;

/// Spawns the five kinds, each as one batch, with handles to the four shared assets.
///
/// Every entity is a child of its chunk's root and has a marker of its kind. Positions are from the chunk's minimum
/// corner, which is where the root stands.
#[must_use]
pub fn city_spawner(assets: SharedAssets) -> Spawner<ChunkCoord, CityChunk> {
    Spawner::new(
        move |_coord, chunk: CityChunk, writer: &mut ChunkWriter<'_, '_>| {
            writer.spawn_batch(boxes(&assets, chunk.roads, Road));
            writer.spawn_batch(boxes(&assets, chunk.buildings, Building));
            writer.spawn_batch(cylinders(&assets, chunk.trees, Tree));
            writer.spawn_batch(moving(
                boxes(&assets, chunk.vehicles, Vehicle),
                chunk.vehicle_courses,
            ));
            writer.spawn_batch(moving(
                cylinders(&assets, chunk.npcs, Npc),
                chunk.npc_courses,
            ));
        },
    )
}

/// The iterator owns its handles and items, because it may go on in a later frame.
fn boxes<M: Copy>(
    assets: &SharedAssets,
    items: Vec<Item>,
    kind: M,
) -> impl Iterator<Item = (Instance, M)> + use<M> {
    let assets = assets.clone();
    items
        .into_iter()
        .map(move |item| (assets.building(place(&item), tint(&item)), kind))
}

fn cylinders<M: Copy>(
    assets: &SharedAssets,
    items: Vec<Item>,
    kind: M,
) -> impl Iterator<Item = (Instance, M)> + use<M> {
    let assets = assets.clone();
    items
        .into_iter()
        .map(move |item| (assets.tree(place(&item), tint(&item)), kind))
}

/// Each with what it moves along.
fn moving<B: Bundle>(
    bundles: impl Iterator<Item = B>,
    courses: Vec<Course>,
) -> impl Iterator<Item = (B, Course)> {
    bundles.zip(courses)
}

fn place(item: &Item) -> Transform {
    Transform {
        translation: item.position,
        rotation: item.rotation,
        scale: item.scale,
    }
}

fn tint(item: &Item) -> Tint {
    let [red, green, blue] = item.colour;
    Tint::srgb(red, green, blue)
}
