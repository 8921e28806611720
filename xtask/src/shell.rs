//! Starting programs: each is shown before it runs, and a bad end becomes a [`Failure`].

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cargo_metadata::{Message, PackageId};

use crate::failure::Failure;
use crate::workspace::Workspace;

/// The cargo that runs this program, in the root of the workspace.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace.root());
    command
}

/// The cargo of another toolchain, in the root of the workspace. Needs rustup.
pub(crate) fn cargo_of(toolchain: &str, workspace: &Workspace) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", toolchain, "cargo"]);
    // What the running cargo says about itself must not reach the other one.
    command.env_remove("CARGO").env_remove("RUSTC");
    command.current_dir(workspace.root());
    command
}

/// Shows the command, runs it with the terminal of this program, and fails unless it ends with 0.
pub(crate) fn run(command: &mut Command, advice: &str) -> Result<(), Failure> {
    announce(command);
    let status = command
        .status()
        .map_err(|error| did_not_start(command, &error))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(
        format!("`{}` failed ({status}).", line(command)),
        advice,
    ))
}

/// Runs the command without showing it, and returns what it wrote to stdout; stderr goes to the
/// terminal.
pub(crate) fn output(command: &mut Command, advice: &str) -> Result<String, Failure> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| did_not_start(command, &error))?;
    if !output.status.success() {
        let what = format!("`{}` failed ({}).", line(command), output.status);
        return Err(Failure::new(what, advice));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program that cargo built.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) package: PackageId,
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) is_example: bool,
}

/// Runs a `cargo build` and returns the programs that it built or found up to date.
pub(crate) fn build(command: &mut Command, advice: &str) -> Result<Vec<Program>, Failure> {
    command.args(["--message-format", "json-render-diagnostics"]);
    let messages = output(command, advice)?;
    let programs = Message::parse_stream(messages.as_bytes()).filter_map(|message| {
        let Ok(Message::CompilerArtifact(artifact)) = message else {
            return None;
        };
        Some(Program {
            path: artifact.executable?.into(),
            is_example: artifact.target.is_example(),
            name: artifact.target.name,
            package: artifact.package_id,
        })
    });
    Ok(programs.collect())
}

/// Whether a program is there and works: it runs silently and ends with 0.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether rustup has this target for the toolchain in use.
pub(crate) fn has_target(workspace: &Workspace, target: &str) -> bool {
    // Asking the compiler is right with and without rustup.
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc)
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(workspace.root())
        .stderr(Stdio::null())
        .output()
        .is_ok_and(|output| {
            let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            output.status.success() && Path::new(&folder).is_dir()
        })
}

/// Shows a command the way it would be typed.
pub(crate) fn announce(command: &Command) {
    eprintln!("$ {}", line(command));
}

fn line(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter_map(|(key, value)| {
            let value = value?.to_string_lossy();
            Some(format!("{}={}", key.to_string_lossy(), quoted(&value)))
        })
        .collect();
    let program = Path::new(command.get_program());
    let program = program.file_stem().unwrap_or(command.get_program());
    words.push(program.to_string_lossy().into_owned());
    words.extend(command.get_args().map(|arg| quoted(&arg.to_string_lossy())));
    words.join(" ")
}

fn quoted(word: &str) -> String {
    if word.is_empty() || word.contains(char::is_whitespace) {
        return format!("'{word}'");
    }
    word.to_owned()
}

pub(crate) fn did_not_start(command: &Command, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("`{}` did not start: {error}.", line(command)),
        "See that the program is installed and on the PATH, then run this again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.env("RUSTFLAGS", "--cfg loom").env_remove("RUSTC");
        command.args(["test", "-p", "x", "two words"]);
        assert_eq!(
            line(&command),
            "RUSTFLAGS='--cfg loom' cargo test -p x 'two words'"
        );
    }

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        assert!(!answers(&mut Command::new("no-such-program-anywhere")));
    }
}
