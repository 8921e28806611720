//! The city on screen: pictures to files, on a GPU or in software.
//!
//! [`Studio`] is an app that renders off-screen, [`pictures`] plays a scenario in it and takes pictures at its key
//! moments, and [`adapter`] finds out whether the machine can draw at all. The scene is the same in all of them: a
//! [`Sky`](sky::Sky), a sun, fog that hides the end of the world, and a camera exposed for noon.

pub mod adapter;
mod args;
mod error;
pub mod pictures;
pub mod scene;
pub mod sky;
mod studio;

use crate::scenario::Scenario;
use crate::settings::Settings;

pub use args::RenderArgs;
pub use error::RenderError;
pub use studio::Studio;

/// Does what the options ask for, and says on standard output what it wrote.
///
/// # Errors
///
/// If no adapter can draw, a setting makes no sense, or a picture cannot be written.
pub fn run(
    args: &RenderArgs,
    settings: &Settings,
    scenario: &dyn Scenario,
) -> Result<(), RenderError> {
    if let Some(folder) = &args.render {
        let adapter = adapter::find()?;
        println!("drawing on {adapter}");
        for picture in pictures::take(folder, args.size(), settings, scenario)? {
            println!("{picture}");
        }
    }
    Ok(())
}
