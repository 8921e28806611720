//! A world of voxels: hills with overhangs and caves, which players dig into and build on. Each chunk is a mesh.
//!
//! | part | what it decides |
//! |---|---|
//! | [`Land`] | what each voxel is by itself, from a seed and its place |
//! | [`Edits`] | what players changed |
//! | [`Voxels`] | the voxels of one chunk |
//! | [`Surroundings`], [`mesh`] | the faces of a chunk that are seen, and the light in their corners, across its borders |
//! | [`VoxelWorld`] | all of it: what a player sees, digs away and builds, and which chunks that touches |
//! | [`VoxelChunk`], [`voxel_spawner`] | the generated chunk: its mesh, on its root |
//!
//! [`Workload::voxels`](crate::Workload::voxels) runs scenarios on it.

mod block;
mod chunk;
mod edits;
mod land;
mod mesher;
mod surroundings;
mod volume;
mod workload;
mod world;

pub use block::Block;
pub use chunk::{VoxelChunk, voxel_spawner};
pub use edits::{ChunkEdits, Edits};
pub use land::{Column, Heights, Land};
pub use mesher::{BRIGHTNESS, mesh};
pub use surroundings::Surroundings;
pub use volume::{SIZE, Voxels, chunk_of, corner};
pub use world::{Hit, VoxelWorld};
