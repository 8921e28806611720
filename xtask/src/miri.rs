//! `cargo xtask miri`: the unit tests of the two crates with the trickiest code, interpreted.

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Verdict {
    if !shell::answers(shell::cargo_of("nightly", workspace).args(["miri", "--version"])) {
        let why = "Miri is not installed; `rustup toolchain install nightly --component miri,rust-src` \
                   installs it.";
        return Ok(Outcome::Skipped(why.to_owned()));
    }
    let mut command = shell::cargo_of("nightly", workspace);
    command
        .args(["miri", "test", "--lib"])
        .args(["--package", "chunk-coord", "--package", "chunk-scheduler"])
        // Clocks and files are allowed; a property is tried a few times, because Miri is slow.
        .env("MIRIFLAGS", "-Zmiri-disable-isolation")
        .env("PROPTEST_CASES", "4")
        .env("CARGO_TARGET_DIR", workspace.target_folder().join("miri"));
    shell::run(
        &mut command,
        "Read the first error above: it names the line whose behaviour is undefined or whose test failed.",
    )?;
    Ok(Outcome::Done)
}
