//! `cargo xtask wasm`: the library crates compile for the web, and chunk-coord without `std`.

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

const WEB: &str = "wasm32-unknown-unknown";
/// A target that has no `std` at all.
const BARE: &str = "thumbv7em-none-eabihf";

pub(crate) fn run(workspace: &Workspace) -> Verdict {
    let web = shell::has_target(workspace, WEB);
    let bare = shell::has_target(workspace, BARE);
    if web {
        let mut command = shell::cargo(workspace);
        command.args(["check", "--lib", "--target", WEB]);
        for library in workspace.libraries() {
            command.args(["--package", &library.name]);
        }
        shell::run(
            &mut command,
            "Find what the web does not have (threads, files, the system clock) and leave it out for wasm32.",
        )?;
    }
    if bare {
        let mut command = shell::cargo(workspace);
        command.args(["check", "--lib", "--target", BARE, "--no-default-features"]);
        command.args(["--package", "chunk-coord"]);
        shell::run(
            &mut command,
            "Take what names `std` out of chunk-coord, or put it behind its `std` feature.",
        )?;
    }
    let missing: Vec<_> = [(web, WEB), (bare, BARE)]
        .into_iter()
        .filter_map(|(is_there, target)| (!is_there).then_some(target))
        .collect();
    if missing.is_empty() {
        return Ok(Outcome::Done);
    }
    let missing = missing.join(" ");
    Ok(Outcome::Skipped(format!(
        "not installed: {missing}; `rustup target add {missing}` installs what is missing."
    )))
}
