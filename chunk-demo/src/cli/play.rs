//! `chunk-demo` without a subcommand: plays one scenario and prints its table.

use chunk_demo::scenario::Scenario;
use chunk_demo::{Faults, OnWorld, Pacing, Run, Settings, Workload, chart, scenario};

use crate::args::Play;
use crate::interrupt::Interrupt;
use crate::output::{JsonFile, check_folder, print, unwritable};
use crate::progress::Display;
use crate::{allocator, log, metrics, worlds};

/// Plays the scenario. Returns whether everything held, or why nothing was played.
pub(crate) fn run(args: &Play) -> Result<bool, String> {
    if args.scenario == "help" {
        print(&scenario::list());
        return Ok(true);
    }
    let scenario = args.scenario().map_err(|error| error.to_string())?;
    let settings = args.settings(scenario).map_err(|error| error.to_string())?;
    let playing = Playing {
        args,
        scenario,
        settings: settings.clone(),
    };
    worlds::with(args, &settings, playing)?
}

/// A scenario that is played on one of the worlds.
struct Playing<'a> {
    args: &'a Play,
    scenario: &'static dyn Scenario,
    settings: Settings,
}

impl OnWorld for Playing<'_> {
    type Output = Result<bool, String>;

    fn on<T: Send + Sync + 'static>(self, workload: Workload<T>) -> Self::Output {
        play(self.args, self.scenario, self.settings, workload)
    }
}

fn play<T: Send + Sync + 'static>(
    args: &Play,
    scenario: &dyn Scenario,
    settings: Settings,
    mut workload: Workload<T>,
) -> Result<bool, String> {
    let json = args.json.as_deref().map(JsonFile::open).transpose()?;
    args.report.as_deref().map_or(Ok(()), check_folder)?;
    if let Some(address) = &args.metrics_addr {
        workload = metrics::serve(address, workload)?;
    }

    log::start(scenario.faults() != Faults::NONE);
    let mut display = Display::new(scenario.name(), Interrupt::listen());
    let budget = settings.budget.time;
    let mut run = Run::new(settings, scenario, workload);
    run.has_timeline = args.report.is_some();
    run.live_bytes = Some(allocator::live_bytes);
    if args.unpaced {
        run.pacing = Pacing::Unpaced;
    }
    let outcome = run.go(&mut display).map_err(|error| error.to_string())?;
    display.finish();

    print(&chart::text_table(&outcome));
    if outcome.was_interrupted {
        print("Interrupted; these are the figures so far.");
    }
    for violation in &outcome.report.violations {
        eprintln!("violation: {violation}");
    }
    if let Some(json) = json {
        json.write(&outcome.report)?;
    }
    if let (Some(folder), Some(timeline)) = (&args.report, &outcome.timeline) {
        let page = chart::write_page(folder, &outcome, timeline, budget)
            .map_err(|error| unwritable("--report", folder, &error))?;
        print(&format!("{} shows the run", page.display()));
    }
    Ok(outcome.report.is_good())
}
