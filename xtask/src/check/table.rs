//! The table at the end of `check`: what each step said and how long it took.

use core::fmt::Write;
use std::time::Duration;

use crate::failure::{Outcome, Verdict};

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) result: String,
    took: Option<Duration>,
}

const FAILED: &str = "FAILED";

impl Row {
    pub(super) fn ran(name: &'static str, verdict: &Verdict, took: Duration) -> Self {
        let result = match verdict {
            Ok(Outcome::Done) => "passed",
            Ok(Outcome::Skipped(_)) => "skipped",
            Err(_) => FAILED,
        };
        Self {
            name,
            result: result.to_owned(),
            took: Some(took),
        }
    }

    pub(super) fn not_run(name: &'static str) -> Self {
        Self {
            name,
            result: "not run".to_owned(),
            took: None,
        }
    }

    pub(super) fn has_failed(&self) -> bool {
        self.result == FAILED
    }
}

/// One line for each step and one for all.
pub(super) fn render(rows: &[Row]) -> String {
    let mut text = format!("{:<10} {:<8} {:>9}\n", "step", "result", "time");
    for row in rows {
        let took = row.took.map(seconds).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<10} {:<8} {took:>9}", row.name, row.result);
    }
    let all = rows.iter().filter_map(|row| row.took).sum();
    let _ = write!(text, "{:<10} {:<8} {:>9}", "all", "", seconds(all));
    text
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_a_line() {
        let took = Duration::from_millis(1_250);
        let rows = [
            Row::ran("fmt", &Ok(Outcome::Done), took),
            Row::not_run("tests"),
        ];
        let expected = "step       result        time\n\
                        fmt        passed       1.2 s\n\
                        tests      not run           \n\
                        all                     1.2 s";
        assert_eq!(render(&rows), expected);
    }
}
