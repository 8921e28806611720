//! Levels of detail: the level that each wanted chunk is generated at, and when it is generated anew.
//!
//! - `neighbour_levels`: what a generator reads of a chunk and the chunks around it
//! - `known_levels`: the levels of the wanted chunks, and what their generators read of them
//! - `chunk_levels`: both, shared between the stream and its generator
//! - `tracker`: finds the chunks that are to be made anew after the viewers moved

mod chunk_levels;
mod known_levels;
mod neighbour_levels;
mod tracker;

pub use chunk_levels::ChunkLevels;
pub use neighbour_levels::NeighbourLevels;
pub(super) use tracker::LodTracker;
