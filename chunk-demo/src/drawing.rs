//! The options that draw.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::args::Play;

/// The options that draw. They need a build with the feature `render`.
#[derive(clap::Args, Debug)]
pub(crate) struct Drawing {
    /// Draws the scenario's key moments to PNG files in this folder, on a GPU or in software
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "report", "unpaced"])]
    pub(crate) render: Option<PathBuf>,

    /// Opens a window to fly through the city; the keys are listed in it
    #[arg(long, conflicts_with_all = ["json", "report", "unpaced"])]
    pub(crate) window: bool,

    /// With --window: draws the window to this PNG file once the world is there, and closes it
    #[arg(long, value_name = "FILE", requires = "window")]
    pub(crate) window_picture: Option<PathBuf>,

    /// The size of the pictures, in dots
    #[arg(long, value_name = "WIDTHxHEIGHT", default_value = "1280x720", value_parser = size)]
    pub(crate) size: [u32; 2],
}

impl Drawing {
    /// Whether anything is to be drawn.
    pub(crate) fn is_given(&self) -> bool {
        self.render.is_some() || self.window
    }
}

/// The narrowest and widest side of a picture.
const SIDES: core::ops::RangeInclusive<u32> = 64..=8192;

fn size(text: &str) -> Result<[u32; 2], String> {
    let side = |side: &str| side.parse().ok().filter(|side| SIDES.contains(side));
    let sides = text.split_once('x');
    let size = sides.and_then(|(width, height)| Some([side(width)?, side(height)?]));
    size.ok_or_else(|| {
        let (least, most) = SIDES.into_inner();
        format!("a size is two numbers from {least} to {most}, such as 1280x720")
    })
}

/// Draws what the options ask for, and says on standard output what it wrote.
#[cfg(feature = "render")]
pub(crate) fn run(args: &Play) -> ExitCode {
    use chunk_demo::render::{RenderError, adapter, pictures, window};

    use crate::play::print;

    let draw = || -> Result<(), RenderError> {
        let scenario = args.scenario()?;
        let settings = args.settings(scenario)?;
        let adapter = adapter::find()?;
        print(&format!("drawing on {adapter}"));
        if let Some(folder) = &args.drawing.render {
            for picture in pictures::take(folder, args.drawing.size, &settings, scenario)? {
                print(&picture.to_string());
            }
        }
        if args.drawing.window {
            window::open(&settings, scenario, args.drawing.window_picture.as_deref())?;
        }
        Ok(())
    };
    crate::log::start(false);
    match draw() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

/// Says how to get a build that can.
#[cfg(not(feature = "render"))]
pub(crate) fn run(_args: &Play) -> ExitCode {
    eprintln!(
        "error: this build cannot draw: `cargo xtask demo --render DIR` and `cargo xtask demo --window` make \
         one that can, and so does `--features render` with cargo's own commands"
    );
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(size("640x360"), Ok([640, 360]));
        for text in ["", "640", "640x", "x360", "0x0", "640x9000", "-1x7"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
