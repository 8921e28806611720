//! A generated chunk, and how it becomes part of the world.

use bevy_app::App;
use bevy_asset::{Assets, Handle, uuid_handle};
use bevy_color::Color;
use bevy_mesh::Mesh3d;
use chunk_apply::Spawner;
use chunk_assets::{
    ChunkAssetsPlugin, ChunkMaterial, ChunkMesh, MeshMaterial3d, PreparedMeshes, SharedAssets,
    matt_material,
};
use chunk_coord::ChunkCoord;

use super::world::VoxelWorld;
use crate::harness::Workload;

/// What the generator makes of a chunk.
#[derive(Debug)]
pub struct VoxelChunk {
    /// Its mesh, unless nothing can be seen of it.
    pub mesh: Option<ChunkMesh>,
}

/// The material of all chunks. The colours are the vertices'.
const MATERIAL: Handle<ChunkMaterial> = uuid_handle!("3f3d7a54-1c2e-4a0b-9a63-0c5b7b8d5e01");

/// Puts a chunk's mesh on its root.
#[must_use]
pub fn voxel_spawner() -> Spawner<ChunkCoord, VoxelChunk> {
    Spawner::new(|_coord, chunk: VoxelChunk, writer| {
        let Some(mesh) = chunk.mesh else { return };
        writer.upload(mesh.bytes(), move |world, root| {
            let bounds = mesh.bounds();
            let mesh = Mesh3d(mesh.insert(world));
            if let Ok(mut root) = world.get_entity_mut(root) {
                root.insert((mesh, MeshMaterial3d(MATERIAL), bounds));
            }
        });
        // What it replaces stays until it can be drawn.
        writer.show_when(|world, root| {
            let prepared = world.resource::<PreparedMeshes>();
            let mesh = world.get::<Mesh3d>(root);
            mesh.is_none_or(|mesh| prepared.contains(&mesh.0))
        });
    })
}

impl Workload<VoxelChunk> {
    /// A world of voxels: each chunk of which something can be seen has a mesh, on its root.
    #[must_use]
    pub fn voxels(world: VoxelWorld) -> Self {
        let (made, empty, seen) = (world.clone(), world.clone(), world.clone());
        Self::fallible(move |job| made.make(job), voxel_spawner(), |_coord| 0)
            .with_known_empty(move |coord| empty.known_empty(coord))
            .prepared_by(move |app| add_voxels(app, world.clone()))
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
