//! `cargo xtask bench`: every bench of the workspace, and one table of what the benches found.

mod baseline;
mod figure;
mod table;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

use cargo_metadata::TargetKind;

use crate::failure::{Failure, Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;
use baseline::Baseline;
use figure::Figure;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Runs only what has this in its name
    filter: Option<String>,
    /// Runs only the benches of this crate
    #[arg(long, short, value_name = "CRATE")]
    package: Option<String>,
    /// Writes the figures to this file as a list of objects
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keeps the figures under this name, to be compared with later
    #[arg(long, value_name = "NAME", value_parser = baseline::name)]
    save_baseline: Option<String>,
    /// Compares with figures that were kept, and fails where one became worse
    #[arg(long, value_name = "NAME", value_parser = baseline::name)]
    compare: Option<String>,
    /// How much worse a figure may become before the comparison fails, in percent
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u8).range(1..100))]
    tolerance: u8,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Verdict {
    // Read first: a name that is not there should not cost a run.
    let before = match &args.compare {
        Some(name) => Some(Baseline::read(workspace, name)?),
        None => None,
    };
    let figures = measure(workspace, args)?;
    println!("\n{}", table::render(&figures, before.as_ref()));
    if let Some(file) = &args.json {
        write(file, &figures)?;
    }
    if let Some(name) = &args.save_baseline {
        let file = baseline::file(workspace, name);
        write(&file, &figures)?;
    }
    judge(&figures, before.as_ref(), args.tolerance)
}

fn measure(workspace: &Workspace, args: &Args) -> Result<Vec<Figure>, Failure> {
    let mut figures = Vec::new();
    let packages = workspace.packages();
    let is_wanted = |name: &str| args.package.as_deref().is_none_or(|it| it == name);
    for package in packages.iter().filter(|package| is_wanted(&package.name)) {
        for bench in Workspace::targets(package, TargetKind::Bench) {
            let found = run_bench(workspace, &package.name, bench, args.filter.as_deref())?;
            if found.is_empty() && args.filter.is_none() {
                return Err(Failure::new(
                    format!("The bench {bench} of {} printed no figure.", package.name),
                    "Print one `figure {…}` line for each figure; xtask/src/bench/figure.rs says how.",
                ));
            }
            figures.extend(found);
        }
    }
    if figures.is_empty() {
        return Err(Failure::new(
            "No figure has that name.",
            "Run `cargo xtask bench` without a filter to see all names.",
        ));
    }
    Ok(figures)
}

/// Runs one bench; shows what it prints and returns its figures.
fn run_bench(
    workspace: &Workspace,
    package: &str,
    bench: &str,
    filter: Option<&str>,
) -> Result<Vec<Figure>, Failure> {
    let mut command = shell::cargo(workspace);
    command.args(["bench", "--package", package, "--bench", bench, "--"]);
    command.args(filter);
    shell::announce(&command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| shell::did_not_start(&command, &error))?;
    let mut figures = Vec::new();
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        let line = line.unwrap_or_default();
        match Figure::parse(&line) {
            Some(figure) => figures.push(figure?),
            None => println!("{line}"),
        }
    }
    let advice = "Mend the bench; what it printed stands above.";
    let what = format!("The bench {bench} of {package} failed");
    match child.wait() {
        Ok(status) if status.success() => Ok(figures),
        Ok(status) => Err(Failure::new(format!("{what} ({status})."), advice)),
        Err(error) => Err(Failure::new(format!("{what}: {error}."), advice)),
    }
}

fn write(file: &std::path::Path, figures: &[Figure]) -> Result<(), Failure> {
    let cannot = |error: &dyn core::fmt::Display| {
        Failure::new(
            format!("{} cannot be written: {error}.", file.display()),
            "Name a file in a folder that is there and that you may write to.",
        )
    };
    let text = serde_json::to_string_pretty(figures).map_err(|error| cannot(&error))?;
    fs::write(file, text + "\n").map_err(|error| cannot(&error))?;
    eprintln!("wrote {}", file.display());
    Ok(())
}

fn judge(figures: &[Figure], before: Option<&Baseline>, tolerance: u8) -> Verdict {
    let mut findings: Vec<_> = figures
        .iter()
        .filter(|figure| !figure.ok)
        .map(|figure| format!("{} misses its target.", figure.bench))
        .collect();
    let least = 1.0 - f64::from(tolerance) / 100.0;
    for figure in figures {
        let Some(change) = before.and_then(|before| before.change(figure)) else {
            continue;
        };
        if change < least {
            let bench = &figure.bench;
            findings.push(format!("{bench} is {change:.2}× as good as it was."));
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
        let good = Figure::example("good", 2.0, None, Some(3.0));
        let bad = Figure::example("bad", 4.0, None, Some(3.0));
        assert_eq!(
            judge(std::slice::from_ref(&good), None, 25),
            Ok(Outcome::Done)
        );
        let failure = judge(&[good, bad], None, 25).unwrap_err();
        assert!(failure.to_string().starts_with("bad misses its target."));
    }

    #[test]
    fn a_figure_that_became_worse_fails_the_comparison() {
        let before = Baseline::of(vec![Figure::example("x", 1.0, Some(10.0), None)]);
        let now = |ratio| [Figure::example("x", 1.0, Some(ratio), None)];
        assert!(judge(&now(8.0), Some(&before), 25).is_ok());
        assert!(judge(&now(7.0), Some(&before), 25).is_err());
        assert!(judge(&now(7.0), Some(&before), 40).is_ok());
    }
}
