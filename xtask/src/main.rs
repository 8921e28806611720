//! Every command that a person or CI runs: `cargo xtask VERB`.
//!
//! [`cli`] says what each verb takes. A verb is one function, in [`commands`] if it is one command of a tool and in a file
//! of its own otherwise; it ends with a [`Verdict`], whose failure says what to do.

#![forbid(unsafe_code)]

mod bench;
mod bevy;
mod check;
mod cli;
mod commands;
mod demo;
mod fuzz;
mod package;
mod shell;
mod source;
mod verdict;
mod wasm;
mod workspace;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};
use cli::{Cli, Verb};
use verdict::{Stop, Verdict, judge};
use workspace::Workspace;

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let name = matches.subcommand_name().unwrap_or_default();
    let verb = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli.verb,
        Err(error) => error.exit(),
    };
    let verdict = Workspace::load().and_then(|workspace| run(verb, &workspace));
    match judge(name, verdict) {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            eprintln!("\n{stop}");
            match stop {
                Stop::Skipped(_) => ExitCode::SUCCESS,
                Stop::Failed { .. } => ExitCode::FAILURE,
            }
        }
    }
}

fn run(verb: Verb, workspace: &Workspace) -> Verdict {
    match verb {
        Verb::Demo(args) => demo::run(workspace, None, &args.args),
        Verb::Stress(args) => demo::run(workspace, Some("stress"), &args.args),
        Verb::Bake(args) => demo::run(workspace, Some("bake"), &args.args),
        Verb::Profile(args) => demo::run(workspace, Some("profile"), &args.args),
        Verb::Check(args) => check::run(workspace, &args),
        Verb::Bench(args) => bench::run(workspace, &args),
        Verb::Fuzz { seconds } => fuzz::run(workspace, seconds),
        Verb::Loom => commands::loom(workspace),
        Verb::Miri => commands::miri(workspace),
        Verb::Bevy { line } => bevy::run(workspace, line),
        Verb::Package(args) => package::run(workspace, &args),
        Verb::Deny => commands::deny(workspace),
        Verb::Wasm => wasm::run(workspace),
        Verb::Msrv => commands::msrv(workspace),
    }
}
