//! A generated chunk, and how it becomes part of the world.

use bevy_asset::{Handle, uuid_handle};
use bevy_mesh::Mesh3d;
use chunk_apply::Spawner;
use chunk_assets::{ChunkMaterial, ChunkMesh, MeshMaterial3d, PreparedMeshes};
use chunk_coord::ChunkCoord;

/// What the generator makes of a chunk.
#[derive(Debug)]
pub struct VoxelChunk {
    /// Its mesh, unless nothing can be seen of it.
    pub mesh: Option<ChunkMesh>,
}

/// The material of all chunks. The colours are the vertices'.
pub(super) const MATERIAL: Handle<ChunkMaterial> =
    uuid_handle!("3f3d7a54-1c2e-4a0b-9a63-0c5b7b8d5e01");

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
