//! `cargo xtask check`: everything that must pass before a change is merged, step by step.

mod documents;
mod examples;
mod features;
mod layout;
mod pictures;
mod rooms;
mod table;
mod toolchain;
mod weight;

use std::time::Instant;

use clap::builder::PossibleValuesParser;

use crate::failure::{Failure, Outcome, Verdict};
use crate::skip::Skips;
use crate::workspace::Workspace;
use crate::{package, wasm};
use table::Row;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Goes on after a step that fails, and fails at the end
    #[arg(long)]
    keep_going: bool,
    /// Runs only these steps
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "STEP",
          value_parser = PossibleValuesParser::new(STEPS.map(|step| step.name)))]
    only: Vec<String>,
    /// Lists the steps and runs none
    #[arg(long)]
    list: bool,
}

/// One thing that must hold.
#[derive(Debug, Clone, Copy)]
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace) -> Verdict,
}

/// In order: what is answered at once comes first, and each step compiles what the next ones use.
const STEPS: [Step; 14] = [
    Step {
        name: "fmt",
        about: "every file is formatted",
        run: toolchain::fmt,
    },
    Step {
        name: "layout",
        about: "folders and files are where and as long as they should be",
        run: layout::run,
    },
    Step {
        name: "rooms",
        about: "no crate depends on what it must not know",
        run: rooms::run,
    },
    Step {
        name: "weight",
        about: "no renderer and no window where nobody asked for one",
        run: weight::run,
    },
    Step {
        name: "documents",
        about: "commands, links and paths in the documents lead somewhere",
        run: documents::run,
    },
    Step {
        name: "package",
        about: "each library crate says what crates.io asks for, and is whole by itself",
        run: |workspace| package::complete(workspace).map(|()| Outcome::Done),
    },
    Step {
        name: "clocks",
        about: "no library crate reads a clock that a browser does not have",
        run: |workspace| wasm::standard_clocks(workspace).map(|()| Outcome::Done),
    },
    Step {
        name: "clippy",
        about: "no warning in any target",
        run: toolchain::clippy,
    },
    Step {
        name: "rustdoc",
        about: "the documentation builds without a warning",
        run: toolchain::rustdoc,
    },
    Step {
        name: "features",
        about: "each crate alone: no, default and all features",
        run: features::run,
    },
    Step {
        name: "tests",
        about: "unit and integration tests",
        run: toolchain::tests,
    },
    Step {
        name: "doctests",
        about: "the examples in the documentation",
        run: toolchain::doctests,
    },
    Step {
        name: "examples",
        about: "every example runs",
        run: examples::run,
    },
    Step {
        name: "pictures",
        about: "pictures and the window show what they should",
        run: pictures::run,
    },
];

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Verdict {
    if args.list {
        for step in STEPS {
            println!("{:<10} {}", step.name, step.about);
        }
        return Ok(Outcome::Done);
    }
    let is_wanted =
        |step: &Step| args.only.is_empty() || args.only.iter().any(|it| it == step.name);
    let steps: Vec<_> = STEPS.into_iter().filter(is_wanted).collect();
    let rows = run_steps(workspace, &steps, args.keep_going);
    eprintln!();
    println!("{}", table::render(&rows));
    conclude(&rows)
}

fn run_steps(workspace: &Workspace, steps: &[Step], keep_going: bool) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let skips = Skips::from_env();
    let mut is_over = false;
    for step in steps {
        if is_over {
            rows.push(Row::not_run(step.name));
            continue;
        }
        eprintln!("\n── {}: {}", step.name, step.about);
        let start = Instant::now();
        let verdict = skips.judge(step.name, (step.run)(workspace));
        match &verdict {
            Ok(Outcome::Done) => {}
            Ok(Outcome::Skipped(why)) => eprintln!("skipped: {why}"),
            Err(failure) => {
                eprintln!("error: {failure}");
                is_over = !keep_going;
            }
        }
        rows.push(Row::ran(step.name, &verdict, start.elapsed()));
    }
    rows
}

fn conclude(rows: &[Row]) -> Verdict {
    let failed: Vec<_> = rows
        .iter()
        .filter(|row| row.has_failed())
        .map(|row| row.name)
        .collect();
    if failed.is_empty() {
        return Ok(Outcome::Done);
    }
    Err(Failure::new(
        format!("{} did not pass.", failed.join(", ")),
        format!(
            "What to do stands above, where it failed; then run `cargo xtask check --only {}`.",
            failed.join(" ")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Step = Step {
        name: "good",
        about: "passes",
        run: |_| Ok(Outcome::Done),
    };
    const BAD: Step = Step {
        name: "bad",
        about: "fails",
        run: |_| Err(Failure::new("It broke.", "Mend it.")),
    };

    fn results(keep_going: bool) -> Vec<String> {
        let workspace = Workspace::load().unwrap();
        let rows = run_steps(&workspace, &[GOOD, BAD, GOOD], keep_going);
        assert!(conclude(&rows).is_err());
        rows.iter().map(|row| row.result.clone()).collect()
    }

    #[test]
    fn the_first_failure_ends_the_run() {
        assert_eq!(results(false), ["passed", "FAILED", "not run"]);
    }

    #[test]
    fn a_run_can_go_on_and_still_fails() {
        assert_eq!(results(true), ["passed", "FAILED", "passed"]);
    }

    #[test]
    fn a_good_run_succeeds() {
        let workspace = Workspace::load().unwrap();
        let rows = run_steps(&workspace, &[GOOD], false);
        assert_eq!(conclude(&rows), Ok(Outcome::Done));
    }
}
