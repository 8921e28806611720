//! Turns a generated chunk of the city into entities.

use core::ops::Range;
use core::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use bevy_camera::visibility::VisibilityRange;
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkWriter, Spawner};
use chunk_assets::{Instance, SharedAssets, Tint};
use chunk_coord::ChunkCoord;

use super::chunk::{CityChunk, Item, ItemKind};

/// Marks what casts no shadow, where there are shadows.
#[cfg(feature = "render")]
type Shadowless = bevy_light::NotShadowCaster;
#[cfg(not(feature = "render"))]
type Shadowless = ();

/// Of a city with levels of detail only outlines are seen from this distance on, in metres.
pub(super) const DETAILS_WITHIN: f32 = 515.0;
/// The sun casts shadows within this distance of the camera, in metres.
pub(crate) const SHADOWS_WITHIN: f32 = 1_100.0;
/// Outlines appear over these distances, in metres, and what they stand for fades behind them, so that there is no hole.
const OUTLINES_APPEAR: Range<f32> = 365.0..440.0;
const DETAILS_FADE: Range<f32> = OUTLINES_APPEAR.end..DETAILS_WITHIN;

/// Marks an entity that is a part of a building.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Building;

/// Marks an entity that is a part of a tree.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tree;

/// Marks a vehicle.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vehicle;

/// Marks a person.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Npc;

/// Marks a piece of a street.
#[derive(Component, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Road;

/// Marks what stands for things of a kind from afar.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenFromAfar(pub ItemKind);

/// The distance from a viewer within which every chunk is loaded, in metres. Shared with the spawner, so that what it
/// spawns from now on has faded at that distance.
#[derive(Resource, Clone, Debug)]
pub struct WholeWithin {
    metres: Arc<AtomicU32>,
    has_outlines: bool,
}

impl WholeWithin {
    /// The distance for chunks of this side in metres and a radius in chunks.
    #[must_use]
    pub fn new(chunk_size: f32, radius: u32) -> Self {
        let whole = Self {
            metres: Arc::default(),
            has_outlines: true,
        };
        whole.set(chunk_size, radius);
        whole
    }

    /// The same for a city of which everything is seen in detail, as far as it is loaded.
    #[must_use]
    pub fn in_full(self) -> Self {
        Self {
            has_outlines: false,
            ..self
        }
    }

    /// The distance in metres.
    #[must_use]
    pub fn metres(&self) -> f32 {
        f32::from_bits(self.metres.load(Ordering::Relaxed))
    }

    /// From where to where a thing of a kind is seen; or, of a thing that is seen from afar, what stands for it.
    #[must_use]
    pub fn seen(&self, kind: ItemKind, is_outline: bool) -> VisibilityRange {
        let fade = fades(kind, self.metres());
        let (start_margin, end_margin) = if is_outline {
            (OUTLINES_APPEAR, fade)
        } else if self.has_outlines {
            let end = fade.start.min(DETAILS_FADE.start)..fade.end.min(DETAILS_FADE.end);
            (0.0..0.0, end)
        } else {
            (0.0..0.0, fade)
        };
        VisibilityRange {
            start_margin,
            end_margin,
            use_aabb: false,
        }
    }

    pub(crate) fn set(&self, chunk_size: f32, radius: u32) {
        // The nearest corner of a chunk beyond the radius is a chunk's diagonal nearer than its distance in chunks says,
        // because the viewer may be anywhere in its own chunk.
        let chunks = (radius as f32 - core::f32::consts::SQRT_2).max(0.5);
        let metres = chunk_size * chunks;
        self.metres.store(metres.to_bits(), Ordering::Relaxed);
    }
}

/// Spawns the five kinds, each as one batch, with handles to the four shared assets.
///
/// Every entity is a child of its chunk's root and has a marker of its kind. Positions are from the chunk's minimum
/// corner, which is where the root stands.
#[must_use]
pub fn city_spawner(assets: SharedAssets, whole: WholeWithin) -> Spawner<ChunkCoord, CityChunk> {
    Spawner::new(
        move |_coord, chunk: CityChunk, writer: &mut ChunkWriter<'_, '_>| {
            let [roads, buildings, trees, vehicles, npcs] = [
                (ItemKind::Road, chunk.roads),
                (ItemKind::Building, chunk.buildings),
                (ItemKind::Tree, chunk.trees),
                (ItemKind::Vehicle, chunk.vehicles),
                (ItemKind::Npc, chunk.npcs),
            ]
            .map(|(kind, items)| instances(&assets, kind, items, &whole, false));
            writer.spawn_batch(roads.map(|road| (road, Road)));
            writer.spawn_batch(buildings.map(|building| (building, Building)));
            writer.spawn_batch(trees.map(|tree| (tree, Tree)));
            let vehicles = vehicles.zip(chunk.vehicle_courses);
            writer.spawn_batch(vehicles.map(|(vehicle, course)| (vehicle, Vehicle, course)));
            let npcs = npcs.zip(chunk.npc_courses);
            writer.spawn_batch(npcs.map(|(npc, course)| (npc, Npc, course)));
            for (kind, items) in [
                (ItemKind::Road, chunk.outline.roads),
                (ItemKind::Building, chunk.outline.buildings),
                (ItemKind::Tree, chunk.outline.trees),
            ] {
                let parts = instances(&assets, kind, items, &whole, true);
                let parts = parts.map(move |part| (part, SeenFromAfar(kind)));
                if chunk.outline.casts_shadows {
                    writer.spawn_batch(parts);
                } else {
                    writer.spawn_batch(parts.map(|part| (part, Shadowless::default())));
                }
            }
        },
    )
}

