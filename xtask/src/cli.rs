//! The command line: every verb with its options, and the steps of `check`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::bevy::Line;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Every command of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Flies a viewer through the city and prints what was measured; takes every option of `chunk-demo`
    #[command(disable_help_flag = true)]
    Demo(DemoArgs),
    /// Runs the long and the hard scenarios; takes every option of `chunk-demo stress`
    #[command(disable_help_flag = true)]
    Stress(DemoArgs),
    /// Makes a part of the city ahead of time; takes every option of `chunk-demo bake`
    #[command(disable_help_flag = true)]
    Bake(DemoArgs),
    /// Records a run as a trace; takes every option of `chunk-demo profile`
    #[command(disable_help_flag = true)]
    Profile(DemoArgs),
    /// Runs everything that must pass before a change is merged
    Check(CheckArgs),
    /// Runs every bench and prints one table of figures and their targets
    Bench(BenchArgs),
    /// Fuzzes chunk-coord for a while (needs nightly and cargo-fuzz)
    Fuzz {
        /// How long each target is fuzzed, in seconds
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
        seconds: u32,
    },
    /// Model-checks the synchronised parts of chunk-scheduler
    Loom,
    /// Runs the unit tests of chunk-coord and chunk-scheduler under Miri (needs nightly)
    Miri,
    /// Derives the library crates for another line of Bevy, and tests and packages them
    Bevy {
        /// Such as 0.20
        line: Line,
    },
    /// Builds the package of each library crate as it would be published
    Package(PackageArgs),
    /// Checks licences, advisories and sources of all dependencies (needs cargo-deny)
    Deny,
    /// Checks the library crates for the web, and chunk-coord without `std`
    Wasm,
    /// Checks the workspace with the oldest Rust it promises to support
    Msrv,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// What chunk-demo gets, as it is typed; `--help` explains each
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGS"
    )]
    pub(crate) args: Vec<OsString>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Goes on after a step that fails, and fails at the end
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Runs only these steps
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "STEP")]
    pub(crate) only: Vec<Step>,
    /// Lists the steps and runs none
    #[arg(long)]
    pub(crate) list: bool,
}

/// A step of `check`. What is answered at once comes first, and each step compiles what the next ones use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// every file is formatted
    Fmt,
    /// every file and folder is where it belongs, and no file is too long
    Layout,
    /// no crate depends on what it must not know
    Dependencies,
    /// no two files of a crate need each other
    Circles,
    /// no crate compiles a renderer or a window unless a feature asks for it
    Weight,
    /// every command, link and path in the documents exists
    Documents,
    /// each library crate says what crates.io asks for, and its package is complete
    Package,
    /// no library crate reads a clock that a browser does not have
    Clocks,
    /// no warning in any target
    Clippy,
    /// the documentation builds without a warning
    Rustdoc,
    /// each crate alone compiles with no, default and all features
    Features,
    /// unit and integration tests pass
    Tests,
    /// the examples in the documentation run
    Doctests,
    /// every example runs
    Examples,
    /// the pictures and the window show what they should
    Pictures,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Measures only figures that have this in their name
    pub(crate) filter: Option<String>,
    /// Runs only the benches of this crate
    #[arg(long, short, value_name = "CRATE")]
    pub(crate) package: Option<String>,
    /// Runs only the bench of this name, such as `workloads` or `instructions`
    #[arg(long, value_name = "NAME")]
    pub(crate) bench: Option<String>,
    /// Compares with other crates too; builds them first, which takes minutes the first time
    #[arg(long)]
    pub(crate) peers: bool,
    /// Draws on this machine's GPU what is otherwise drawn on a device that does nothing; runs only such benches
    #[arg(long, conflicts_with = "write_docs")]
    pub(crate) adapter: bool,
    /// Runs every bench for a moment, to see that it works; no figure is judged
    #[arg(long)]
    pub(crate) quick: bool,
    /// Writes the figures to this file as a list of objects
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Puts the tables into docs/measurements.md
    #[arg(long, conflicts_with = "quick")]
    pub(crate) write_docs: bool,
    /// Keeps the figures under this name, to be compared with later
    #[arg(long, value_name = "NAME", value_parser = baseline)]
    pub(crate) save_baseline: Option<String>,
    /// Compares with figures that were kept, and fails where one became worse
    #[arg(long, value_name = "NAME", value_parser = baseline)]
    pub(crate) compare: Option<String>,
    /// How much worse a figure may become before the comparison fails, in percent; counted instructions may become 2 %
    /// worse
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u8).range(1..100))]
    pub(crate) tolerance: u8,
}

#[derive(Debug, Args)]
pub(crate) struct PackageArgs {
    /// Also compiles each package from its own files, against the packages of its siblings (slow)
    #[arg(long)]
    pub(crate) verify: bool,
    /// Packages the files of the working tree, committed or not
    #[arg(long)]
    pub(crate) allow_dirty: bool,
}

/// A name that can be a part of a file's name.
fn baseline(name: &str) -> Result<String, String> {
    let is_plain = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err("use letters, digits, `-`, `_` and `.`".to_owned());
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

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

    #[test]
    fn the_name_of_a_baseline_is_no_path() {
        assert_eq!(baseline("before-2.0"), Ok("before-2.0".to_owned()));
        assert!(baseline("../x").is_err());
        assert!(baseline("").is_err());
    }
}
