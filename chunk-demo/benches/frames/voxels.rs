//! The world of voxels: meshes made on workers, against meshes made where they are added.

use bevy_asset::Assets;
use bevy_ecs::world::World;
use bevy_math::Vec3;
use bevy_mesh::{Mesh, Mesh3d};
use bevy_transform::components::Transform;
use chunk_assets::{ChunkMaterial, MeshMaterial3d, SharedAssets};
use chunk_coord::ChunkCoord;
use chunk_demo::voxels::{Surroundings, VoxelWorld, mesh};
use chunk_demo::{Settings, Workload, WorldKind};

use super::cruise::{Cruise, Frames};

/// Where the viewer comes from.
const SKY: Vec3 = Vec3::new(0.0, 100_000.0, 0.0);

/// About 700 chunks: 149 columns of five layers.
pub(crate) fn settings() -> Settings {
    let mut settings = Settings::default();
    WorldKind::Voxels.adjust(&mut settings);
    Settings {
        radius: 7,
        unload_radius: 9,
        half_height: 2,
        // It comes from above.
        ceiling: f32::MAX,
        ..settings
    }
}

/// Fills the world around a viewer that arrives from the sky, where nothing is drawn.
pub(crate) fn fill() -> Frames {
    let world = VoxelWorld::new(settings().seed);
    let workload = Workload::voxels(world.clone());
    let workload = workload
        .prepared_by(move |app| show_one(app.world_mut(), &world, SKY))
        .with_assets(SharedAssets::COUNT + 2);
    let cruise = Cruise {
        arrives_from: Some(SKY.y),
        ..Cruise::default()
    };
    cruise.fly(settings(), workload)
}

/// Draws one chunk by itself in front of the viewer, so that its pipelines are there before anything is measured.
pub(crate) fn show_one(world: &mut World, voxels: &VoxelWorld, eye: Vec3) {
    let coord = ChunkCoord::new(0, 1, 0);
    let read = |coord| Ok::<_, core::convert::Infallible>(voxels.voxels(coord));
    let Ok(surroundings) = Surroundings::read(coord, read);
    let surroundings = surroundings.expect("there is land");
    let mesh = world
        .resource_mut::<Assets<Mesh>>()
        .add(mesh(&surroundings));
    let material = world.resource::<SharedAssets>().building.clone();
    let place = Transform::from_translation(eye + Vec3::new(60.0, -40.0, -16.0));
    world.spawn((
        Mesh3d(mesh),
        MeshMaterial3d::<ChunkMaterial>(material),
        place,
    ));
}
