//! `chunk-demo`: see `--help`.
#![forbid(unsafe_code)]

mod args;
mod drawing;
mod interrupt;
mod json_file;
mod live;
mod log;
mod metrics;
mod play;
mod profile;
mod profile_command;
mod progress;
mod stress_command;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};

/// A machine that keeps up may not do so in such a build.
const UNOPTIMISED: &str = "note: this build is not optimised, which alone can make it too slow for the default \
    density; `cargo xtask demo` and `cargo run --release -p chunk-demo` are";

/// The status of a command line that makes no sense.
const REFUSED: u8 = 2;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) if error.use_stderr() => {
            eprintln!("{}", args::sentence(&error));
            return ExitCode::from(REFUSED);
        }
        Err(help_or_version) => help_or_version.exit(),
    };
    if args.command.is_none() && args.play.drawing.is_given() {
        return drawing::run(&args.play);
    }
    let verdict = match &args.command {
        None => play::run(&args.play),
        Some(Command::Stress(stress)) => stress_command::run(stress),
        Some(Command::Profile(profile)) => profile_command::run(profile),
    };
    match &verdict {
        Ok(false) if cfg!(debug_assertions) => eprintln!("{UNOPTIMISED}"),
        Ok(_) => {}
        Err(sentence) => eprintln!("error: {sentence}"),
    }
    ExitCode::from(status(&verdict))
}

/// 0 if everything held, 1 if not, 2 if nothing was run.
fn status(verdict: &Result<bool, String>) -> u8 {
    match verdict {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(_) => REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_promise_is_not_a_bad_option() {
        assert_eq!(status(&Ok(true)), 0);
        assert_eq!(status(&Ok(false)), 1);
        assert_eq!(status(&Err("no such scenario".to_owned())), 2);
    }
}
