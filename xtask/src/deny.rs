//! `cargo xtask deny`: licences, advisories and sources of every dependency, by deny.toml.

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Verdict {
    if !shell::answers(shell::cargo(workspace).args(["deny", "--version"])) {
        let why = "cargo-deny is not installed; `cargo install --locked cargo-deny` installs it.";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    shell::run(
        shell::cargo(workspace).args(["deny", "--all-features", "check"]),
        "Choose another dependency or version, or write an exception with its reason into deny.toml.",
    )?;
    Ok(Outcome::Done)
}
