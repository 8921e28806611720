//! Runs benches, shows what they print, and picks their figures and tables out of it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use cargo_metadata::TargetKind;

use super::Args;
use super::figure::Figure;
use super::peers;
use crate::failure::Failure;
use crate::shell;
use crate::workspace::Workspace;

/// A bench that has nothing to measure on this machine says why in a line that begins so.
const SKIPPED: &str = "skipped: ";

/// What the benches said.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) figures: Vec<Figure>,
    /// Lines of Markdown: headings of the third level and tables.
    pub(super) tables: Vec<String>,
    was_skipped: bool,
}

pub(super) fn measure(workspace: &Workspace, args: &Args) -> Result<Found, Failure> {
    let mut variables = BTreeMap::new();
    if args.peers {
        variables.insert(peers::VARIABLE, peers::build(workspace)?.into_os_string());
    }
    let mut all = Found::default();
    let packages = workspace.packages();
    let is_wanted =
        |asked: &Option<String>, name: &str| asked.as_deref().is_none_or(|it| it == name);
    for package in packages {
        for bench in Workspace::targets(package, TargetKind::Bench) {
            if !is_wanted(&args.package, &package.name) || !is_wanted(&args.bench, bench) {
                continue;
            }
            let found = run(workspace, &package.name, bench, args, &variables)?;
            if found.figures.is_empty() && args.filter.is_none() && !found.was_skipped {
                return Err(Failure::new(
                    format!("The bench {bench} of {} printed no figure.", package.name),
                    "Print one `figure {…}` line for each figure; xtask/src/bench/figure.rs says how.",
                ));
            }
            all.was_skipped |= found.was_skipped;
            all.figures.extend(found.figures);
            all.tables.extend(found.tables);
        }
    }
    if all.figures.is_empty() && !all.was_skipped {
        return Err(Failure::new(
            "No figure has that name.",
            "Run `cargo xtask bench` without a filter to see all names.",
        ));
    }
    Ok(all)
}

/// Runs one bench; shows what it prints and returns its figures.
fn run(
    workspace: &Workspace,
    package: &str,
    bench: &str,
    args: &Args,
    variables: &BTreeMap<&str, OsString>,
) -> Result<Found, Failure> {
    let mut command = shell::cargo(workspace);
    command.args(["bench", "--package", package, "--bench", bench, "--"]);
    command.args(args.quick.then_some("--quick"));
    command.args(&args.filter).envs(variables);
    shell::announce(&command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| shell::did_not_start(&command, &error))?;
    let mut found = Found::default();
    let output = child.stdout.take().into_iter();
    for line in output.flat_map(|output| BufReader::new(output).lines()) {
        found.take(line.unwrap_or_default(), args.filter.as_deref())?;
    }
    let advice = "Mend the bench; what it printed stands above.";
    let what = format!("The bench {bench} of {package} failed");
    match child.wait() {
        Ok(status) if status.success() => Ok(found),
        Ok(status) => Err(Failure::new(format!("{what} ({status})."), advice)),
        Err(error) => Err(Failure::new(format!("{what}: {error}."), advice)),
    }
}

impl Found {
    /// Takes one line of a bench. The filter is what the bench was told; a bench that measures several figures at once
    /// prints more than that, and only what was asked for is kept.
    fn take(&mut self, line: String, filter: Option<&str>) -> Result<(), Failure> {
        if let Some(figure) = Figure::parse(&line) {
            let figure = figure?;
            if filter.is_none_or(|filter| figure.bench.contains(filter)) {
                self.figures.push(figure);
            }
            return Ok(());
        }
        println!("{line}");
        self.was_skipped |= line.starts_with(SKIPPED);
        let is_heading = line.starts_with("### ");
        if is_heading || line.starts_with('|') {
            let follows_table = self.tables.last().is_some_and(|last| last.starts_with('|'));
            if is_heading && follows_table {
                self.tables.push(String::new());
            }
            self.tables.push(line);
            if is_heading {
                self.tables.push(String::new());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str) -> String {
        format!(
            r#"figure {{"bench":"{name}","value":1,"unit":"us","yardstick":null,"ratio":null,"target":null}}"#
        )
    }

    #[test]
    fn only_figures_with_the_filter_in_their_name_are_kept() {
        let mut found = Found::default();
        for name in ["crossing/disc", "order/first"] {
            found.take(figure(name), Some("crossing")).unwrap();
        }
        let names: Vec<_> = found.figures.iter().map(|it| it.bench.as_str()).collect();
        assert_eq!(names, ["crossing/disc"]);
    }

    #[test]
    fn tables_keep_their_headings_and_stay_apart() {
        let mut found = Found::default();
        for line in ["### one", "", "| a |", "noise", "### two", "", "| b |"] {
            found.take(line.to_owned(), None).unwrap();
        }
        assert_eq!(
            found.tables,
            ["### one", "", "| a |", "", "### two", "", "| b |"]
        );
    }

    #[test]
    fn a_bench_may_say_why_it_measures_nothing() {
        let mut found = Found::default();
        found.take("skipped: no valgrind".to_owned(), None).unwrap();
        assert!(found.was_skipped);
    }
}
