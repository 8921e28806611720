//! Every command that a person or CI runs: `cargo xtask VERB`.
//!
//! Each verb is one file with its own arguments and one `run`; `check` and `bench` have a folder. A
//! verb fails with a [`Failure`](failure::Failure): what happened, and a sentence that says what to do.

#![forbid(unsafe_code)]

mod bench;
mod check;
mod demo;
mod deny;
mod failure;
mod fuzz;
mod loom;
mod miri;
mod msrv;
mod package;
mod shell;
mod skip;
mod wasm;
mod workspace;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use failure::{Outcome, Verdict};
use skip::Skips;
use workspace::Workspace;

/// Every command of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Flies a viewer through the city and prints what was measured; takes every option of `chunk-demo`
    #[command(disable_help_flag = true)]
    Demo(demo::Args),
    /// Runs the long and the hard scenarios; takes every option of `chunk-demo stress`
    #[command(disable_help_flag = true)]
    Stress(demo::Args),
    /// Records a run as a trace; takes every option of `chunk-demo profile`
    #[command(disable_help_flag = true)]
    Profile(demo::Args),
    /// Everything that must pass before a change is merged
    Check(check::Args),
    /// Runs every bench and prints one table of figures and their targets
    Bench(bench::Args),
    /// Fuzzes chunk-coord for a while (needs nightly and cargo-fuzz)
    Fuzz(fuzz::Args),
    /// Model-checks the synchronised parts of chunk-scheduler
    Loom,
    /// Runs the unit tests of chunk-coord and chunk-scheduler under Miri (needs nightly)
    Miri,
    /// Builds the package of each library crate as it would be published
    Package(package::Args),
    /// Checks licences, advisories and sources of all dependencies (needs cargo-deny)
    Deny,
    /// Checks the library crates for the web, and chunk-coord without `std`
    Wasm,
    /// Checks the workspace with the oldest Rust it promises to support
    Msrv,
}

impl Verb {
    fn run(self, workspace: &Workspace) -> Verdict {
        match self {
            Self::Demo(args) => demo::run(workspace, None, &args),
            Self::Stress(args) => demo::run(workspace, Some("stress"), &args),
            Self::Profile(args) => demo::run(workspace, Some("profile"), &args),
            Self::Check(args) => check::run(workspace, &args),
            Self::Bench(args) => bench::run(workspace, &args),
            Self::Fuzz(args) => fuzz::run(workspace, &args),
            Self::Loom => loom::run(workspace),
            Self::Miri => miri::run(workspace),
            Self::Package(args) => package::run(workspace, &args),
            Self::Deny => deny::run(workspace),
            Self::Wasm => wasm::run(workspace),
            Self::Msrv => msrv::run(workspace),
        }
    }
}

fn main() -> ExitCode {
    let matches = Cli::command().get_matches();
    let name = matches.subcommand_name().unwrap_or_default();
    let verb = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli.verb,
        Err(error) => error.exit(),
    };
    let verdict = Workspace::load().and_then(|workspace| verb.run(&workspace));
    match Skips::from_env().judge(name, verdict) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Skipped(why)) => {
            eprintln!("skipped: {why}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_demo_gets_its_arguments_untouched() {
        let line = ["x", "demo", "--help", "-x", "--json", "a b", "--", "--seed"];
        let Verb::Demo(args) = Cli::parse_from(line).verb else {
            panic!("`demo` is the verb");
        };
        assert_eq!(args.args, line[2..]);
    }
}
