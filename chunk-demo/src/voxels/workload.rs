//! The voxel world as something that scenarios are run on.

use bevy_app::App;
use bevy_asset::Assets;
use bevy_color::Color;
use chunk_assets::{ChunkAssetsPlugin, ChunkMaterial, SharedAssets, matt_material};

use super::chunk::{MATERIAL, VoxelChunk, voxel_spawner};
use super::world::VoxelWorld;
use crate::harness::Workload;

impl Workload<VoxelChunk> {
    /// A world of voxels: each chunk of which something can be seen has a mesh, on its root.
    #[must_use]
    pub fn voxels(world: VoxelWorld) -> Self {
        let (made, empty, seen) = (world.clone(), world.clone(), world.clone());
        let cached = world.clone();
        Self::fallible(move |job| made.make(job), voxel_spawner(), |_coord| 0)
            .with_known_empty(move |coord| empty.known_empty(coord))
            .prepared_by(move |app| add_voxels(app, world.clone()))
            .with_cached_bytes(move || cached.layers().iter().map(|layer| layer.bytes).sum())
            .with_assets(SharedAssets::COUNT + 1)
            .with_assets_of(move |coord| usize::from(seen.is_visible(coord)))
    }
}

fn add_voxels(app: &mut App, world: VoxelWorld) {
    app.add_plugins(ChunkAssetsPlugin).insert_resource(world);
    let mut materials = app.world_mut().resource_mut::<Assets<ChunkMaterial>>();
    let inserted = materials.insert(&MATERIAL, matt_material(Color::WHITE, 0.95));
    inserted.expect("the handle is a constant");
}
