//! `chunk-demo profile`: plays one scenario and writes down where the time went.

use std::fs::File;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};

use chunk_demo::Faults;

use crate::args::Profiling;
use crate::log;
use crate::play;
use crate::profile::{self, Recording};

/// Plays and records. Whether everything held, or why nothing was played.
pub(crate) fn run(options: &Profiling) -> Result<bool, String> {
    if options.play.scenario == "help" {
        return play::run(&options.play);
    }
    if options.play.drawing.is_given() {
        return Err("profile draws nothing: leave --render and --window out".to_owned());
    }
    if let (Some(_), Some(missing)) = (&options.flamegraph, profile::missing_for_flamegraphs()) {
        return Err(format!("no flame graph: {missing}"));
    }
    let scenario = options.play.scenario();
    let scenario = scenario.map_err(|error| error.to_string())?;
    (options.play.settings(scenario)).map_err(|error| error.to_string())?;
    let mut trace = Output::open("--trace", &options.trace)?;
    let flamegraph = options.flamegraph.as_deref();
    let flamegraph = flamegraph.map(|path| Output::open("--flamegraph", path));
    let flamegraph = flamegraph.transpose()?;

    let recording = Recording::new();
    let level = log::level(scenario.faults() != Faults::NONE);
    recording.listen(&level.to_string())?;
    let verdict = play::run(&options.play)?;

    let tape = recording.tape();
    print(&profile::table(&tape));
    let written = profile::write_trace(&tape, &mut trace.file);
    written.map_err(|error| trace.failed(&error))?;
    print(&format!(
        "{} is the trace; open it in https://ui.perfetto.dev",
        trace.path.display()
    ));
    if tape.left_out > 0 {
        print(&format!(
            "{} later calls are in the table only",
            tape.left_out
        ));
    }
    if let Some(mut svg) = flamegraph {
        let drawn = profile::write_flamegraph(&tape, &mut svg.file);
        drawn.map_err(|error| svg.failed(&error))?;
        svg.file.flush().map_err(|error| svg.failed(&error))?;
        print(&format!(
            "{} is the flame graph; open it in a browser",
            svg.path.display()
        ));
    }
    Ok(verdict)
}

/// A file that is opened before the run, so that nobody waits for what has no place to go.
#[derive(Debug)]
struct Output {
    option: &'static str,
    path: PathBuf,
    file: BufWriter<File>,
}

impl Output {
    fn open(option: &'static str, path: &Path) -> Result<Self, String> {
        let cannot = |error| format!("{option} {} cannot be written: {error}", path.display());
        Ok(Self {
            option,
            path: path.to_owned(),
            file: BufWriter::new(File::create(path).map_err(cannot)?),
        })
    }

    fn failed(&self, error: &impl ToString) -> String {
        let error = error.to_string();
        format!(
            "{} {} cannot be written: {error}",
            self.option,
            self.path.display()
        )
    }
}

/// Nobody reading is no reason to panic.
fn print(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}
