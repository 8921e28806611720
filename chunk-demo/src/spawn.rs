//! Turns a chunk of the city into entities.

use core::ops::Range;

use bevy_camera::visibility::VisibilityRange;
use bevy_ecs::{bundle::Bundle, component::Component};
use bevy_transform::components::Transform;
use chunk_apply::{ChunkWriter, Spawner};
use chunk_assets::{Instance, SharedAssets, Tint};
use chunk_coord::ChunkCoord;

use crate::city::{CityChunk, Item, Kind};
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
            let [roads, buildings, trees, vehicles, npcs] = [
                (Kind::Road, chunk.roads),
                (Kind::Building, chunk.buildings),
                (Kind::Tree, chunk.trees),
                (Kind::Vehicle, chunk.vehicles),
                (Kind::Npc, chunk.npcs),
            ]
            .map(|(kind, items)| instances(&assets, kind, items));
            writer.spawn_batch(marked(roads, Road));
            writer.spawn_batch(marked(buildings, Building));
            writer.spawn_batch(marked(trees, Tree));
            writer.spawn_batch(moving(marked(vehicles, Vehicle), chunk.vehicle_courses));
            writer.spawn_batch(moving(marked(npcs, Npc), chunk.npc_courses));
        },
    )
}

/// How far away a kind is seen, in metres: it fades over the range. What is small is not worth drawing far away, and
/// what fades does not pop. All of them fade, because what does not would be a batch of its own.
#[must_use]
pub fn fades(kind: Kind) -> Range<f32> {
    match kind {
        Kind::Road | Kind::Building => 3_400.0..3_800.0,
        Kind::Tree => 1_500.0..1_800.0,
        Kind::Vehicle => 800.0..1_000.0,
        Kind::Npc => 350.0..450.0,
    }
}

/// The iterator owns its handles and items, because it may go on in a later frame.
fn instances(
    assets: &SharedAssets,
    kind: Kind,
    items: Vec<Item>,
) -> impl Iterator<Item = (Instance, VisibilityRange)> + use<> {
    let assets = assets.clone();
    let range = VisibilityRange {
        start_margin: 0.0..0.0,
        end_margin: fades(kind),
        use_aabb: false,
    };
    items.into_iter().map(move |item| {
        let (place, tint) = (place(&item), tint(&item));
        let instance = if kind.is_round() {
            assets.tree_at(place, tint)
        } else {
            assets.building_at(place, tint)
        };
        (instance, range.clone())
    })
}

/// Each with the marker of its kind.
fn marked<B: Bundle, M: Copy>(
    bundles: impl Iterator<Item = B>,
    marker: M,
) -> impl Iterator<Item = (B, M)> {
    bundles.map(move |bundle| (bundle, marker))
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
