//! A world on screen: pictures to files and a window, on a GPU or in software.
//!
//! | part | what it is |
//! |---|---|
//! | [`adapter`] | finds out whether the machine can draw |
//! | [`OffscreenApp`] | an app that renders to a picture |
//! | [`measured`] | an app that draws for nobody, to measure what frames cost |
//! | [`pictures`] | plays a scenario off-screen and takes pictures at its key moments |
//! | [`window`] | a window to fly through the world |
//! | [`scene`], [`sky`] | sky, sun, fog and camera, which are the same in all of them |

pub mod adapter;
mod batches;
mod error;
pub mod measured;
mod offscreen_app;
pub mod pictures;
mod plugins;
pub mod scene;
mod screenshot;
pub mod sky;
pub mod window;

pub use batches::Batches;
pub use error::RenderError;
pub use offscreen_app::OffscreenApp;
