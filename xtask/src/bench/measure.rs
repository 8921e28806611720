//! Runs benches, shows what they print, and picks their figures and tables out of it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use xshell::cmd;

use super::figure::Figure;
use crate::cli::BenchArgs;
use crate::shell::program;
use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::Workspace;

/// A bench that has nothing to measure on this machine says why in a line that begins so.
const SKIPPED: &str = "skipped: ";

/// The variable that tells a bench where the program with other crates is.
const PEERS: &str = "CHUNK_PEERS";

/// What the benches printed.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) figures: Vec<Figure>,
    /// Markdown: headings of the third level and tables.
    pub(super) tables: String,
    /// Benches that cannot measure here.
    skipped: usize,
}

pub(super) fn measure(workspace: &Workspace, args: &BenchArgs) -> Verdict<Found> {
    let peers = args.peers.then(|| build_peers(workspace)).transpose()?;
    let mut found = Found::default();
    let is_wanted = |asked: &Option<String>, name: &str| asked.as_ref().is_none_or(|it| it == name);
    for package in workspace.packages() {
        for bench in package.targets.iter().filter(|target| target.is_bench()) {
            let (name, before) = (&bench.name, found.figures.len() + found.skipped);
            if is_wanted(&args.package, &package.name) && is_wanted(&args.bench, name) {
                run(
                    workspace,
                    &package.name,
                    name,
                    args,
                    peers.as_ref(),
                    &mut found,
                )?;
                if found.figures.len() + found.skipped == before && args.filter.is_none() {
                    return Err(Stop::failed(
                        format!("The bench {name} of {} printed no figure.", package.name),
                        "Print its figures by the shared file xtask/shared/figures.rs.",
                    ));
                }
            }
        }
    }
    if found.figures.is_empty() && found.skipped == 0 {
        return Err(Stop::failed(
            "No figure has that name.",
            "Run `cargo xtask bench` without a filter to see all names.",
        ));
    }
    Ok(found)
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
    let advice = "Run this again where the registry can be reached, or without `--peers`.";
    program(peers, advice)
}

/// Runs one bench; shows what it prints and takes its figures.
fn run(
    workspace: &Workspace,
    package: &str,
    bench: &str,
    args: &BenchArgs,
    peers: Option<&PathBuf>,
    found: &mut Found,
) -> Verdict {
    let (quick, filter) = (args.quick.then_some("--quick"), &args.filter);
    let run = cmd!(
        workspace.sh(),
        "cargo bench --package {package} --bench {bench}"
    );
    let run = run.arg("--").args(quick).args(filter);
    eprintln!("$ {run}");
    let advice = "Fix the bench; what it printed stands above.";
    let mut run = Command::from(run);
    run.envs(peers.map(|peers| (PEERS, peers)))
        .stdout(Stdio::piped());
    let mut child = run.spawn().advise(advice)?;
    let output = child.stdout.take().into_iter();
    for line in output.flat_map(|output| BufReader::new(output).lines()) {
        found.take(&line.unwrap_or_default(), filter.as_deref())?;
    }
    let status = child.wait().advise(advice)?;
    if status.success() {
        return Ok(());
    }
    let what = format!("The bench {bench} of {package} failed ({status}).");
    Err(Stop::failed(what, advice))
}

impl Found {
    /// Takes one line of a bench. The filter is what the bench was told; a bench that measures several figures at once
    /// prints more than that, and only what was asked for is kept.
    fn take(&mut self, line: &str, filter: Option<&str>) -> Verdict {
        if let Some(figure) = Figure::parse(line).transpose()? {
            let is_wanted = filter.is_none_or(|filter| figure.bench.contains(filter));
            self.figures.extend(is_wanted.then_some(figure));
            return Ok(());
        }
        println!("{line}");
        self.skipped += usize::from(line.starts_with(SKIPPED));
        if line.starts_with("### ") {
            self.tables += &format!("\n{line}\n\n");
        } else if line.starts_with('|') {
            self.tables += &format!("{line}\n");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::print;
    use super::*;

    fn found(lines: &[&str], filter: Option<&str>) -> Found {
        let mut found = Found::default();
        for line in lines {
            found.take(line, filter).unwrap();
        }
        found
    }

    #[test]
    fn only_figures_with_the_filter_in_their_name_are_kept() {
        let line = |name| print::Figure::new(name, "us", 1.0).to_string();
        let lines = [line("crossing/disc"), line("order/first")];
        let found = found(&[&lines[0], &lines[1]], Some("crossing"));
        assert_eq!(found.figures.len(), 1);
        assert_eq!(found.figures[0].bench, "crossing/disc");
    }

    #[test]
    fn tables_keep_their_headings_and_stay_apart() {
        let lines = ["### one", "", "| a |", "noise", "### two", "", "| b |"];
        let expected = "\n### one\n\n| a |\n\n### two\n\n| b |\n";
        assert_eq!(found(&lines, None).tables, expected);
    }

    #[test]
    fn a_bench_may_say_why_it_measures_nothing() {
        assert_eq!(found(&["skipped: no valgrind"], None).skipped, 1);
    }
}
