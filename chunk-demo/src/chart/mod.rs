//! Charts and maps that need no renderer.

mod canvas;
mod font;

pub use canvas::{Canvas, Rgba};
