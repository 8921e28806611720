//! `cargo xtask fuzz`: every fuzz target of chunk-coord for a while, from its seed corpus.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long each target is fuzzed, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Verdict {
    if let Some(why) = missing(workspace) {
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    let targets = shell::output(
        cargo_fuzz(workspace).arg("list"),
        "See that chunk-coord/fuzz/Cargo.toml is there and names its targets.",
    )?;
    let limit = format!("-max_total_time={}", args.seconds);
    let mut count = 0;
    for target in targets.lines().filter(|line| !line.is_empty()) {
        let advice = format!(
            "The input that fails is in chunk-coord/fuzz/artifacts/{target}: mend it, then add the \
             input to the seed corpus."
        );
        let mut command = cargo_fuzz(workspace);
        command
            .args(["run", target])
            .args(corpora(workspace, target)?)
            .args(["--", &limit]);
        shell::run(&mut command, &advice)?;
        count += 1;
    }
    if count == 0 {
        return Err(Failure::new(
            "chunk-coord/fuzz has no target.",
            "Name one as a [[bin]] in chunk-coord/fuzz/Cargo.toml.",
        ));
    }
    Ok(Outcome::Done)
}

/// Where what is found is kept, outside of the sources, and then the seeds that are part of them.
fn corpora(workspace: &Workspace, target: &str) -> Result<Vec<PathBuf>, Failure> {
    let found = workspace.target_folder().join("fuzz-corpus").join(target);
    fs::create_dir_all(&found).map_err(|error| {
        Failure::new(
            format!("{} cannot be made: {error}.", found.display()),
            "See that you may write there, or set CARGO_TARGET_DIR.",
        )
    })?;
    let seeds = workspace
        .root()
        .join("chunk-coord/fuzz/corpus")
        .join(target);
    let folders = [found, seeds].into_iter();
    Ok(folders.filter(|folder| folder.is_dir()).collect())
}

fn missing(workspace: &Workspace) -> Option<&'static str> {
    if !shell::answers(shell::cargo_of("nightly", workspace).arg("--version")) {
        return Some(
            "there is no nightly toolchain; `rustup toolchain install nightly` installs one. \
             `cargo test -p chunk-coord` tries the same property on random scripts.",
        );
    }
    if !shell::answers(cargo_fuzz(workspace).arg("--version")) {
        return Some(
            "cargo-fuzz is not installed; `cargo install --locked cargo-fuzz` installs it. \
             `cargo test -p chunk-coord` tries the same property on random scripts.",
        );
    }
    None
}

fn cargo_fuzz(workspace: &Workspace) -> Command {
    let mut command = shell::cargo_of("nightly", workspace);
    command.current_dir(workspace.root().join("chunk-coord"));
    command.env("CARGO_TARGET_DIR", workspace.target_folder().join("fuzz"));
    command.arg("fuzz");
    command
}
