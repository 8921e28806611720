//! `chunk-demo stress`: plays the stress tests one after the other and sums up.

use std::time::Duration;

use chunk_demo::{
    OnWorld, Outcome, STRESS_RUNS, SettingsError, StressRun, Watcher, Workload, WorldKind,
    frame_analysis,
};
use comfy_table::Table;
use comfy_table::presets::UTF8_BORDERS_ONLY;

use crate::args::Stress;
use crate::interrupt::Interrupt;
use crate::output::{JsonFile, print};
use crate::progress::Display;
use crate::{allocator, crash, log};

/// About how long an unpaced frame takes, to estimate the time that is left.
const UNPACED_FRAME: Duration = Duration::from_micros(250);

/// Plays the tests. Returns whether all were played and everything held, or why nothing was played.
pub(crate) fn run(args: &Stress) -> Result<bool, String> {
    let runs = chosen(args)?;
    let seed = args.seed.unwrap_or(1);
    let json = args.json.as_deref().map(JsonFile::open).transpose()?;
    log::start(true);
    let interrupt = Interrupt::listen();
    let mut played: Vec<(StressRun, Outcome)> = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        let settings = run.settings(args.world, seed, args.quick);
        let name = format!("{}/{} {}", number + 1, runs.len(), run.name());
        let later = runs[number + 1..]
            .iter()
            .map(|run| expected(run, args.world, args.quick));
        let mut display = Display::new(&name, interrupt.clone()).followed_by(later.sum());
        let testing = Testing {
            run,
            args,
            seed,
            watcher: &mut display,
        };
        let outcome = args
            .world
            .with(&settings, testing)
            .and_then(|played| played);
        let outcome = outcome.map_err(|error| error.to_string())?;
        display.finish();
        for violation in &outcome.report.violations {
            eprintln!("violation in {name}, seed {seed}: {violation}");
            let command = run.command(args.world, seed, args.quick);
            eprintln!("  to see it again: {command}");
        }
        let was_interrupted = outcome.was_interrupted;
        played.push((*run, outcome));
        if was_interrupted {
            break;
        }
    }
    print(&summary(&played, &runs));
    if let Some(json) = json {
        let reports: Vec<_> = played.iter().map(|(_, outcome)| &outcome.report).collect();
        json.write(&reports)?;
    }
    Ok(held(&played) == runs.len())
}

/// A stress test that is run on one of the worlds.
struct Testing<'a> {
    run: &'a StressRun,
    args: &'a Stress,
    seed: u64,
    watcher: &'a mut dyn Watcher,
}

impl OnWorld for Testing<'_> {
    type Output = Result<Outcome, SettingsError>;

    fn on<T: Send + Sync + 'static>(self, workload: Workload<T>) -> Self::Output {
        let (world, is_quick) = (self.args.world, self.args.quick);
        let live_bytes = Some(allocator::live_bytes as fn() -> u64);
        self.run.go(
            world,
            self.seed,
            is_quick,
            workload,
            live_bytes,
            self.watcher,
        )
    }
}

fn chosen(args: &Stress) -> Result<Vec<StressRun>, String> {
    let only = args.only.as_deref().unwrap_or_default();
    let runs = StressRun::named(only);
    if runs.is_empty() {
        let names: Vec<String> = STRESS_RUNS.iter().map(StressRun::name).collect();
        return Err(format!(
            "--only cannot be `{only}`: it must be in the name of a test; there are {}, and {}",
            names.join(", "),
            crash::NAME
        ));
    }
    Ok(runs)
}

/// About how long a run will take.
fn expected(run: &StressRun, world: WorldKind, is_quick: bool) -> Duration {
    let settings = run.settings(world, 1, is_quick);
    if run.is_unpaced {
        UNPACED_FRAME.mul_f64(settings.frames() as f64)
    } else {
        Duration::from_secs_f64(settings.seconds)
    }
}

/// How many runs were played to the end without a violation.
fn held(played: &[(StressRun, Outcome)]) -> usize {
    let outcomes = played.iter().map(|(_, outcome)| outcome);
    let held = outcomes.filter(|it| it.report.is_good() && !it.was_interrupted);
    held.count()
}

fn summary(played: &[(StressRun, Outcome)], planned: &[StressRun]) -> String {
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
        "peak MiB",
        "growth, bytes a frame",
        "verdict",
    ]);
    for (run, outcome) in played {
        let report = &outcome.report;
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
            format!("{:.1}", report.peak_rss_bytes as f64 / f64::from(1 << 20)),
            growth(run, outcome),
            verdict(outcome),
        ]);
    }
    let mut text = table.to_string();
    let analysed = played.iter().filter(|(run, _)| run.test == "frame times");
    for (run, outcome) in analysed {
        text += &format!(
            "\nthe longest frames of {}:\n{}",
            run.name(),
            frame_analysis(outcome)
        );
    }
    text += &format!("\n{} of {} runs held", held(played), planned.len());
    // Only the last run that was played can have been interrupted.
    let finished = played.iter().take_while(|(_, it)| !it.was_interrupted);
    let unfinished = &planned[finished.count()..];
    if !unfinished.is_empty() {
        let names: Vec<String> = unfinished.iter().map(StressRun::name).collect();
        let names = names.join(", ");
        text += &format!("\ninterrupted; not played to the end: {names}");
    }
    text
}

fn growth(run: &StressRun, outcome: &Outcome) -> String {
    match outcome.memory_slope {
        Some(slope) => format!("{slope:.3}"),
        None if run.scenario.round().is_some() => "unknown".to_owned(),
        None => "not measured".to_owned(),
    }
}

fn verdict(outcome: &Outcome) -> String {
    match outcome.report.violations.len() {
        0 if outcome.was_interrupted => "interrupted".to_owned(),
        0 => "held".to_owned(),
        1 => "1 violation".to_owned(),
        count => format!("{count} violations"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(was_interrupted: bool, violations: &[&str]) -> Outcome {
        let mut outcome = Outcome {
            was_interrupted,
            ..Outcome::default()
        };
        outcome.report.violations = violations.iter().map(ToString::to_string).collect();
        outcome
    }

    #[test]
    fn runs_that_were_not_played_are_named() {
        let planned = STRESS_RUNS;
        let played = [
            (planned[0], outcome(false, &[])),
            (planned[1], outcome(true, &[])),
        ];
        let text = summary(&played, &planned);
        assert!(text.contains("1 of 7 runs held"), "{text}");
        assert!(
            text.ends_with(
                "not played to the end: long session: long, panics: panic, panics: panic-half, frame times: flight, \
                 many chunks: dense, many chunks: dense-10000"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_row_says_whether_memory_was_measured_and_what_did_not_hold() {
        let [teleports, long, ..] = STRESS_RUNS;
        let mut steady = outcome(true, &["leak", "leak"]);
        steady.memory_slope = Some(0.25);
        for (run, outcome, ends) in [
            (long, outcome(false, &[]), ["unknown", "held"]),
            (
                teleports,
                outcome(true, &[]),
                ["not measured", "interrupted"],
            ),
            (
                teleports,
                outcome(false, &["leak"]),
                ["not measured", "1 violation"],
            ),
            (long, steady, ["0.250", "2 violations"]),
        ] {
            assert_eq!([growth(&run, &outcome), verdict(&outcome)], ends);
        }
    }

    #[test]
    fn the_time_that_a_run_takes_is_estimated() {
        let expected = |run| expected(run, WorldKind::City, false);
        assert_eq!(expected(&STRESS_RUNS[0]), Duration::from_secs(60));
        assert_eq!(expected(&STRESS_RUNS[1]), Duration::from_secs(250));
    }
}
