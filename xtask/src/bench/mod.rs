//! `cargo xtask bench`: every bench of the workspace, and one table of their figures.

mod baseline;
mod figure;
mod machine;
mod measure;
#[cfg(test)]
#[path = "../../shared/figures.rs"]
mod print;
mod table;

use crate::cli::BenchArgs;
use crate::verdict::{Stop, Verdict};
use crate::workspace::Workspace;
use baseline::change;
use figure::Figure;
use machine::Machine;

pub(crate) fn run(workspace: &Workspace, args: &BenchArgs) -> Verdict {
    // Read first: a name that is not there should not cost a run.
    let before = match &args.compare {
        Some(name) => Some(baseline::read(workspace, name)?),
        None => None,
    };
    let machine = Machine::this();
    let mut found = measure::measure(workspace, args)?;
    for figure in &mut found.figures {
        figure.machine = Some(machine.clone());
    }
    let figures = found.figures;
    let table = table::render(&figures, &machine, before.as_deref());
    println!("\n{table}");
    if args.write_docs {
        table::update_page(workspace, &(table + &found.tables))?;
    }
    if let Some(file) = &args.json {
        baseline::write(file, &figures)?;
    }
    if let Some(name) = &args.save_baseline {
        baseline::write(&baseline::file(workspace, name), &figures)?;
    }
    // With one crate or bench alone, which figures the others have is not known.
    if let (Some(before), None, None) = (&before, &args.package, &args.bench) {
        let filter = args.filter.as_deref().unwrap_or_default();
        for name in baseline::vanished(before, &figures, filter) {
            eprintln!("{name} was measured before and is not now.");
        }
    }
    if args.quick {
        return Ok(());
    }
    let before = before.unwrap_or_default();
    judge(&figures, &before, args.tolerance)
}

fn judge(figures: &[Figure], before: &[Figure], tolerance: u8) -> Verdict {
    let mut findings = Vec::new();
    for figure in figures {
        let bench = &figure.bench;
        if !figure.is_ok() {
            findings.push(format!("{bench} misses its target."));
        }
        // A count does not depend on the machine.
        let is_count = figure.counts_instructions();
        let percent = if is_count { 2 } else { tolerance };
        match change(figure, before) {
            Ok(change) if change < 1.0 - f64::from(percent) / 100.0 => {
                findings.push(format!("{bench} is {change:.2}× as good as it was."));
            }
            _ => {}
        }
    }
    Stop::unless_empty(
        &findings,
        "Run it alone on a quiet machine (`cargo xtask bench NAME`); if it stays, find the change that made it worse.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_fails_the_run() {
        let good = Figure::example("good", 2.0, None, Some(3.0));
        let bad = Figure::example("bad", 4.0, None, Some(3.0));
        let judge = |figures: &[Figure]| judge(figures, &[], 25);
        assert_eq!(judge(std::slice::from_ref(&good)), Ok(()));
        let text = judge(&[good, bad]).unwrap_err().to_string();
        assert!(text.starts_with("error: bad misses its target."));
    }

    #[test]
    fn a_figure_that_became_worse_fails_the_comparison() {
        let figure = |ratio| Figure::example("x", 1.0, Some(ratio), None);
        let judge = |ratio, tolerance| judge(&[figure(ratio)], &[figure(10.0)], tolerance);
        assert!(judge(8.0, 25).is_ok());
        assert!(judge(7.0, 25).is_err());
        assert!(judge(7.0, 40).is_ok());
    }

    #[test]
    fn counted_instructions_may_become_two_percent_more() {
        let figure = |value| Figure {
            unit: "instructions".to_owned(),
            ..Figure::example("x", value, None, None)
        };
        let judge = |value| judge(&[figure(value)], &[figure(1_000.0)], 25);
        assert!(judge(1_019.0).is_ok());
        assert!(judge(1_030.0).is_err());
    }
}
