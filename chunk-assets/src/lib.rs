#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod insert;
mod instance;
mod material;
mod per_chunk;
mod plugin;
mod shared;
mod tint;

pub use instance::Instance;
pub use material::{ChunkMaterial, MeshMaterial3d, StandardMaterial, TintExtension, matt_material};
pub use per_chunk::{
    AssetHandles, ChunkMesh, ChunkMeshError, PreparedMeshes, PreparedMeshesPlugin,
};
pub use plugin::ChunkAssetsPlugin;
pub use shared::{SharedAssets, asset_count};
pub use tint::Tint;

/// The names that most users of this crate want.
pub mod prelude {
    pub use crate::{
        ChunkAssetsPlugin, ChunkMaterial, ChunkMesh, Instance, MeshMaterial3d, SharedAssets, Tint,
    };
}
