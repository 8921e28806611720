//! The steps that are one command of the toolchain.

use std::process::Command;

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

pub(super) fn fmt(workspace: &Workspace) -> Verdict {
    let mut command = shell::cargo(workspace);
    command.args(["fmt", "--all", "--check"]);
    run(command, "Run `cargo fmt --all`.")
}

pub(super) fn clippy(workspace: &Workspace) -> Verdict {
    let mut command = shell::cargo(workspace);
    command
        .args(["clippy", "--workspace", "--all-targets", "--keep-going"])
        .args(workspace.light_features())
        .args(["--", "-D", "warnings"]);
    run(
        command,
        "Mend each warning above; where clippy is wrong, write `#[expect(…, reason = \"…\")]`.",
    )
}

pub(super) fn rustdoc(workspace: &Workspace) -> Verdict {
    let mut command = shell::cargo(workspace);
    command
        .args(["doc", "--workspace", "--no-deps"])
        .args(workspace.light_features())
        .env("RUSTDOCFLAGS", "-D warnings");
    run(
        command,
        "Mend each warning above: usually a link to something that was renamed or is private.",
    )
}

pub(super) fn tests(workspace: &Workspace) -> Verdict {
    let mut command = shell::cargo(workspace);
    if shell::answers(shell::cargo(workspace).args(["nextest", "--version"])) {
        command.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
    } else {
        command.args([
            "test",
            "--workspace",
            "--lib",
            "--bins",
            "--tests",
            "--no-fail-fast",
        ]);
    }
    command.args(workspace.light_features());
    run(
        command,
        "Mend the tests named above; one of them alone: `cargo test -p CRATE NAME`.",
    )
}

pub(super) fn doctests(workspace: &Workspace) -> Verdict {
    let mut command = shell::cargo(workspace);
    command
        .args(["test", "--workspace", "--doc"])
        .args(workspace.light_features());
    run(
        command,
        "Mend the example at the file and line named above, so that a reader can copy it.",
    )
}

fn run(mut command: Command, advice: &str) -> Verdict {
    shell::run(&mut command, advice)?;
    Ok(Outcome::Done)
}
