//! Makes chunks of terrain on workers, and turns them into entities.

use std::sync::Arc;

use avian3d::dynamics::rigid_body::RigidBody;
use bevy_ecs::prelude::*;
use bevy_mesh::Mesh3d;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkLevels, ChunkWriter, Spawner};
use chunk_assets::{MeshMaterial3d, SharedAssets};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Generator, Job};

use super::terrain_plan::{Terrain, TerrainChunk};

/// The ground of one chunk.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The level of detail that it was made at.
    pub level: u8,
}

/// Makes the chunks of a terrain at the levels that the stream wants them at.
#[must_use]
pub fn terrain_generator(
    terrain: Arc<Terrain>,
    levels: ChunkLevels,
) -> Generator<ChunkCoord, TerrainChunk> {
    Generator::fallible(move |job: &Job<ChunkCoord>| {
        let heights = terrain.heights(job.key());
        terrain.chunk(&heights, levels.of_job(job))
    })
}

/// Spawns the ground of a chunk of this side in metres: one entity with the mesh and, at level 0, a static body, in the
/// middle of the chunk, where the frame of a heightfield has its origin.
#[must_use]
pub fn terrain_spawner(
    assets: SharedAssets,
    chunk_size: f32,
) -> Spawner<ChunkCoord, TerrainChunk> {
    let middle = Transform::from_xyz(chunk_size / 2.0, 0.0, chunk_size / 2.0);
    Spawner::new(
        move |_coord, chunk: TerrainChunk, writer: &mut ChunkWriter<'_, '_>| {
            let TerrainChunk { level, mesh, collider } = chunk;
            let material = MeshMaterial3d(assets.building.clone());
            // One step, so that there is never a mesh without its collider.
            writer.run(move |world, root| {
                let bounds = mesh.bounds();
                let mesh = Mesh3d(mesh.insert(world));
                let mut ground =
                    world.spawn((Ground { level }, mesh, material, bounds, middle, ChildOf(root)));
                if let Some(collider) = collider {
                    ground.insert((RigidBody::Static, collider));
                }
            });
        },
    )
}
