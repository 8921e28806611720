//! The options that need a renderer.

use std::path::PathBuf;

/// The options that need a renderer.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct RenderArgs {
    /// Draw the key moments of the scenario to PNG files in this folder, on a GPU or in software
    #[arg(long, value_name = "DIR")]
    pub render: Option<PathBuf>,

    /// The width of the pictures, in dots
    #[arg(long, value_name = "DOTS", default_value_t = 1280, value_parser = clap::value_parser!(u32).range(64..=7680))]
    pub width: u32,

    /// The height of the pictures, in dots
    #[arg(long, value_name = "DOTS", default_value_t = 720, value_parser = clap::value_parser!(u32).range(64..=4320))]
    pub height: u32,
}

impl RenderArgs {
    /// Whether anything is to be drawn.
    #[must_use]
    pub fn is_given(&self) -> bool {
        self.render.is_some()
    }

    /// Width and height of the pictures, in dots.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        [self.width, self.height]
    }
}
