//! Runs benches, shows what they print, and picks their figures and tables out of it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use xshell::{Cmd, cmd};

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
    let is_asked = |package: &str, bench: &str| {
        is_wanted(&args.package, package) && is_wanted(&args.bench, bench)
    };
    for package in workspace.packages() {
        for bench in package.targets.iter().filter(|target| target.is_bench()) {
            let features = bench.required_features.join(",");
            // Those that draw need Bevy's renderer optimised.
            let draws = features.split(',').any(|feature| feature == "render");
            let profile = if draws { "drawn" } else { "bench" };
            let (package, bench) = (package.name.as_str(), &bench.name);
            if !is_asked(package, bench) || args.adapter && !draws {
                continue;
            }
            let run = cmd!(
                workspace.sh(),
                "cargo bench --profile {profile} --package {package} --bench {bench} --features={features}"
            );
            let run = run.arg("--").args(args.quick.then_some("--quick"));
            let run = run.args(args.adapter.then_some("--adapter"));
            let run = run
                .args(&args.filter)
                .envs(peers.iter().map(|peers| (PEERS, peers)));
            let before = found.figures.len() + found.skipped;
            found.run(run, args.filter.as_deref())?;
            if found.figures.len() + found.skipped == before && args.filter.is_none() {
                let what = format!("The bench {bench} of {package} printed no figure.");
                let advice = "Print its figures by the shared file xtask/shared/figures.rs.";
                return Err(Stop::failed(what, advice));
            }
        }
    }
    if found.figures.is_empty() && found.skipped == 0 {
        let advice = "Run `cargo xtask bench` without a filter to see all names.";
        return Err(Stop::failed("No figure has that name.", advice));
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

impl Found {
    /// Runs one bench; shows what it prints and takes its figures.
    fn run(&mut self, bench: Cmd<'_>, filter: Option<&str>) -> Verdict {
        eprintln!("$ {bench}");
        let what = format!("`{bench}` failed");
        let advice = "Fix the bench; its output is above.";
        let mut child = Command::from(bench)
            .stdout(Stdio::piped())
            .spawn()
            .advise(advice)?;
        let output = child.stdout.take().into_iter();
        for line in output.flat_map(|output| BufReader::new(output).lines()) {
            self.take(&line.unwrap_or_default(), filter)?;
        }
        let status = child.wait().advise(advice)?;
        let result = if status.success() {
            Ok(())
        } else {
            Err(format!("{what} ({status})"))
        };
        result.advise(advice)
    }

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
