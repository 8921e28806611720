//! Turns a generated chunk of terrain into an entity.

use avian3d::dynamics::rigid_body::RigidBody;
use bevy_app::App;
use bevy_asset::{Assets, Handle, uuid_handle};
use bevy_color::Color;
use bevy_ecs::prelude::*;
use bevy_mesh::Mesh3d;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkWriter, Spawner};
use chunk_assets::{
    ChunkAssetsPlugin, ChunkMaterial, MeshMaterial3d, PreparedMeshes, matt_material,
};
use chunk_coord::ChunkCoord;

use super::plan::TerrainChunk;

/// The material of all chunks. The colours are the vertices'.
const MATERIAL: Handle<ChunkMaterial> = uuid_handle!("3f3d7a54-1c2e-4a0b-9a63-0c5b7b8d5e02");

/// The ground of one chunk.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The level of detail that it was made at.
    pub level: u8,
}

/// Spawns the ground of a chunk of this side in metres: one entity with the mesh and, at level 0, a static body, in the
/// middle of the chunk, where the frame of a heightfield has its origin. The app needs
/// [`add_terrain_assets`].
#[must_use]
pub fn terrain_spawner(chunk_size: f32) -> Spawner<ChunkCoord, TerrainChunk> {
    let middle = Transform::from_xyz(chunk_size / 2.0, 0.0, chunk_size / 2.0);
    Spawner::new(
        move |_coord, chunk: TerrainChunk, writer: &mut ChunkWriter<'_, '_>| {
            let TerrainChunk {
                level,
                mesh,
                collider,
            } = chunk;
            // One step, so that nothing is seen that is not there for physics.
            writer.upload(mesh.bytes(), move |world, root| {
                let bounds = mesh.bounds();
                let mesh = (Mesh3d(mesh.insert(world)), MeshMaterial3d(MATERIAL), bounds);
                let mut ground = world.spawn((Ground { level }, mesh, middle, ChildOf(root)));
                if let Some(collider) = collider {
                    ground.insert((RigidBody::Static, collider));
                }
            });
            // What it replaces, which is mostly itself at another level, stays until it can be drawn.
            writer.show_when(|world, root| {
                let prepared = world.resource::<PreparedMeshes>();
                let mut parts = world.get::<Children>(root).into_iter().flatten();
                parts.all(|part| {
                    let mesh = world.get::<Mesh3d>(*part);
                    mesh.is_none_or(|mesh| prepared.contains(&mesh.0))
                })
            });
        },
    )
}

/// Adds the collections of assets that chunks of terrain need, and the material that they share.
pub fn add_terrain_assets(app: &mut App) {
    app.add_plugins(ChunkAssetsPlugin);
    let mut materials = app.world_mut().resource_mut::<Assets<ChunkMaterial>>();
    let inserted = materials.insert(&MATERIAL, matt_material(Color::WHITE, 0.95));
    inserted.expect("the handle is a constant");
}
