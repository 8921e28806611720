//! Figures of an earlier run, and how much better or worse a figure became.

use core::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::figure::Figure;
use crate::verdict::{Advise, Verdict};
use crate::workspace::Workspace;

/// Where the figures of that name are kept.
pub(super) fn file(workspace: &Workspace, name: &str) -> PathBuf {
    // The folder is there: cargo made it to build this program.
    let folder = workspace.target_folder();
    folder.join(format!("bench-baseline-{name}.json"))
}

/// Writes figures as a list of objects, each with its machine, so that it is not mistaken for another one's.
pub(super) fn write(file: &Path, figures: &[Figure]) -> Verdict {
    serde_json::to_string_pretty(figures)
        .map_err(io::Error::from)
        .and_then(|text| fs::write(file, text + "\n"))
        .map_err(|error| format!("{} cannot be written: {error}", file.display()))
        .advise("Name a file in a folder that is there and that you may write to.")?;
    eprintln!("wrote {}", file.display());
    Ok(())
}

pub(super) fn read(workspace: &Workspace, name: &str) -> Verdict<Vec<Figure>> {
    let file = file(workspace, name);
    fs::read_to_string(&file)
        .and_then(|text| serde_json::from_str(&text).map_err(io::Error::from))
        .map_err(|error| format!("there is no baseline {name} at {}: {error}", file.display()))
        .advise(format!(
            "Make one first: `cargo xtask bench --save-baseline {name}`."
        ))
}

/// How a figure compares with what it was.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Change {
    /// So many times as good.
    Times(f64),
    /// It was not there before.
    New,
    /// It was a time, a count or a size on another machine.
    OtherMachine,
    /// It is or was 0, of which nothing is so many times as good.
    Nothing,
}

impl Change {
    /// By ratio where both have one, because a ratio is the same on a machine that has become slower; by value otherwise,
    /// where less is better, and only with the same machine. Counted instructions need no more than the same compiler.
    pub(super) fn of(figure: &Figure, before: &[Figure]) -> Self {
        let Some(before) = before.iter().find(|it| it.bench == figure.bench) else {
            return Self::New;
        };
        let is_comparable = match (&figure.machine, &before.machine) {
            (Some(now), Some(before)) if figure.counts_instructions() => {
                now.runs_the_code_of(before)
            }
            (now, before) => now == before,
        };
        let change = match (figure.ratio, before.ratio) {
            (Some(now), Some(before)) => now / before,
            _ if is_comparable => before.value / figure.value,
            _ => return Self::OtherMachine,
        };
        if change.is_finite() && change > 0.0 {
            Self::Times(change)
        } else {
            Self::Nothing
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(change) => write!(f, "{change:.2}×"),
            Self::New => f.write_str("new"),
            Self::OtherMachine => f.write_str("on another machine"),
            Self::Nothing => f.write_str("–"),
        }
    }
}

/// The names of the earlier run that have this in them and are not among `figures`.
pub(super) fn vanished<'a>(before: &'a [Figure], figures: &[Figure], filter: &str) -> Vec<&'a str> {
    let names = before.iter().map(|figure| figure.bench.as_str());
    let is_gone = |name: &&str| figures.iter().all(|figure| figure.bench != *name);
    names
        .filter(|name| name.contains(filter))
        .filter(is_gone)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::machine::Machine;
    use super::*;

    #[test]
    fn a_ratio_is_compared_with_a_ratio_and_a_value_with_a_value() {
        let before = [
            Figure::example("ratio", 1.0, Some(10.0), None),
            Figure::example("value", 4.0, None, None),
        ];
        let change =
            |bench, value, ratio| Change::of(&Figure::example(bench, value, ratio, None), &before);
        assert_eq!(change("ratio", 9.0, Some(20.0)), Change::Times(2.0));
        assert_eq!(change("value", 8.0, None), Change::Times(0.5));
        assert_eq!(change("new", 8.0, None), Change::New);
        assert_eq!(change("value", 0.0, None), Change::Nothing);
    }

    #[test]
    fn a_time_is_not_compared_with_another_machines() {
        let instructions = Figure {
            unit: "instructions".to_owned(),
            ..Figure::example("code", 4.0, None, None)
        };
        let before = [
            Figure::example("ratio", 1.0, Some(10.0), None),
            Figure::example("value", 4.0, None, None),
            instructions,
        ];
        let changes = before.clone().map(|figure| {
            let machine = Some(Machine::example("other"));
            Change::of(&Figure { machine, ..figure }, &before)
        });
        assert_eq!(
            changes,
            [Change::Times(1.0), Change::OtherMachine, Change::Times(1.0)]
        );
    }

    #[test]
    fn a_figure_without_a_machine_is_another_machines() {
        let file = r#"[{"bench":"x","value":4,"unit":"us","yardstick":null,"ratio":null,"target":null,"ok":true}]"#;
        let before: Vec<_> = serde_json::from_str(file).unwrap();
        let change = Change::of(&Figure::example("x", 4.0, None, None), &before);
        assert_eq!(change, Change::OtherMachine);
    }

    #[test]
    fn a_figure_that_vanished_is_named_if_it_was_asked_for() {
        let before = ["a/x", "a/y", "b/z"].map(|name| Figure::example(name, 1.0, None, None));
        assert_eq!(vanished(&before, &before[..1], ""), ["a/y", "b/z"]);
        assert_eq!(vanished(&before, &before[..1], "a/"), ["a/y"]);
    }
}
