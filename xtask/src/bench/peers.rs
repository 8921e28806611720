//! Builds the program that has other crates in it. It lies outside of the workspace, because it needs another Bevy.

use std::path::PathBuf;

use crate::failure::Failure;
use crate::shell;
use crate::workspace::Workspace;

const MANIFEST: &str = "chunk-demo/peers/Cargo.toml";

/// Where the bench looks for the program.
pub(super) const VARIABLE: &str = "CHUNK_PEERS";

/// Builds it, which takes minutes the first time, and says where it is.
pub(super) fn build(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let mut command = shell::cargo(workspace);
    command
        .args([
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            MANIFEST,
        ])
        // Its Bevy promises less than it keeps.
        .arg("--ignore-rust-version")
        .arg("--target-dir")
        .arg(workspace.target_folder().join("peers"));
    shell::announce(&command);
    let advice = "See that the registry can be reached; without `--peers` nothing of it is needed.";
    let programs = shell::build(&mut command, advice)?;
    let program = programs.into_iter().next();
    program.map(|program| program.path).ok_or_else(|| {
        let what = format!("cargo built {MANIFEST} but named no program.");
        Failure::new(what, "See that chunk-demo/peers/src/main.rs is there.")
    })
}
