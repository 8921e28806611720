//! A window onto a world: fly through it, watch the stream, and disturb it. The keys are listed in the window.

mod controls;
#[cfg(feature = "voxels")]
mod digging;
mod open;
mod overlay;
mod overlay_plane;
mod panics;
mod picture;
#[cfg(all(feature = "saves", feature = "voxels"))]
mod saving;

pub use open::open;
