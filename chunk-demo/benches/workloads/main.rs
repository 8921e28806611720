//! Three workloads, played by this workspace, by the original algorithm, by bare threads, and by other crates if there is
//! a program that has them: `cargo xtask bench --package chunk-demo`, with `--peers` for the other crates.
//!
//! Each contestant plays each workload in a process of its own, so that memory and threads are its own; this one starts
//! them in turns, takes medians, and prints a table and the figures. `docs/measurements.md` says how to read them.

mod contestants;
mod driver;
mod figures;
mod lineup;
#[path = "../../../xtask/shared/figures.rs"]
mod print;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use driver::{Work, Workload};
use figures::Specs;
use lineup::Lineup;

/// What the command line asks for.
#[derive(Debug)]
struct Asked {
    /// Only figures whose name contains this.
    filter: String,
    /// A few seconds in all, to see that everything runs; the figures then mean nothing and have no targets.
    is_quick: bool,
}

impl Asked {
    fn from_args() -> Self {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let has = |flag: &str| args.iter().any(|arg| arg == flag);
        let filter = args.iter().find(|arg| !arg.starts_with('-'));
        Self {
            filter: filter.cloned().unwrap_or_default(),
            // `cargo bench` says `--bench`; without it this is a test of the bench.
            is_quick: has("--quick") || !has("--bench"),
        }
    }
}

fn main() -> ExitCode {
    let done = match driver::play_if_asked(contestants::make) {
        Ok(false) => compare(&Asked::from_args()),
        Ok(true) => Ok(()),
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(asked: &Asked) -> Result<(), String> {
    let lineup = Lineup::new(asked.is_quick)?;
    let specs = Specs::wanted(asked, &lineup);
    let mut figures = Vec::new();
    for workload in Workload::ALL {
        let names = specs.contestants(workload.name);
        if names.is_empty() {
            continue;
        }
        // Counted once, so that every contestant is given the same number of rounds.
        let work = Work::taking(workload.cost);
        let results = lineup.play(&workload, work, &names)?;
        println!("\n{}", table::render(&workload, &results));
        figures.extend(specs.figures(workload.name, &results));
    }
    for figure in figures {
        println!("{figure}");
    }
    Ok(())
}

/// A sixtieth of a second in milliseconds.
fn frame_ms() -> f64 {
    Duration::as_secs_f64(&driver::FRAME) * 1e3
}
