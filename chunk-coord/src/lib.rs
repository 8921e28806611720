//! Integer chunk space.
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
mod members;
mod nearest;
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
pub use nearest::nearest_distance_sq;
pub use range::{ViewRange, ViewRangeError, Viewer};
pub use wanted::WantedSet;

/// What most users of the crate name.
pub mod prelude {
    pub use crate::{
        Changes, ChunkCoord, ChunkGrid, Footprint, ScanBudget, ViewRange, Viewer, WantedSet,
        nearest_distance_sq,
    };
}
