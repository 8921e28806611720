//! `chunk-demo profile`: plays one scenario and records where the time went.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use chunk_demo::Faults;

use crate::args::Profiling;
use crate::output::print;
use crate::profile::{DRAWS_FLAME_GRAPHS, Recording, draw_flame_graph};
use crate::{log, play};

/// Plays and records. Returns whether everything held, or why nothing was played.
pub(crate) fn run(options: &Profiling) -> Result<bool, String> {
    if options.play.scenario == "help" {
        return play::run(&options.play);
    }
    if options.play.drawing.is_given() {
        return Err("profile draws nothing: leave --render and --window out".to_owned());
    }
    if options.flamegraph.is_some() && !DRAWS_FLAME_GRAPHS {
        return Err(
            "no flame graph: this chunk-demo was built without the feature `flamegraph`, which `cargo xtask profile \
             --flamegraph FILE` switches on"
                .to_owned(),
        );
    }
    let scenario = options.play.scenario();
    let scenario = scenario.map_err(|error| error.to_string())?;
    (options.play.settings(scenario)).map_err(|error| error.to_string())?;
    let trace = create("--trace", &options.trace)?;
    let svg = options.flamegraph.as_deref();
    let svg = svg.map(|path| Ok::<_, String>((path, create("--flamegraph", path)?)));
    let svg = svg.transpose()?;

    let level = log::level(scenario.faults() != Faults::NONE);
    let recording = Recording::start(trace, &level.to_string())?;
    let verdict = play::run(&options.play)?;
    let costs = recording.finish();

    print(&costs.table());
    print(&format!(
        "{} is the trace; open it in https://ui.perfetto.dev",
        options.trace.display()
    ));
    if let Some((path, file)) = svg {
        let mut file = BufWriter::new(file);
        draw_flame_graph(&costs, &mut file)
            .and_then(|()| file.flush().map_err(|error| error.to_string()))
            .map_err(|error| unwritable("--flamegraph", path, &error))?;
        print(&format!(
            "{} is the flame graph; open it in a browser",
            path.display()
        ));
    }
    Ok(verdict)
}

/// Creates a file before the run, so that a path that cannot be written is found at once.
fn create(option: &str, path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| unwritable(option, path, &error))
}

fn unwritable(option: &str, path: &Path, error: &impl ToString) -> String {
    let error = error.to_string();
    format!("{option} {} cannot be written: {error}", path.display())
}
