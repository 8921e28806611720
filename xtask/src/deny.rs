//! `cargo xtask deny`: licences, sources and advisories of every dependency, by deny.toml.

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

const ADVICE: &str =
    "Choose another dependency or version, or write an exception with its reason into deny.toml.";

pub(crate) fn run(workspace: &Workspace) -> Verdict {
    if !shell::answers(shell::cargo(workspace).args(["deny", "--version"])) {
        let why = "cargo-deny is not installed; `cargo install --locked cargo-deny` installs it.";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    let check = |what: &[&str]| {
        let mut command = shell::cargo(workspace);
        command.args(["deny", "--all-features", "check", "--hide-inclusion-graph"]);
        command.args(what);
        shell::run(&mut command, ADVICE)
    };
    check(&["licenses", "bans", "sources"])?;
    // Advisories are in a repository of their own, which a machine without a network cannot have.
    if !shell::answers(shell::cargo(workspace).args(["deny", "fetch", "db"])) {
        let why = "licences, bans and sources hold, but the advisories of https://github.com/RustSec/advisory-db \
                   cannot be fetched; run this again with a network.";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    check(&["advisories"])?;
    Ok(Outcome::Done)
}
