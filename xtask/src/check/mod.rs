//! `cargo xtask check`: everything that must pass before a change is merged, step by step.

mod circles;
mod dependencies;
mod documents;
mod examples;
mod features;
mod layout;
mod pictures;
mod weight;

use std::time::{Duration, Instant};

use clap::ValueEnum;

use crate::cli::{CheckArgs, Step};
use crate::verdict::{Stop, Verdict, judge};
use crate::workspace::Workspace;
use crate::{commands, package, wasm};

pub(crate) fn run(workspace: &Workspace, args: &CheckArgs) -> Verdict {
    let all = Step::value_variants();
    if args.list {
        for (name, meaning) in all.iter().map(name_and_meaning) {
            println!("{name:<12} {meaning}");
        }
        return Ok(());
    }
    let is_wanted = |step: &&Step| args.only.is_empty() || args.only.contains(step);
    let steps: Vec<_> = all.iter().filter(is_wanted).copied().collect();
    let rows = run_steps(&steps, args.keep_going, |step| run_step(step, workspace));
    println!("\n{}", table(&rows));
    conclude(&rows)
}

fn run_step(step: Step, workspace: &Workspace) -> Verdict {
    match step {
        Step::Fmt => commands::fmt(workspace),
        Step::Layout => layout::run(workspace),
        Step::Dependencies => dependencies::run(workspace),
        Step::Circles => circles::run(workspace),
        Step::Weight => weight::run(workspace),
        Step::Documents => documents::run(workspace),
        Step::Package => package::complete(workspace),
        Step::Clocks => wasm::standard_clocks(workspace),
        Step::Clippy => commands::clippy(workspace),
        Step::Rustdoc => commands::rustdoc(workspace),
        Step::Features => features::run(workspace),
        Step::Tests => commands::tests(workspace),
        Step::Doctests => commands::doctests(workspace),
        Step::Examples => examples::run(workspace),
        Step::Pictures => pictures::run(workspace),
    }
}

/// What `--only` calls a step, and what holds if it passes.
fn name_and_meaning(step: &Step) -> (String, String) {
    let value = step.to_possible_value().expect("no step is hidden");
    let meaning = value.get_help().map(ToString::to_string);
    (value.get_name().to_owned(), meaning.unwrap_or_default())
}

/// A line of the table at the end: a step, what it said, and how long it took if it ran.
type Row = (String, &'static str, Option<Duration>);

const FAILED: &str = "FAILED";

fn run_steps(steps: &[Step], keep_going: bool, run: impl Fn(Step) -> Verdict) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for step in steps {
        let (name, meaning) = name_and_meaning(step);
        if !keep_going && rows.iter().any(|row| row.1 == FAILED) {
            rows.push((name, "not run", None));
            continue;
        }
        eprintln!("\n── {name}: {meaning}");
        let start = Instant::now();
        let verdict = judge(&name, run(*step));
        let result = match &verdict {
            Ok(()) => "passed",
            Err(Stop::Skipped(_)) => "skipped",
            Err(Stop::Failed { .. }) => FAILED,
        };
        if let Err(stop) = verdict {
            eprintln!("{stop}");
        }
        rows.push((name, result, Some(start.elapsed())));
    }
    rows
}

fn conclude(rows: &[Row]) -> Verdict {
    let failed = rows.iter().filter(|row| row.1 == FAILED);
    let failed: Vec<_> = failed.map(|row| row.0.as_str()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let again = failed.join(" ");
    let what = format!("{} did not pass.", failed.join(", "));
    let advice = "Follow the advice above, where it failed; then run `cargo xtask check --only";
    Err(Stop::failed(what, format!("{advice} {again}`.")))
}

/// One line for each step and one for all.
fn table(rows: &[Row]) -> String {
    let line = |step: &str, result: &str, took: &str| format!("{step:<12} {result:<8} {took:>9}");
    let seconds = |took: Duration| format!("{:.1} s", took.as_secs_f64());
    let mut lines = vec![line("step", "result", "time")];
    lines.extend(rows.iter().map(|(name, result, took)| {
        let took = took.map(seconds).unwrap_or_default();
        line(name, result, &took)
    }));
    let all = rows.iter().filter_map(|row| row.2).sum();
    lines.push(line("all", "", &seconds(all)));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Layout fails and the others pass.
    fn results(steps: &[Step], keep_going: bool) -> (Vec<&'static str>, bool) {
        let rows = run_steps(steps, keep_going, |step| match step {
            Step::Layout => Err(Stop::failed("It broke.", "Fix it.")),
            _ => Ok(()),
        });
        (
            rows.iter().map(|row| row.1).collect(),
            conclude(&rows).is_ok(),
        )
    }

    #[test]
    fn the_first_failure_ends_the_run_unless_it_should_go_on() {
        let steps = [Step::Fmt, Step::Layout, Step::Tests];
        assert_eq!(
            results(&steps, false),
            (vec!["passed", FAILED, "not run"], false)
        );
        assert_eq!(
            results(&steps, true),
            (vec!["passed", FAILED, "passed"], false)
        );
        assert_eq!(results(&[Step::Fmt], false), (vec!["passed"], true));
    }

    #[test]
    fn every_step_has_a_line() {
        let took = Duration::from_millis(1_250);
        let rows = [
            ("fmt".to_owned(), "passed", Some(took)),
            ("tests".to_owned(), "not run", None),
        ];
        let expected = "step         result        time\n\
                        fmt          passed       1.2 s\n\
                        tests        not run           \n\
                        all                       1.2 s";
        assert_eq!(table(&rows), expected);
    }
}
