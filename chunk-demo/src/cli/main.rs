//! `chunk-demo`: see `--help`.
#![forbid(unsafe_code)]

mod allocator;
mod args;
mod bake;
mod crash;
mod draw;
mod interrupt;
mod log;
mod metrics;
mod output;
mod play;
mod profile;
mod profile_command;
mod progress;
mod stress;
mod worlds;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use output::REFUSED;

/// Printed after a failure, because a machine that keeps up in an optimised build may not do so in this one.
const UNOPTIMISED: &str = "note: this build is not optimised, which alone can make it too slow for the default \
    density; `cargo xtask demo` and `cargo run --release -p chunk-demo` are";

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            eprintln!("{}", args::sentence(&error));
            return ExitCode::from(REFUSED);
        }
        Err(help_or_version) => help_or_version.exit(),
    };
    let is_crash_test = match &args.command {
        Some(Command::Stress(stress)) => stress.only.as_deref() == Some(crash::NAME),
        _ => false,
    };
    let verdict = match &args.command {
        None if args.play.drawing.is_given() => return draw::run(&args.play),
        None => play::run(&args.play),
        Some(Command::Stress(stress)) if is_crash_test => crash::run(stress),
        Some(Command::Stress(stress)) => stress::run(stress),
        Some(Command::Bake(baking)) => bake::run(baking),
        Some(Command::CrashChild(child)) => crash::be_killed(child),
        Some(Command::Profile(profile)) => profile_command::run(profile),
    };
    match verdict {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            // Those two have no time to keep.
            let is_timed = !is_crash_test && !matches!(args.command, Some(Command::Bake(_)));
            if is_timed && cfg!(debug_assertions) {
                eprintln!("{UNOPTIMISED}");
            }
            ExitCode::FAILURE
        }
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::from(REFUSED)
        }
    }
}
