//! Figures of an earlier run, and how much better or worse a figure became.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::figure::Figure;
use super::machine::Machine;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// The figures of an earlier run.
#[derive(Debug)]
pub(super) struct Baseline {
    figures: Vec<Known>,
}

/// What is read back of a figure.
#[derive(Debug, Deserialize)]
struct Known {
    bench: String,
    value: f64,
    ratio: Option<f64>,
    machine: Option<Machine>,
}

/// A figure in a file: with the machine, so that it cannot be mistaken for another's.
#[derive(Debug, Serialize)]
struct Kept<'a> {
    #[serde(flatten)]
    figure: &'a Figure,
    machine: &'a Machine,
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

/// Where the figures of that name are kept.
pub(super) fn file(workspace: &Workspace, name: &str) -> PathBuf {
    // The folder is there: cargo made it to build this program.
    let folder = workspace.target_folder();
    folder.join(format!("bench-baseline-{name}.json"))
}

/// A name that can be a part of a file's name.
pub(super) fn name(text: &str) -> Result<String, String> {
    let is_plain = |it: char| it.is_alphanumeric() || matches!(it, '-' | '_' | '.');
    if text.is_empty() || !text.chars().all(is_plain) {
        return Err("use letters, digits, `-`, `_` and `.`".to_owned());
    }
    Ok(text.to_owned())
}

/// Writes figures as a list of objects, which is what a baseline is as well.
pub(super) fn write(file: &Path, figures: &[Figure], machine: &Machine) -> Result<(), Failure> {
    let list: Vec<_> = figures
        .iter()
        .map(|figure| Kept { figure, machine })
        .collect();
    serde_json::to_string_pretty(&list)
        .map_err(io::Error::from)
        .and_then(|text| fs::write(file, text + "\n"))
        .map_err(|error| {
            Failure::new(
                format!("{} cannot be written: {error}.", file.display()),
                "Name a file in a folder that is there and that you may write to.",
            )
        })?;
    eprintln!("wrote {}", file.display());
    Ok(())
}

impl Baseline {
    pub(super) fn read(workspace: &Workspace, name: &str) -> Result<Self, Failure> {
        let file = file(workspace, name);
        let figures = fs::read_to_string(&file)
            .and_then(|text| serde_json::from_str(&text).map_err(io::Error::from))
            .map_err(|error| {
                Failure::new(
                    format!(
                        "There is no baseline {name} at {}: {error}.",
                        file.display()
                    ),
                    format!("Make one first: `cargo xtask bench --save-baseline {name}`."),
                )
            })?;
        Ok(Self { figures })
    }

    /// How `figure`, measured on `machine`, compares: by ratio where both have one, because a ratio is the same on a
    /// machine that has become slower; by value otherwise, where less is better, and only with the same machine.
    /// Counted instructions need no more than the same compiler.
    pub(super) fn change(&self, figure: &Figure, machine: &Machine) -> Change {
        let Some(before) = self.figures.iter().find(|it| it.bench == figure.bench) else {
            return Change::New;
        };
        let change = match (figure.ratio, before.ratio, &before.machine) {
            (Some(now), Some(before), _) => now / before,
            (_, _, Some(other)) if figure.counts_instructions() => {
                if !machine.runs_the_code_of(other) {
                    return Change::OtherMachine;
                }
                before.value / figure.value
            }
            (_, _, Some(other)) if other == machine => before.value / figure.value,
            _ => return Change::OtherMachine,
        };
        if change.is_finite() && change > 0.0 {
            Change::Times(change)
        } else {
            Change::Nothing
        }
    }

    /// The figures of the earlier run that have this in their name and are not among `figures`.
    pub(super) fn vanished(&self, figures: &[Figure], filter: &str) -> Vec<&str> {
        let names = self.figures.iter().map(|known| known.bench.as_str());
        names
            .filter(|name| name.contains(filter))
            .filter(|name| figures.iter().all(|figure| figure.bench != *name))
            .collect()
    }

    #[cfg(test)]
    pub(super) fn of(figures: &[Figure], machine: &Machine) -> Self {
        let known = figures.iter().map(|figure| {
            let kept = serde_json::to_value(Kept { figure, machine }).unwrap();
            serde_json::from_value(kept).unwrap()
        });
        Self {
            figures: known.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_compared_with_a_ratio_and_a_value_with_a_value() {
        let machine = Machine::example("one");
        let before = [
            Figure::example("ratio", 1.0, Some(10.0), None),
            Figure::example("value", 4.0, None, None),
        ];
        let before = Baseline::of(&before, &machine);
        let change = |bench, value, ratio| {
            before.change(&Figure::example(bench, value, ratio, None), &machine)
        };
        assert_eq!(change("ratio", 9.0, Some(20.0)), Change::Times(2.0));
        assert_eq!(change("value", 8.0, None), Change::Times(0.5));
        assert_eq!(change("new", 8.0, None), Change::New);
        assert_eq!(change("value", 0.0, None), Change::Nothing);
    }

    #[test]
    fn a_time_is_not_compared_with_another_machines() {
        let (one, other) = (Machine::example("one"), Machine::example("other"));
        let instructions = Figure {
            unit: "instructions".to_owned(),
            ..Figure::example("code", 4.0, None, None)
        };
        let figures = [
            Figure::example("ratio", 1.0, Some(10.0), None),
            Figure::example("value", 4.0, None, None),
            instructions,
        ];
        let before = Baseline::of(&figures, &one);
        let changes = figures.map(|figure| before.change(&figure, &other));
        assert_eq!(
            changes,
            [Change::Times(1.0), Change::OtherMachine, Change::Times(1.0)]
        );
    }

    #[test]
    fn a_figure_without_a_machine_is_another_machines() {
        let file = r#"[{"bench":"x","value":4,"unit":"us","yardstick":null,"ratio":null,"target":null,"ok":true}]"#;
        let before = Baseline {
            figures: serde_json::from_str(file).unwrap(),
        };
        let now = Figure::example("x", 4.0, None, None);
        let change = before.change(&now, &Machine::example("one"));
        assert_eq!(change, Change::OtherMachine);
    }

    #[test]
    fn a_figure_that_vanished_is_named_if_it_was_asked_for() {
        let machine = Machine::example("one");
        let figures = ["a/x", "a/y", "b/z"].map(|name| Figure::example(name, 1.0, None, None));
        let before = Baseline::of(&figures, &machine);
        assert_eq!(before.vanished(&figures[..1], ""), ["a/y", "b/z"]);
        assert_eq!(before.vanished(&figures[..1], "a/"), ["a/y"]);
    }

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(name("before-2.0"), Ok("before-2.0".to_owned()));
        assert!(name("../x").is_err());
        assert!(name("").is_err());
    }
}
