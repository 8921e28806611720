//! A window onto the city: fly through it, watch the stream, and disturb it. The keys are listed in the window.

mod controls;
mod open;
mod overlay;
mod overlay_plane;
mod panics;
mod picture;

pub use open::open;
