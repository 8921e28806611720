#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod budget;
mod changes;
mod coord;
mod crowd;
mod entering;
mod footprint;
mod found;
mod grid;
mod leaving;
mod levels;
mod members;
mod nearest;
mod order;
mod placed;
mod priority;
mod range;
mod rings;
mod root;
mod roster;
mod runs;
#[cfg(feature = "serde")]
mod serial;
mod span;
mod stencil;
mod walk;
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
