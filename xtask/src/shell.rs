//! What xshell lacks: variables that are shown, programs that may be missing, and what cargo built.

use std::path::PathBuf;

use cargo_metadata::{Artifact, Message};
use xshell::{Cmd, Shell, cmd};

use crate::verdict::{Advise, Stop, Verdict};

/// Whether a program is installed and works: it runs silently and ends with 0.
pub(crate) fn answers(command: Cmd<'_>) -> bool {
    let silent = command.quiet().ignore_stdout().ignore_stderr();
    silent.run().is_ok()
}

/// Skips what needs a tool that does not answer, with the command that installs it.
pub(crate) fn need(tool: &str, question: Cmd<'_>, install: &str) -> Verdict {
    if answers(question) {
        return Ok(());
    }
    let why = format!("{tool} is not installed; `{install}` installs it.");
    Err(Stop::Skipped(why))
}

/// Runs a command with these variables, and shows them with it.
pub(crate) fn run_with(variables: &[(&str, &str)], command: Cmd<'_>, advice: &str) -> Verdict {
    let mut shown = String::new();
    for (name, value) in variables {
        shown += &format!("{name}='{value}' ");
    }
    eprintln!("$ {shown}{command}");
    let command = command.envs(variables.iter().copied()).quiet();
    command.run().advise(advice)
}

/// The cargo of another toolchain. Needs rustup.
pub(crate) fn cargo_of<'a>(toolchain: &str, sh: &'a Shell) -> Cmd<'a> {
    let cargo = cmd!(sh, "rustup run {toolchain} cargo");
    // What the running cargo says about itself must not reach the other one.
    cargo.env_remove("CARGO").env_remove("RUSTC")
}

/// Runs a `cargo build` and returns the programs that it built or found up to date.
pub(crate) fn build(command: Cmd<'_>, advice: &str) -> Verdict<Vec<Artifact>> {
    let command = command.arg("--message-format=json-render-diagnostics");
    eprintln!("$ {command}");
    let messages = command.read().advise(advice)?;
    let mut programs = Vec::new();
    for message in Message::parse_stream(messages.as_bytes()) {
        if let Ok(Message::CompilerArtifact(artifact)) = message {
            programs.extend(artifact.executable.is_some().then_some(artifact));
        }
    }
    Ok(programs)
}

/// Runs a `cargo build` of one program, and says where it is.
pub(crate) fn program(command: Cmd<'_>, advice: &str) -> Verdict<PathBuf> {
    let what = format!("`{command}` built no program.");
    let program = build(command, advice)?
        .into_iter()
        .find_map(|it| it.executable);
    let program = program.ok_or(Stop::failed(what, "Bring its src/main.rs back."))?;
    Ok(program.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_does_not_answer() {
        let sh = Shell::new().unwrap();
        assert!(!answers(cmd!(sh, "no-such-program-anywhere")));
    }
}
