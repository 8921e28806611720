//! Runs benches, shows what they print, and picks their figures and tables out of it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use xshell::cmd;

use super::figure::Figure;
use crate::cli::BenchArgs;
use crate::shell::build;
use crate::verdict::{Stop, Verdict};
use crate::workspace::Workspace;

/// A bench that has nothing to measure on this machine says why in a line that begins so.
const SKIPPED: &str = "skipped: ";

/// The variable that tells a bench where the program with other crates is.
const PEERS: &str = "CHUNK_PEERS";

/// What the benches printed.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) figures: Vec<Figure>,
    /// Lines of Markdown: headings of the third level and tables.
    pub(super) tables: Vec<String>,
    was_skipped: bool,
}

pub(super) fn measure(workspace: &Workspace, args: &BenchArgs) -> Verdict<Found> {
    let peers = args.peers.then(|| build_peers(workspace)).transpose()?;
    let mut all = Found::default();
    let is_wanted =
        |asked: &Option<String>, name: &str| asked.as_deref().is_none_or(|it| it == name);
    for package in workspace.packages() {
        for bench in package.targets.iter().filter(|target| target.is_bench()) {
            if !is_wanted(&args.package, &package.name) || !is_wanted(&args.bench, &bench.name) {
                continue;
            }
            let found = run(workspace, &package.name, &bench.name, args, peers.as_ref())?;
            if found.figures.is_empty() && args.filter.is_none() && !found.was_skipped {
                return Err(Stop::failed(
                    format!(
                        "The bench {} of {} printed no figure.",
                        bench.name, package.name
                    ),
                    "Print one line for each figure by the shared file xtask/shared/figures.rs.",
                ));
            }
            all.was_skipped |= found.was_skipped;
            all.figures.extend(found.figures);
            all.tables.extend(found.tables);
        }
    }
    if all.figures.is_empty() && !all.was_skipped {
        return Err(Stop::failed(
            "No figure has that name.",
            "Run `cargo xtask bench` without a filter to see all names.",
        ));
    }
    Ok(all)
}

/// Builds the program with other crates, which takes minutes the first time, and says where it is. It is outside of the
/// workspace because it needs another Bevy, whose `rust-version` is newer than what it compiles with.
fn build_peers(workspace: &Workspace) -> Verdict<PathBuf> {
    let folder = workspace.target_folder().join("peers");
    let peers = cmd!(
        workspace.sh(),
        "cargo build --release --locked --manifest-path chunk-demo/peers/Cargo.toml --ignore-rust-version
         --target-dir {folder}"
    );
    let programs = build(
        peers,
        "Run this again where the registry can be reached, or without `--peers`.",
    )?;
    let program = programs.into_iter().find_map(|it| it.executable);
    program.map(PathBuf::from).ok_or_else(|| {
        let what = "cargo built chunk-demo/peers but named no program.";
        Stop::failed(what, "Bring chunk-demo/peers/src/main.rs back.")
    })
}

/// Runs one bench; shows what it prints and returns its figures.
fn run(
    workspace: &Workspace,
    package: &str,
    bench: &str,
    args: &BenchArgs,
    peers: Option<&PathBuf>,
) -> Verdict<Found> {
    let (quick, filter) = (args.quick.then_some("--quick"), &args.filter);
    let command = cmd!(
        workspace.sh(),
        "cargo bench --package {package} --bench {bench} -- {quick...} {filter...}"
    );
    eprintln!("$ {command}");
    let failed = |why: String| {
        Stop::failed(
            format!("The bench {bench} of {package} failed: {why}."),
            "Mend the bench; what it printed stands above.",
        )
    };
    let mut command = Command::from(command);
    command
        .envs(peers.map(|peers| (PEERS, peers)))
        .stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let mut found = Found::default();
    let output = child.stdout.take().into_iter();
    for line in output.flat_map(|output| BufReader::new(output).lines()) {
        found.take(line.unwrap_or_default(), args.filter.as_deref())?;
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(found),
        Ok(status) => Err(failed(status.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

impl Found {
    /// Takes one line of a bench. The filter is what the bench was told; a bench that measures several figures at once
    /// prints more than that, and only what was asked for is kept.
    fn take(&mut self, line: String, filter: Option<&str>) -> Verdict {
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
    use super::super::print;
    use super::*;

    #[test]
    fn only_figures_with_the_filter_in_their_name_are_kept() {
        let mut found = Found::default();
        for name in ["crossing/disc", "order/first"] {
            let line = print::Figure::new(name, "us", 1.0).to_string();
            found.take(line, Some("crossing")).unwrap();
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
