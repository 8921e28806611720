//! One scenario, from the options to the table.

use std::io::{self, Write, stdout};
use std::path::Path;

use chunk_demo::{Faults, Outcome, Pacing, Run, Workload};
use chunk_demo::{chart, scenario};

use crate::args::Play;
use crate::interrupt::Interrupt;
use crate::json_file::JsonFile;
use crate::progress::Display;
use crate::{live, log, metrics};

/// Plays the scenario. Whether everything held, or why nothing was played.
pub(crate) fn run(args: &Play) -> Result<bool, String> {
    if args.scenario == "help" {
        print(&scenario::list());
        return Ok(true);
    }
    let scenario = args.scenario().map_err(|error| error.to_string())?;
    let settings = args.settings(scenario).map_err(|error| error.to_string())?;
    let json = args.json.as_deref().map(JsonFile::open).transpose()?;
    if let Some(folder) = &args.report {
        can_write(folder)?;
    }
    let mut city = Workload::city(settings.city()).map_err(|error| error.to_string())?;
    if let Some(address) = &args.metrics_addr {
        city = metrics::serve(address, city)?;
    }

    log::start(scenario.faults() != Faults::NONE);
    let mut display = Display::new(scenario.name(), Interrupt::listen());
    let budget = settings.budget.time;
    let mut run = Run::new(settings, scenario, city);
    run.has_timeline = args.report.is_some();
    run.live_bytes = Some(live::bytes);
    if args.unpaced {
        run.pacing = Pacing::Unpaced;
    }
    let outcome = run.go(&mut display).map_err(|error| error.to_string())?;
    display.finish();

    show(&outcome);
    if let Some(json) = json {
        json.write(&outcome.report)?;
    }
    if let (Some(folder), Some(timeline)) = (&args.report, &outcome.timeline) {
        let page = chart::write_page(folder, &outcome, timeline, budget)
            .map_err(|error| unwritable(folder, &error))?;
        print(&format!("{} shows the run", page.display()));
    }
    Ok(outcome.report.is_good())
}

/// Whether a page can be written to a folder, which is made if need be. Asked before the run, so that nobody waits for
/// a page that has no place to go.
fn can_write(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder)
        .and_then(|()| make_file_in(folder))
        .map_err(|error| unwritable(folder, &error))
}

/// Makes a file and takes it away again.
fn make_file_in(folder: &Path) -> io::Result<()> {
    let file = folder.join(format!(".chunk-demo-{}", std::process::id()));
    std::fs::write(&file, "")?;
    std::fs::remove_file(file)
}

fn unwritable(folder: &Path, error: &io::Error) -> String {
    format!("--report {} cannot be written: {error}", folder.display())
}

fn show(outcome: &Outcome) {
    print(&chart::text_table(outcome));
    if outcome.was_interrupted {
        print("Interrupted; these are the figures so far.");
    }
    for violation in &outcome.report.violations {
        eprintln!("violation: {violation}");
    }
}

/// Writes a line to standard output. Nobody reading is no reason to panic.
pub(crate) fn print(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}
