//! From a chunk's content to entities, slice by slice.

mod batch;
mod error;
mod leftovers;
mod partial_chunk;
mod room;
mod spawner;
pub(crate) mod visibility;
mod writer;

pub use error::SpawnError;
pub use leftovers::Leftovers;
pub(crate) use partial_chunk::{PartialChunk, SliceEnd};
pub use room::reserve_entities;
pub use spawner::Spawner;
pub use writer::ChunkWriter;
