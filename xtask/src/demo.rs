//! `cargo xtask demo`, `stress` and `profile`: builds chunk-demo in release and becomes it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Verdict};
use crate::shell;
use crate::workspace::Workspace;

const DEMO: &str = "chunk-demo";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What chunk-demo gets, as it is typed; `--help` explains each
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    pub(crate) args: Vec<OsString>,
}

/// Builds the demo, then hands over to it in the caller's folder, so that relative paths mean what
/// the caller thinks they mean, Ctrl-C reaches it, and its exit status is the verb's.
pub(crate) fn run(workspace: &Workspace, subcommand: Option<&str>, args: &Args) -> Verdict {
    let program = build(workspace, draws(&args.args))?;
    let mut command = Command::new(program);
    command.args(subcommand).args(&args.args);
    become_it(command)
}

/// Whether the arguments ask for a picture or a window, which needs a renderer.
fn draws(args: &[OsString]) -> bool {
    args.iter().any(|arg| {
        let arg = arg.to_string_lossy();
        let flag = arg.split('=').next().unwrap_or_default();
        matches!(flag, "--render" | "--window")
    })
}

fn build(workspace: &Workspace, draws: bool) -> Result<PathBuf, Failure> {
    let mut command = shell::cargo(workspace);
    command.args(["build", "--release", "--package", DEMO, "--bin", DEMO]);
    if draws {
        command.args(["--features", "render"]);
    }
    let programs = shell::build(
        &mut command,
        "Mend what the compiler says above; `cargo xtask check --only clippy` finds it faster.",
    )?;
    let program = programs.into_iter().find(|program| program.name == DEMO);
    program.map(|program| program.path).ok_or_else(|| {
        Failure::new(
            format!("cargo built {DEMO} but named no program."),
            "See that chunk-demo/src/main.rs is there.",
        )
    })
}

#[cfg(unix)]
fn become_it(mut command: Command) -> Verdict {
    use std::os::unix::process::CommandExt;
    // The process is replaced: signals, terminal and exit status are the demo's own.
    let error = command.exec();
    Err(shell::did_not_start(&command, &error))
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> Verdict {
    let status = command
        .status()
        .map_err(|error| shell::did_not_start(&command, &error))?;
    std::process::exit(status.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draws(args: &[&str]) -> bool {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        super::draws(&args)
    }

    #[test]
    fn only_pictures_and_windows_need_a_renderer() {
        assert!(draws(&["--seconds", "2", "--render", "out"]));
        assert!(draws(&["--render=out"]));
        assert!(draws(&["--window"]));
        assert!(!draws(&["--rendering", "--seed", "1"]));
        assert!(!draws(&[]));
    }
}
