//! `cargo xtask bench`: every bench of the workspace, and one table of what the benches found.

mod baseline;
mod figure;
mod machine;
mod measure;
mod page;
mod peers;
mod table;

use std::path::PathBuf;

use crate::failure::{Failure, Outcome, Verdict};
use crate::workspace::Workspace;
use baseline::{Baseline, Change};
use figure::Figure;
use machine::Machine;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Measures only figures that have this in their name
    filter: Option<String>,
    /// Runs only the benches of this crate
    #[arg(long, short, value_name = "CRATE")]
    package: Option<String>,
    /// Runs only the bench of this name, such as `workloads` or `instructions`
    #[arg(long, value_name = "NAME")]
    bench: Option<String>,
    /// Builds a program with other crates, which takes minutes the first time, and compares with them too
    #[arg(long)]
    peers: bool,
    /// Runs everything for a moment, to see that it works; nothing is judged
    #[arg(long)]
    quick: bool,
    /// Writes the figures to this file as a list of objects
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Puts the tables into docs/measurements.md
    #[arg(long, conflicts_with = "quick")]
    write_docs: bool,
    /// Keeps the figures under this name, to be compared with later
    #[arg(long, value_name = "NAME", value_parser = baseline::name)]
    save_baseline: Option<String>,
    /// Compares with figures that were kept, and fails where one became worse
    #[arg(long, value_name = "NAME", value_parser = baseline::name)]
    compare: Option<String>,
    /// How much worse a figure may become before the comparison fails, in percent; counted instructions may become 2 %
    /// worse
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u8).range(1..100))]
    tolerance: u8,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Verdict {
    // Read first: a name that is not there should not cost a run.
    let before = match &args.compare {
        Some(name) => Some(Baseline::read(workspace, name)?),
        None => None,
    };
    let machine = Machine::this();
    let found = measure::measure(workspace, args)?;
    let figures = found.figures;
    let table = table::render(&figures, &machine, before.as_ref());
    println!("\n{table}");
    if args.write_docs {
        let page = format!("{table}\n{}", found.tables.join("\n"));
        page::update(workspace, &page)?;
    }
    if let Some(file) = &args.json {
        baseline::write(file, &figures, &machine)?;
    }
    if let Some(name) = &args.save_baseline {
        baseline::write(&baseline::file(workspace, name), &figures, &machine)?;
    }
    if let Some(before) = &before {
        let vanished = match (&args.package, &args.bench) {
            (None, None) => before.vanished(&figures, args.filter.as_deref().unwrap_or_default()),
            // Which figures the other benches have is not known here.
            _ => Vec::new(),
        };
        for name in vanished {
            eprintln!("{name} was measured before and is not now.");
        }
    }
    if args.quick {
        return Ok(Outcome::Done);
    }
    judge(&figures, &machine, before.as_ref(), args.tolerance)
}

fn judge(
    figures: &[Figure],
    machine: &Machine,
    before: Option<&Baseline>,
    tolerance: u8,
) -> Verdict {
    let mut findings: Vec<_> = figures
        .iter()
        .filter(|figure| !figure.ok)
        .map(|figure| format!("{} misses its target.", figure.bench))
        .collect();
    for figure in figures {
        let tolerance = figure.tolerance().unwrap_or(tolerance);
        let least = 1.0 - f64::from(tolerance) / 100.0;
        match before.map(|before| before.change(figure, machine)) {
            Some(Change::Times(change)) if change < least => {
                let bench = &figure.bench;
                findings.push(format!("{bench} is {change:.2}× as good as it was."));
            }
            _ => {}
        }
    }
    Failure::unless_empty(
        &findings,
        "Run it alone on a quiet machine (`cargo xtask bench NAME`); if it stays, find the change that \
         made it worse.",
    )?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_fails_the_run() {
        let machine = Machine::example("one");
        let good = Figure::example("good", 2.0, None, Some(3.0));
        let bad = Figure::example("bad", 4.0, None, Some(3.0));
        let judge = |figures: &[Figure]| judge(figures, &machine, None, 25);
        assert_eq!(judge(std::slice::from_ref(&good)), Ok(Outcome::Done));
        let failure = judge(&[good, bad]).unwrap_err();
        assert!(failure.to_string().starts_with("bad misses its target."));
    }

    #[test]
    fn a_figure_that_became_worse_fails_the_comparison() {
        let machine = Machine::example("one");
        let before = [Figure::example("x", 1.0, Some(10.0), None)];
        let before = Baseline::of(&before, &machine);
        let judge = |ratio, tolerance| {
            let now = [Figure::example("x", 1.0, Some(ratio), None)];
            judge(&now, &machine, Some(&before), tolerance)
        };
        assert!(judge(8.0, 25).is_ok());
        assert!(judge(7.0, 25).is_err());
        assert!(judge(7.0, 40).is_ok());
    }

    #[test]
    fn counted_instructions_may_become_two_percent_more() {
        let machine = Machine::example("one");
        let figure = |value| Figure {
            unit: figure::INSTRUCTIONS.to_owned(),
            ..Figure::example("x", value, None, None)
        };
        let before = Baseline::of(&[figure(1_000.0)], &machine);
        let judge = |value| judge(&[figure(value)], &machine, Some(&before), 25);
        assert!(judge(1_019.0).is_ok());
        assert!(judge(1_030.0).is_err());
    }
}
