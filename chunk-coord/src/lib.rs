//! Integer chunk space: which chunks a moving viewer wants, and in what order.
//!
//! For any world that is cut into chunks, on any engine or none. Crossing a border costs the surface of
//! what is in view, not its volume; many viewers, teleports and hysteresis are part of it.
//!
//! | type | what it is |
//! |---|---|
//! | [`ChunkCoord`] | which chunk, exact over all of `i32` |
//! | [`ChunkGrid`] | world units to chunks and back, flat or not |
//! | [`Footprint`], [`ViewRange`] | what a viewer loads, and where it unloads |
//! | [`WantedSet`] | the union over all viewers, and how it changes |
//! | [`NearestFirst`], [`LevelRings`] | order, and levels of detail |
//!
//! ```
//! use bevy_math::Vec3;
//! use chunk_coord::prelude::*;
//!
//! let grid = ChunkGrid::planar(16.0)?;
//! let viewer = Viewer {
//!     id: 1,
//!     coord: grid.coord_at(Vec3::new(-3.0, 70.0, 41.5))?,
//!     range: ViewRange::disc(8, 10)?,
//! };
//! assert_eq!(viewer.coord, ChunkCoord::planar(-1, 2));
//!
//! let mut wanted = WantedSet::new();
//! let mut changes = Changes::new();
//! wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
//! assert_eq!(changes.entered[0], viewer.coord); // nearest first
//! assert_eq!(wanted.len(), 197);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! It knows nothing of threads, of entities, or of what a chunk contains. Without its default feature
//! `std` it needs `alloc` alone.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod budget;
mod changes;
mod coord;
mod entering;
mod footprint;
mod found;
mod grid;
mod leaving;
mod levels;
mod members;
mod nearest;
mod order;
mod priority;
mod range;
mod roster;
mod row;
mod span;
mod wanted;

pub use budget::ScanBudget;
pub use changes::Changes;
pub use coord::ChunkCoord;
pub use footprint::Footprint;
pub use grid::{Axis, ChunkGrid, GridError, GridErrorKind, PositionError, PositionErrorKind};
pub use levels::{LevelRings, LevelRingsError, LevelRingsErrorKind};
pub use nearest::nearest_distance_sq;
pub use order::{NearestFirst, nearest_k};
pub use priority::{Lane, look_ahead_sq, view_weighted_sq};
pub use range::{ViewRange, ViewRangeError, ViewRangeErrorKind, Viewer};
pub use wanted::WantedSet;

/// What most users of the crate name.
pub mod prelude {
    pub use crate::{
        Changes, ChunkCoord, ChunkGrid, Footprint, ScanBudget, ViewRange, Viewer, WantedSet,
        nearest_distance_sq,
    };
}
