//! Assets in a scene: a long street of houses and trees in many colours, and still four assets.
//!
//! `cargo run --example scene` has no window: it counts. With the feature `render` and Bevy's render plugins, added before
//! [`ChunkAssetsPlugin`], the same systems draw.

use std::collections::HashSet;

use bevy_app::{App, Startup};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_mesh::MeshTag;
use bevy_transform::components::Transform;
use chunk_assets::asset_count;
use chunk_assets::prelude::*;

/// Metres from one house to the next.
const LOT: f32 = 18.0;
const LOTS: u8 = 200;

fn main() {
    let mut app = App::new();
    app.add_plugins(ChunkAssetsPlugin)
        .add_systems(Startup, (build_houses, plant_trees));
    app.finish();
    app.cleanup();
    app.update();

    let world = app.world_mut();
    let mut tags = world.query::<&MeshTag>();
    let tints: Vec<Tint> = tags.iter(world).map(Tint::from).collect();
    let colours: HashSet<Tint> = tints.iter().copied().collect();
    println!(
        "{} instances in {} colours, {} assets",
        tints.len(),
        colours.len(),
        asset_count(world)
    );
    assert_eq!(tints.len(), 4 * usize::from(LOTS));
    assert_eq!(asset_count(world), SharedAssets::COUNT);
}

/// A house on each side of every lot, no two neighbours of one colour.
fn build_houses(shared: Res<SharedAssets>, mut commands: Commands) {
    let shared = shared.clone();
    let houses = (0..LOTS).flat_map(move |lot| {
        let shared = shared.clone();
        [-1.0, 1.0].map(move |side: f32| {
            let size = Vec3::new(12.0, 6.0 + f32::from(lot % 7) * 3.0, 10.0);
            let place = Vec3::new(f32::from(lot) * LOT, size.y / 2.0, 14.0 * side);
            let tint = Tint::srgb(120 + lot % 130, 90 + lot % 80, 70);
            shared.building_at(Transform::from_translation(place).with_scale(size), tint)
        })
    });
    commands.spawn_batch(houses.collect::<Vec<_>>());
}

/// Trees along the pavement, in the colour that the tree material has by itself.
fn plant_trees(shared: Res<SharedAssets>, mut commands: Commands) {
    for lot in 0..LOTS {
        for side in [-1.0, 1.0] {
            let place = Vec3::new((f32::from(lot) + 0.5) * LOT, 3.0, 7.0 * side);
            let tree = Transform::from_translation(place).with_scale(Vec3::new(2.5, 6.0, 2.5));
            commands.spawn(shared.tree_at(tree, Tint::OWN));
        }
    }
}
