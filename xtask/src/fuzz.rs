//! `cargo xtask fuzz`: every fuzz target of chunk-coord for a while, from its seed corpus.

use std::path::PathBuf;

use crate::shell::{cargo_of, need};
use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace, seconds: u32) -> Verdict {
    let sh = workspace.sh().clone();
    sh.change_dir(workspace.root().join("chunk-coord"));
    sh.set_var("CARGO_TARGET_DIR", workspace.target_folder().join("fuzz"));
    let fuzz = || cargo_of("nightly", &sh).arg("fuzz");
    let nightly = cargo_of("nightly", &sh).arg("--version");
    need("nightly", nightly, "rustup toolchain install nightly")?;
    need(
        "cargo-fuzz",
        fuzz().arg("--version"),
        "cargo install --locked cargo-fuzz",
    )?;
    let advice = "Name the targets as [[bin]] in chunk-coord/fuzz/Cargo.toml.";
    let targets = fuzz().arg("list").read().advise(advice)?;
    if targets.is_empty() {
        return Err(Stop::failed("chunk-coord/fuzz has no target.", advice));
    }
    for target in targets.lines() {
        let limit = format!("-max_total_time={seconds}");
        let run = fuzz().args(["run", target]);
        let run = run.args(corpora(workspace, target)?).args(["--", &limit]);
        run.run().advise(format!(
            "The input that fails is in chunk-coord/fuzz/artifacts/{target}: fix what it breaks, then add it to the \
             seed corpus."
        ))?;
    }
    Ok(())
}

/// The folder for new inputs, outside of the sources, and then that of the seeds, which are part of them.
fn corpora(workspace: &Workspace, target: &str) -> Verdict<Vec<PathBuf>> {
    let found = workspace.target_folder().join("fuzz-corpus").join(target);
    let advice = "Choose a folder that you may write to, by CARGO_TARGET_DIR.";
    workspace.sh().create_dir(&found).advise(advice)?;
    let seeds = workspace.root().join("chunk-coord/fuzz/corpus");
    let folders = [found, seeds.join(target)].into_iter();
    Ok(folders.filter(|folder| folder.is_dir()).collect())
}
