//! Instructions of the hot paths, counted by valgrind's callgrind: `cargo xtask bench --bench instructions`.
//!
//! A time on a busy machine says little; a count is the same in each run, so that a change of a few percent shows.
//! This program starts itself under valgrind once for each case, and only what runs inside of
//! [`counted_by_callgrind`] is counted. Nothing in a case starts a thread, waits, or depends on a clock. Without
//! valgrind it says so and measures nothing.

mod apply;
mod crossing;
#[path = "../../../xtask/shared/figures.rs"]
mod print;
mod schedule;

use std::env;
use std::hint::black_box;
use std::process::{Command, ExitCode, Stdio};

use print::Figure;

/// What is counted; everything before it is preparation.
type Path = Box<dyn FnMut()>;

/// The hot paths by name, and how each is prepared.
const CASES: [(&str, fn() -> Path); 7] = [
    ("100 border crossings of a disc of 64", crossing::crossing),
    ("1,000 updates at rest, 64 viewers", crossing::at_rest),
    ("request of 1,024 keys and a tick", schedule::requests),
    ("re-rank of 10,000 queued and 256 picks", schedule::pick),
    ("drain and apply of 1,024 results", schedule::deliveries),
    ("1,000 ticks at rest, 10,000 queued", schedule::at_rest),
    ("apply of 100 chunks x 15", apply::apply),
];

const CASE: &str = "--case";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if let [first, name] = args.as_slice()
        && first == CASE
    {
        let case = CASES.iter().find(|case| case.0 == name);
        if let Some((_, prepare)) = case {
            let mut path = prepare();
            counted_by_callgrind(&mut *path);
        }
        return if case.is_some() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    let filter = args.iter().find(|arg| !arg.starts_with('-'));
    match count(filter.map_or("", String::as_str)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Never inlined, because callgrind knows it by its name.
#[inline(never)]
fn counted_by_callgrind(path: &mut dyn FnMut()) {
    black_box(path)();
}

fn count(filter: &str) -> Result<(), String> {
    let cases = CASES
        .iter()
        .map(|(name, _)| (*name, format!("instructions/{name}")));
    let cases: Vec<_> = cases.filter(|(_, bench)| bench.contains(filter)).collect();
    if cases.is_empty() {
        return Ok(());
    }
    let mut valgrind = Command::new("valgrind");
    valgrind.arg("--version").stdout(Stdio::null());
    if !valgrind.status().is_ok_and(|status| status.success()) {
        println!("skipped: instructions are counted by valgrind, which is not installed here");
        return Ok(());
    }
    for (name, bench) in cases {
        let value = instructions(name)?;
        println!("{}", Figure::new(bench, "instructions", value));
    }
    Ok(())
}

fn instructions(case: &str) -> Result<f64, String> {
    let own = env::current_exe().map_err(|error| format!("this program is nowhere: {error}"))?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*counted_by_callgrind*")
        .arg(own)
        .args([CASE, case])
        .output()
        .map_err(|error| format!("valgrind did not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{case} failed under valgrind: {said}"));
    }
    collected(&said)
        .filter(|count| *count > 0.0)
        .ok_or_else(|| format!("valgrind counted nothing in {case}: {said}"))
}

/// The number in valgrind's line `==1== Collected : 12345`.
fn collected(said: &str) -> Option<f64> {
    let line = said
        .lines()
        .find_map(|line| line.split_once("Collected :"))?;
    line.1.trim().parse().ok()
}
