//! One figure of a bench, and the line in which the bench says it.
//!
//! A bench prints, once for each figure and on a line of its own:
//!
//! ```text
//! figure {"bench":"crossing/disc 64","value":3.2,"unit":"us","yardstick":120.5,"ratio":37.6,"target":30}
//! ```
//!
//! `yardstick` is the plain way, measured in the same run and unit. `ratio` says how many times better
//! than the yardstick the value is, so more is better whatever the unit. `target` is the least ratio,
//! or the most that the value may be where there is no yardstick. Any of the three may be `null`. `ok`
//! says whether the target is met, for a figure to which neither rule fits; the rest leave it out.
//!
//! Tables and headings of the third level in Markdown, in lines of their own, go into docs/measurements.md. A bench that
//! cannot measure on this machine prints a line `skipped: …` with the reason, and no figure.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

const MARK: &str = "figure {";

/// The unit of what valgrind counts: the same in each run, so that a small change shows.
pub(super) const INSTRUCTIONS: &str = "instructions";

/// What one bench found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Figure {
    pub(super) bench: String,
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) yardstick: Option<f64>,
    pub(super) ratio: Option<f64>,
    pub(super) target: Option<f64>,
    pub(super) ok: bool,
}

/// The line as a bench writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    bench: String,
    value: f64,
    unit: String,
    yardstick: Option<f64>,
    ratio: Option<f64>,
    target: Option<f64>,
    ok: Option<bool>,
}

impl Figure {
    /// `None` for a line that is no figure; an error for one that tries to be.
    pub(super) fn parse(line: &str) -> Option<Result<Self, Failure>> {
        let start = line.find(MARK)? + MARK.len() - 1;
        let parsed = serde_json::from_str::<Line>(&line[start..]).map(Self::from);
        Some(parsed.map_err(|error| {
            Failure::new(
                format!("`{line}` is no figure: {error}."),
                "Print the line as the top of xtask/src/bench/figure.rs says.",
            )
        }))
    }

    pub(super) fn counts_instructions(&self) -> bool {
        self.unit == INSTRUCTIONS
    }

    /// How much worse it may become, in percent, where that does not depend on the machine.
    pub(super) fn tolerance(&self) -> Option<u8> {
        self.counts_instructions().then_some(2)
    }

    /// What the target asks for, in words; empty where there is none.
    pub(super) fn bound(&self) -> String {
        match (self.target, self.ratio) {
            (None, _) => String::new(),
            (Some(target), Some(_)) => format!("≥ {}×", Number(target)),
            (Some(target), None) => {
                // A bench that judges by itself may ask for more and not for less.
                let is_least = self.ok != (self.value <= target);
                let sign = if is_least { '≥' } else { '≤' };
                format!("{sign} {} {}", Number(target), self.unit)
            }
        }
    }

    #[cfg(test)]
    pub(super) fn example(
        bench: &str,
        value: f64,
        ratio: Option<f64>,
        target: Option<f64>,
    ) -> Self {
        Self::from(Line {
            bench: bench.to_owned(),
            value,
            unit: "us".to_owned(),
            yardstick: ratio.map(|ratio| ratio * value),
            ratio,
            target,
            ok: None,
        })
    }
}

impl From<Line> for Figure {
    fn from(line: Line) -> Self {
        let is_met = match (line.target, line.ratio) {
            (None, _) => true,
            (Some(target), Some(ratio)) => ratio >= target,
            (Some(target), None) => line.value <= target,
        };
        Self {
            bench: line.bench,
            value: line.value,
            unit: line.unit,
            yardstick: line.yardstick,
            ratio: line.ratio,
            target: line.target,
            ok: line.ok.unwrap_or(is_met),
        }
    }
}

/// A number with as many digits as a reader can use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub(super) f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0;
        match number.abs() {
            _ if number == number.trunc() => write!(f, "{number}"),
            size if size >= 100.0 => write!(f, "{number:.0}"),
            size if size >= 10.0 => write!(f, "{number:.1}"),
            size if size >= 0.1 => write!(f, "{number:.2}"),
            _ => write!(f, "{number:.4}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Figure {
        Figure::parse(line).unwrap().unwrap()
    }

    #[test]
    fn a_ratio_must_reach_its_target() {
        let line =
            r#"figure {"bench":"a","value":2,"unit":"us","yardstick":60,"ratio":30,"target":30}"#;
        let figure = parse(line);
        assert!(figure.ok);
        assert_eq!(figure.bound(), "≥ 30×");
        assert!(!parse(&line.replace("\"ratio\":30", "\"ratio\":29.9")).ok);
    }

    #[test]
    fn a_value_without_yardstick_must_stay_below() {
        let line = r#"figure {"bench":"a","value":250.5,"unit":"ns","yardstick":null,"ratio":null,"target":300}"#;
        let figure = parse(line);
        assert!(figure.ok);
        assert_eq!(figure.bound(), "≤ 300 ns");
        assert!(!parse(&line.replace("250.5", "300.5")).ok);
    }

    #[test]
    fn a_bench_may_judge_by_itself() {
        let line = r#"figure {"bench":"a","value":0.995,"unit":"","yardstick":null,"ratio":null,"target":0.99,"ok":true}"#;
        assert!(parse(line).ok);
        assert_eq!(parse(line).bound().trim_end(), "≥ 0.99");
        let line = line.replace("true", "false");
        assert_eq!(parse(&line).bound().trim_end(), "≤ 0.99");
    }

    #[test]
    fn other_lines_are_no_figures() {
        assert!(Figure::parse("crossing/disc 64  time: [1 us]").is_none());
        let failure = Figure::parse("figure {\"bench\":1}").unwrap().unwrap_err();
        assert!(failure.to_string().contains("is no figure"));
    }

    #[test]
    fn numbers_are_as_long_as_they_are_useful() {
        let text = [1234.5, 30.0, 12.345, 1.234, 0.01234].map(|it| Number(it).to_string());
        assert_eq!(text, ["1234", "30", "12.3", "1.23", "0.0123"]);
    }
}
