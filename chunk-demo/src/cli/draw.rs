//! `chunk-demo --render` and `--window`: draws a world instead of measuring it.

use std::process::ExitCode;

use crate::args::Play;

/// Draws what the options ask for, and says on standard output what it wrote.
#[cfg(feature = "render")]
pub(crate) fn run(args: &Play) -> ExitCode {
    crate::log::start(false);
    let (sentence, status) = match draw(args) {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => (error.to_string(), error.exit_status()),
        Err(sentence) => (sentence, crate::output::REFUSED),
    };
    eprintln!("error: {sentence}");
    ExitCode::from(status)
}

/// Draws, or says why there is no world to draw.
#[cfg(feature = "render")]
fn draw(args: &Play) -> Result<Result<(), chunk_demo::render::RenderError>, String> {
    use chunk_demo::SettingsError;

    let settings_error = |error: SettingsError| error.to_string();
    let scenario = args.scenario().map_err(settings_error)?;
    let settings = args.settings(scenario).map_err(settings_error)?;
    let adapter = match chunk_demo::render::adapter::find() {
        Ok(adapter) => adapter,
        Err(error) => return Ok(Err(error)),
    };
    crate::output::print(&format!("drawing on {adapter}"));
    let drawing = Drawing {
        args,
        scenario,
        settings: &settings,
    };
    crate::worlds::with(args, &settings, drawing)
}

/// What is drawn of one of the worlds.
#[cfg(feature = "render")]
struct Drawing<'a> {
    args: &'a Play,
    scenario: &'static dyn chunk_demo::scenario::Scenario,
    settings: &'a chunk_demo::Settings,
}

#[cfg(feature = "render")]
impl chunk_demo::OnWorld for Drawing<'_> {
    type Output = Result<(), chunk_demo::render::RenderError>;

    fn on<T: Send + Sync + 'static>(self, workload: chunk_demo::Workload<T>) -> Self::Output {
        use chunk_demo::render::{pictures, window};

        let Self {
            args,
            scenario,
            settings,
        } = self;
        let drawing = &args.drawing;
        if let Some(folder) = &drawing.render {
            for picture in pictures::take(folder, drawing.size, settings, scenario, &workload)? {
                crate::output::print(&picture.to_string());
            }
        }
        if drawing.window {
            window::open(
                settings,
                scenario,
                workload,
                drawing.window_picture.as_deref(),
            )?;
        }
        Ok(())
    }
}

/// Says how to get a build that can draw.
#[cfg(not(feature = "render"))]
pub(crate) fn run(_args: &Play) -> ExitCode {
    eprintln!(
        "error: this build cannot draw: `cargo xtask demo --render DIR` and `cargo xtask demo --window` make \
         one that can, and so does `--features render` with cargo's own commands"
    );
    ExitCode::from(crate::output::REFUSED)
}
