//! Vehicles drive and people walk near the viewers, for a few microseconds a frame.
//!
//! Everything that moves has a [`Course`]: the piece of a street that it keeps to. It never leaves its chunk and is a
//! child of its chunk's root, so that it is unloaded with the chunk. [`MotionPlugin`] moves what is near enough to be
//! seen moving, and [`MotionReport`] says what that cost.

mod course;
mod plugin;

pub use course::{AtEnd, Axis, Course};
pub use plugin::{MotionPlugin, MotionReport};
