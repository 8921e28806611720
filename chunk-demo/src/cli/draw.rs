//! `chunk-demo --render` and `--window`: draws the city instead of measuring it.

use std::process::ExitCode;

use crate::args::Play;

/// Draws what the options ask for, and says on standard output what it wrote.
#[cfg(feature = "render")]
pub(crate) fn run(args: &Play) -> ExitCode {
    use chunk_demo::render::{RenderError, adapter, pictures, window};

    use crate::output::print;

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

/// Says how to get a build that can draw.
#[cfg(not(feature = "render"))]
pub(crate) fn run(_args: &Play) -> ExitCode {
    eprintln!(
        "error: this build cannot draw: `cargo xtask demo --render DIR` and `cargo xtask demo --window` make \
         one that can, and so does `--features render` with cargo's own commands"
    );
    ExitCode::from(2)
}
