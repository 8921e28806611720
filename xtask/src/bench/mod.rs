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
    let before = args
        .compare
        .as_deref()
        .map(|name| baseline::read(workspace, name));
    let before = before.transpose()?;
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
        for name in baseline::vanished(before, &figures, args.filter.as_deref().unwrap_or_default())
        {
            eprintln!("{name} was measured before and is not now.");
        }
    }
    if args.quick {
        return Ok(());
    }
    judge(
        &figures,
        before.as_deref().unwrap_or_default(),
        args.tolerance,
    )
}

fn judge(figures: &[Figure], before: &[Figure], tolerance: u8) -> Verdict {
    let missed = figures.iter().filter(|figure| !figure.is_ok());
    let mut findings: Vec<_> = missed
        .map(|figure| format!("{} misses its target.", figure.bench))
        .collect();
    for figure in figures {
        // A count does not depend on the machine.
        let tolerance = if figure.counts_instructions() {
            2
        } else {
            tolerance
        };
        let least = 1.0 - f64::from(tolerance) / 100.0;
        if let Ok(change) = change(figure, before)
            && change < least
        {
            findings.push(format!(
                "{} is {change:.2}× as good as it was.",
                figure.bench
            ));
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
        let stop = judge(&[good, bad]).unwrap_err();
        assert!(
            stop.to_string()
                .starts_with("error: bad misses its target.")
        );
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
