//! The city on screen: pictures to files and a window, on a GPU or in software.
//!
//! [`Studio`] is an app that renders off-screen, [`pictures`] plays a scenario in it and takes pictures at its key
//! moments, [`window`] lets you fly through it, and [`adapter`] finds out whether the machine can draw at all. The scene
//! is the same in all of them: a
//! [`Sky`](sky::Sky), a sun, fog that hides the end of the world, and a camera exposed for noon.

pub mod adapter;
mod batches;
mod error;
pub mod pictures;
mod plugins;
pub mod scene;
pub mod sky;
mod studio;
pub mod window;

pub use batches::Batches;
pub use error::RenderError;
pub use studio::Studio;
