//! One scenario, from the options to the table.

use std::io::{Write, stdout};

use chunk_demo::{Faults, Outcome, Pacing, Run, Workload, table};
use chunk_demo::{chart, scenario};

use crate::args::Play;
use crate::interrupt::Interrupt;
use crate::json_file::JsonFile;
use crate::log;
use crate::metrics;
use crate::progress::Display;

/// Plays the scenario. Whether everything held, or why nothing was played.
pub(crate) fn run(args: &Play) -> Result<bool, String> {
    if args.scenario == "help" {
        print(&scenario::list());
        return Ok(true);
    }
    let scenario = args.scenario().map_err(|error| error.to_string())?;
    let settings = args.settings(scenario).map_err(|error| error.to_string())?;
    let json = args.json.as_deref().map(JsonFile::open).transpose()?;
    let city = Workload::city(settings.city()).map_err(|error| error.to_string())?;

    let server = (args.metrics_addr.as_deref()).map(metrics::serve);
    let server = server.transpose()?;
    let city = if server.is_some() {
        metrics::tell(city)
    } else {
        city
    };

    log::start(scenario.faults() != Faults::NONE);
    let mut display = Display::new(scenario.name(), Interrupt::listen());
    let budget = settings.budget.time;
    let mut run = Run::new(settings, scenario, city);
    run.is_filmed = args.report.is_some();
    if args.unpaced {
        run.pacing = Pacing::Unpaced;
    }
    let outcome = run.go(&mut display).map_err(|error| error.to_string())?;
    display.finish();
    drop(server);

    show(&outcome);
    if let (Some(folder), Some(film)) = (&args.report, &outcome.film) {
        let page = chart::write_page(folder, &outcome, film, budget)
            .map_err(|error| format!("--report {}: {error}", folder.display()))?;
        print(&format!("{} shows the run", page.display()));
    }
    if let Some(json) = json {
        json.write(&outcome.report)?;
    }
    Ok(outcome.report.is_good())
}

fn show(outcome: &Outcome) {
    print(&table(outcome));
    if outcome.was_interrupted {
        print("Interrupted; these are the figures so far.");
    }
    for violation in &outcome.report.violations {
        eprintln!("violation: {violation}");
    }
}

/// Nobody reading is no reason to panic.
fn print(text: &str) {
    let _ = writeln!(stdout(), "{text}");
}
