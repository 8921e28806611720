//! `cargo xtask msrv`: the workspace compiles with the oldest Rust that it promises to support.

use cargo_metadata::semver::Version;

use crate::failure::{Failure, Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Verdict {
    let oldest = promised(workspace)?;
    let toolchain = format!("{}.{}", oldest.major, oldest.minor);
    let mut command = if running(workspace)? == (oldest.major, oldest.minor) {
        shell::cargo(workspace)
    } else {
        // rustup keeps a toolchain under the name it was asked for.
        let names = [toolchain.clone(), format!("{toolchain}.{}", oldest.patch)];
        let is_there =
            |name: &&String| shell::answers(shell::cargo_of(name, workspace).arg("--version"));
        let Some(installed) = names.iter().find(is_there) else {
            return Ok(Outcome::Skipped(format!(
                "Rust {toolchain} is not installed; `rustup toolchain install {toolchain}` installs it."
            )));
        };
        shell::cargo_of(installed, workspace)
    };
    command
        .args(["check", "--workspace", "--all-targets", "--locked"])
        .args(workspace.light_features());
    shell::run(
        &mut command,
        "Avoid what is newer than that Rust, or raise `rust-version` in Cargo.toml with a minor release \
         and a line in CHANGELOG.md.",
    )?;
    Ok(Outcome::Done)
}

/// The one `rust-version` of all crates.
fn promised(workspace: &Workspace) -> Result<Version, Failure> {
    let packages = workspace.packages();
    let mut versions = packages
        .iter()
        .map(|package| package.rust_version.clone())
        .collect::<Vec<_>>();
    versions.dedup();
    match versions.as_slice() {
        [Some(version)] => Ok(version.clone()),
        _ => Err(Failure::new(
            "The crates do not all name the same `rust-version`.",
            "Write `rust-version.workspace = true` into each crate's Cargo.toml.",
        )),
    }
}

/// Major and minor version of the cargo in use.
fn running(workspace: &Workspace) -> Result<(u64, u64), Failure> {
    let advice = "See that a Rust toolchain is installed.";
    let line = shell::output(shell::cargo(workspace).arg("--version"), advice)?;
    line.split_whitespace()
        .nth(1)
        .and_then(|version| Version::parse(version).ok())
        .map(|version| (version.major, version.minor))
        .ok_or_else(|| Failure::new(format!("cargo calls itself {line:?}."), advice))
}