/// The distances in metres over which a kind fades. Small things fade near the viewer, because they are too small to be
/// seen far away; large ones fade before the distance within which all is loaded, so that no chunk appears or vanishes
/// while it is seen. Every kind fades, because one that does not would be drawn as a batch of its own. Where there are levels
/// of detail, outlines fade like this, and things [where outlines are seen](WholeWithin::seen).
#[must_use]
pub fn fades(kind: ItemKind, whole_within: f32) -> Range<f32> {
    let (start, end): (f32, f32) = match kind {
        ItemKind::Road | ItemKind::Building => (f32::MAX, f32::MAX),
        ItemKind::Tree => (1_500.0, 1_800.0),
        ItemKind::Vehicle => (500.0, 600.0),
        ItemKind::Npc => (350.0, 450.0),
    };
    // Where little is loaded, houses are still seen farther than the rest.
    let (latest_start, latest_end) = match kind {
        ItemKind::Road | ItemKind::Building => (0.85, 1.0),
        ItemKind::Tree | ItemKind::Vehicle | ItemKind::Npc => (0.7, 0.85),
    };
    start.min(latest_start * whole_within)..end.min(latest_end * whole_within)
}

/// Gives every entity its distances anew after the radius changed.
#[cfg(feature = "render")]
pub(crate) fn fade_anew(
    whole: Res<WholeWithin>,
    mut things: Query<(
        &mut VisibilityRange,
        Has<Tree>,
        Has<Vehicle>,
        Has<Npc>,
        Option<&SeenFromAfar>,
        AnyOf<(&Building, &Road, &Tree, &Vehicle, &Npc, &SeenFromAfar)>,
    )>,
) {
    for (mut seen, is_tree, is_vehicle, is_npc, outline, _) in &mut things {
        let kind = match (outline, is_tree, is_vehicle, is_npc) {
            (Some(SeenFromAfar(kind)), ..) => *kind,
            (_, true, ..) => ItemKind::Tree,
            (_, _, true, _) => ItemKind::Vehicle,
            (.., true) => ItemKind::Npc,
            _ => ItemKind::Building,
        };
        seen.set_if_neq(whole.seen(kind, outline.is_some()));
    }
}

/// What is spawned of each item. The iterator owns its handles and items, because it may continue in a later frame.
fn instances(
    assets: &SharedAssets,
    kind: ItemKind,
    items: Vec<Item>,
    whole: &WholeWithin,
    is_outline: bool,
) -> impl Iterator<Item = (Instance, VisibilityRange)> + use<> {
    let (assets, whole) = (assets.clone(), whole.clone());
    items.into_iter().map(move |item| {
        let transform = Transform {
            translation: item.position,
            rotation: item.rotation,
            scale: item.scale,
        };
        let [red, green, blue] = item.colour;
        let tint = Tint::srgb(red, green, blue);
        let instance = if kind.is_round() {
            assets.tree_at(transform, tint)
        } else {
            assets.building_at(transform, tint)
        };
        // Read for each item, because the radius may change before all of the chunk is spawned.
        (instance, whole.seen(kind, is_outline))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::city::{CityConfig, CityPlan};

    #[test]
    fn what_is_spawned_after_the_radius_changed_fades_by_the_new_one() {
        let plan = CityPlan::new(CityConfig::default()).expect("the defaults make a city");
        let houses = plan.generate(ChunkCoord::ORIGIN).buildings;
        let whole = WholeWithin::new(200.0, 2);
        let assets = SharedAssets::default();
        let mut spawned = instances(&assets, ItemKind::Building, houses, &whole, false);
        let mut fade = || spawned.next().map(|(_, seen)| seen.end_margin);
        let narrow = fade();
        whole.set(200.0, 3);
        assert_eq!(fade(), Some(fades(ItemKind::Building, whole.metres())));
        assert_ne!(fade(), narrow);
    }
}
