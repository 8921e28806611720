//! One figure of a bench, and the line from which it is read. `xtask/shared/figures.rs` says what the fields mean, and
//! prints it.

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use crate::verdict::{Advise, Verdict};

const MARK: &str = "figure {";

/// The unit of what valgrind counts: the same in each run, so that a small change shows.
const INSTRUCTIONS: &str = "instructions";

/// What one bench found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Figure {
    pub(super) bench: String,
    pub(super) value: f64,
    pub(super) unit: String,
    pub(super) yardstick: Option<f64>,
    pub(super) ratio: Option<f64>,
    pub(super) target: Option<f64>,
    /// Whether it meets its target, where the bench judges by itself.
    pub(super) ok: Option<bool>,
    /// Where it was measured. Not in the line, but in a file.
    pub(super) machine: Option<Machine>,
}

impl Figure {
    /// `None` for a line that is no figure; a failure for one that tries to be.
    pub(super) fn parse(line: &str) -> Option<Verdict<Self>> {
        let start = line.find(MARK)? + MARK.len() - 1;
        let figure = serde_json::from_str::<Self>(&line[start..])
            .map_err(|error| format!("`{line}` is no figure: {error}"))
            .advise("Print the line by the shared file xtask/shared/figures.rs.");
        Some(figure.map(|figure| Self {
            ok: Some(figure.is_ok()),
            ..figure
        }))
    }

    /// Whether the target is met.
    pub(super) fn is_ok(&self) -> bool {
        self.ok.unwrap_or(match (self.target, self.ratio) {
            (None, _) => true,
            (Some(target), Some(ratio)) => ratio >= target,
            (Some(target), None) => self.value <= target,
        })
    }

    pub(super) fn counts_instructions(&self) -> bool {
        self.unit == INSTRUCTIONS
    }

    /// What the target asks for, in words; empty where there is none.
    pub(super) fn bound(&self) -> String {
        match (self.target, self.ratio) {
            (None, _) => String::new(),
            (Some(target), Some(_)) => format!("≥ {}×", digits(target)),
            (Some(target), None) => {
                // A bench that judges by itself may ask for more and not for less.
                let is_least = self.is_ok() != (self.value <= target);
                let sign = if is_least { '≥' } else { '≤' };
                format!("{sign} {} {}", digits(target), self.unit)
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
        Self {
            bench: bench.to_owned(),
            value,
            unit: "us".to_owned(),
            yardstick: ratio.map(|ratio| ratio * value),
            ratio,
            target,
            ok: None,
            machine: Some(Machine::example("one")),
        }
    }
}

/// A number with as many digits as a reader can use.
pub(super) fn digits(number: f64) -> String {
    let digits = match number.abs() {
        size if size.fract() == 0.0 => 0,
        100.0.. => 0,
        10.0.. => 1,
        0.1.. => 2,
        _ => 4,
    };
    format!("{number:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::super::print;
    use super::*;

    /// What is read of a figure that a bench prints.
    fn read(figure: print::Figure) -> Figure {
        Figure::parse(&figure.to_string()).unwrap().unwrap()
    }

    #[test]
    fn a_ratio_must_reach_its_target() {
        let ours = print::Figure::new("a", "us", 2.0);
        let figure = |yardstick| read(ours.clone().against(yardstick).at_least(30.0));
        assert_eq!(
            (figure(60.0).ratio, figure(60.0).is_ok()),
            (Some(30.0), true)
        );
        assert_eq!(figure(60.0).bound(), "≥ 30×");
        assert!(!figure(59.8).is_ok());
    }

    #[test]
    fn a_value_without_yardstick_must_stay_below_or_above() {
        let below = |value| read(print::Figure::new("a", "ns", value).at_most(300.0));
        let above = |value| read(print::Figure::new("a", "ns", value).at_least(300.0));
        assert!(below(250.5).is_ok() && !below(300.5).is_ok());
        assert!(!above(250.5).is_ok() && above(300.5).is_ok());
        for value in [250.5, 300.5] {
            assert_eq!(below(value).bound(), "≤ 300 ns");
            assert_eq!(above(value).bound(), "≥ 300 ns");
        }
    }

    #[test]
    fn other_lines_are_no_figures() {
        assert!(Figure::parse("crossing/disc 64  time: [1 us]").is_none());
        let stop = Figure::parse("figure {\"bench\":1}").unwrap().unwrap_err();
        assert!(stop.to_string().contains("is no figure"));
    }

    #[test]
    fn numbers_are_as_long_as_they_are_useful() {
        let text = [1234.5, 30.0, 12.345, 1.234, 0.01234].map(digits);
        assert_eq!(text, ["1234", "30", "12.3", "1.23", "0.0123"]);
    }
}
