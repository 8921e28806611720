//! Meshes that belong to one chunk each: made on workers, moved to the world, drawn when they are on the GPU.

mod chunk_mesh;
mod error;
mod handles;
mod prepared;

pub use chunk_mesh::ChunkMesh;
pub use error::ChunkMeshError;
pub use handles::AssetHandles;
pub(crate) use prepared::add_prepared_meshes;
pub use prepared::{PreparedMeshes, PreparedMeshesPlugin};
