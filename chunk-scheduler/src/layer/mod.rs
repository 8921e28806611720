//! Intermediate results that generators share: heights, voxels, light, whatever reaches across the borders of a chunk.
//!
//! - `layers`: the layers of one world, in the order in which they were made
//! - `core`: one layer: look-up, making, invalidation
//! - `table`: the values of a layer, bounded in bytes
//! - `slot`: a value that is being made, and those who wait for it
//! - `reader`: who may read a layer
//! - `sources`: what a value or a chunk was made from, and what an edit reaches

mod core;
mod layers;
mod reader;
mod slot;
mod sources;
mod table;

pub use self::core::Layer;
pub use layers::{LayerReport, Layers};
pub use reader::{LayerJob, Reader};
pub use sources::{Invalidated, Sources};
pub(crate) use sources::{MadeFrom, Reads};

/// Hashes alike in each run, so that a replay is exact.
fn hasher() -> ahash::RandomState {
    ahash::RandomState::with_seeds(1, 2, 3, 4)
}
