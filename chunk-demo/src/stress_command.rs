//! `chunk-demo stress`: plays the stress tests one after the other and sums up.

use std::io::{Write, stdout};

use chunk_demo::{Outcome, STRESS_RUNS, StressRun, Workload};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;

use crate::args::Stress;
use crate::interrupt::Interrupt;
use crate::json_file::JsonFile;
use crate::log;
use crate::progress::Display;

/// Plays the tests. Whether everything held, or why nothing was played.
pub(crate) fn run(args: &Stress) -> Result<bool, String> {
    let runs = chosen(args)?;
    let json = args.json.as_deref().map(JsonFile::open).transpose()?;
    log::start(true);
    let mut interrupt = Interrupt::listen();
    let mut played: Vec<(StressRun, Outcome)> = Vec::new();
    for (number, run) in (1..).zip(&runs) {
        let settings = run.settings(args.seed.unwrap_or(1), args.quick);
        let city = Workload::city(settings.city()).map_err(|error| error.to_string())?;
        let name = format!(
            "{number}/{} {}: {}",
            runs.len(),
            run.test,
            run.scenario.name()
        );
        let mut display = Display::new(&name, interrupt.clone());
        let outcome = run
            .go(&settings, city, &mut display)
            .map_err(|error| error.to_string())?;
        display.finish();
        for violation in &outcome.report.violations {
            eprintln!("violation in {name}, seed {}: {violation}", settings.seed);
            eprintln!("  to see it again: {}", run.command(&settings));
        }
        played.push((*run, outcome));
        if interrupt.is_new() {
            break;
        }
    }
    let _ = writeln!(stdout(), "{}", summary(&played, runs.len()));
    if let Some(json) = json {
        let reports: Vec<_> = played.iter().map(|(_, outcome)| &outcome.report).collect();
        json.write(&reports)?;
    }
    Ok(played.iter().all(|(_, outcome)| outcome.report.is_good()))
}

fn chosen(args: &Stress) -> Result<Vec<StressRun>, String> {
    let only = args.only.as_deref().unwrap_or_default();
    let is_chosen = |run: &StressRun| run.test.contains(only) || run.scenario.name().contains(only);
    let runs: Vec<StressRun> = STRESS_RUNS.into_iter().filter(is_chosen).collect();
    if runs.is_empty() {
        let names: Vec<&str> = STRESS_RUNS.iter().map(|run| run.test).collect();
        return Err(format!(
            "--only cannot be `{only}`: no test is called so; there are {}",
            names.join(", ")
        ));
    }
    Ok(runs)
}

fn summary(played: &[(StressRun, Outcome)], planned: usize) -> String {
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header([
        "test",
        "scenario",
        "frames",
        "applied",
        "panics",
        "main thread p50 / p99 / max µs",
        "present",
        "bytes a frame",
        "verdict",
    ]);
    for (run, outcome) in played {
        let report = &outcome.report;
        let verdict = match report.violations.len() {
            _ if outcome.was_interrupted => "interrupted".to_owned(),
            0 => "held".to_owned(),
            count => format!("{count} violations"),
        };
        table.add_row([
            run.test.to_owned(),
            report.scenario.clone(),
            report.frames.to_string(),
            report.applied.to_string(),
            report.panics.to_string(),
            format!(
                "{} / {} / {}",
                report.main_thread_us_p50, report.main_thread_us_p99, report.main_thread_us_max
            ),
            format!("{:.2} %", report.coverage * 100.0),
            format!("{:.1}", outcome.memory_slope),
            verdict,
        ]);
    }
    let good = played
        .iter()
        .filter(|(_, outcome)| outcome.report.is_good());
    format!("{table}\n{} of {planned} runs held", good.count())
}
