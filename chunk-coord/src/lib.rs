#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

mod box_tree;
mod budget;
mod coord;
mod footprint;
mod grid;
mod lod;
mod order;
mod plane;
mod range;
mod rows;
#[cfg(feature = "serde")]
mod serde_impls;
mod wanted;

pub use budget::ScanBudget;
pub use coord::{ChunkCoord, ParseCoordError};
pub use footprint::Footprint;
pub use grid::{ChunkGrid, GridError, GridErrorKind, PositionError, PositionErrorKind};
pub use lod::{LevelRings, LevelRingsError, LevelRingsErrorKind};
pub use order::{
    NearestFirst, NearestViewers, look_ahead_sq, nearest_distance_sq, view_weighted_sq,
};
pub use plane::{Axis, Plane};
pub use range::{ViewRange, ViewRangeError, ViewRangeErrorKind, Viewer};
pub use wanted::{Changes, WantedSet};

/// What most users of the crate name.
pub mod prelude {
    pub use crate::{
        Changes, ChunkCoord, ChunkGrid, Footprint, ScanBudget, ViewRange, Viewer, WantedSet,
        nearest_distance_sq,
    };
}
