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
    let program = build(workspace, &features(&args.args))?;
    let mut command = Command::new(program);
    command.args(subcommand).args(&args.args);
    become_it(command)
}

/// The options that need more than the plain demo, which should not take longer to build for them.
const NEEDS: [(&str, &str); 4] = [
    ("--render", "render"),
    ("--window", "render"),
    ("--flamegraph", "flamegraph"),
    ("--metrics-addr", "metrics"),
];

/// The features that the arguments need.
fn features(args: &[OsString]) -> Vec<&'static str> {
    let is_given = |option: &str| {
        args.iter().any(|arg| {
            let arg = arg.to_string_lossy();
            arg.split('=').next() == Some(option)
        })
    };
    let needed = NEEDS.iter().filter(|(option, _)| is_given(option));
    let mut features: Vec<_> = needed.map(|(_, feature)| *feature).collect();
    features.dedup();
    features
}

fn build(workspace: &Workspace, features: &[&str]) -> Result<PathBuf, Failure> {
    let mut command = shell::cargo(workspace);
    command.args(["build", "--release", "--package", DEMO, "--bin", DEMO]);
    if !features.is_empty() {
        command.args(["--features", &features.join(",")]);
    }
    let programs = shell::build(
        &mut command,
        "Mend what the compiler says above; `cargo xtask check --only clippy` finds it faster.",
    )?;
    let program = programs.into_iter().find(|program| program.name == DEMO);
    program.map(|program| program.path).ok_or_else(|| {
        Failure::new(
            format!("cargo built {DEMO} but named no program."),
            "See that chunk-demo/src/cli/main.rs is there.",
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

    fn features(args: &[&str]) -> Vec<&'static str> {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        super::features(&args)
    }

    #[test]
    fn only_what_the_options_need_is_built() {
        assert_eq!(features(&["--seconds", "2", "--render", "out"]), ["render"]);
        assert_eq!(features(&["--render=out", "--window"]), ["render"]);
        assert_eq!(features(&["--flamegraph", "f.svg"]), ["flamegraph"]);
        assert_eq!(features(&["--metrics-addr=[::1]:0"]), ["metrics"]);
        assert!(features(&["--rendering", "--seed", "1"]).is_empty());
        assert!(features(&[]).is_empty());
    }
}
