//! What is drawn, for real: pictures of the city, a window on a display that nobody sees, tints to the last bit, and what
//! the program says where it cannot draw.
//!
//! They need a Vulkan driver, in software will do, and the window's need Xvfb. Where these are missing the tests say so
//! and pass; with `CI` set they fail.
#![cfg(feature = "render")]

mod own_meshes;
mod pictures;
mod refusals;
mod tint;
#[cfg(feature = "voxels")]
mod voxels;
#[cfg(unix)]
mod window;

use chunk_demo::render::adapter;

/// Whether there is something to draw with.
fn can_draw() -> bool {
    match adapter::find() {
        Ok(_) => true,
        Err(error) => missing(&error.to_string()),
    }
}

/// Says what is missing. In CI nothing may be.
fn missing(what: &str) -> bool {
    assert!(std::env::var_os("CI").is_none(), "{what}");
    eprintln!("skipped: {what}");
    false
}
