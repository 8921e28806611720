//! Turns a generated chunk of terrain into an entity.

use avian3d::dynamics::rigid_body::RigidBody;
use bevy_ecs::prelude::*;
use bevy_mesh::Mesh3d;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkWriter, Spawner};
use chunk_assets::MeshMaterial3d;
use chunk_coord::ChunkCoord;

use super::plan::TerrainChunk;
use super::world::MATERIAL;

/// The ground of one chunk.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The level of detail that it was made at.
    pub level: u8,
}

/// Spawns the ground of a chunk of this side in metres: one entity with the mesh and, at level 0, a static body, in the
/// middle of the chunk, where the frame of a heightfield has its origin.
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
        },
    )
}
