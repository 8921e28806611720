//! Figures of an earlier run, and how much better or worse a figure became.

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
    let advice = format!("Make one: `cargo xtask bench --save-baseline {name}`.");
    let text = workspace
        .sh()
        .read_file(file(workspace, name))
        .advise(&advice)?;
    serde_json::from_str(&text).advise(advice)
}

/// How many times as good a figure is as it was, or why nothing can be said: by ratio where both have one, because a ratio
/// is the same on a machine that has become slower; by value otherwise, where less is better, and only with the same
/// machine. Counted instructions need no more than the same compiler.
pub(super) fn change(figure: &Figure, before: &[Figure]) -> Result<f64, &'static str> {
    let before = before.iter().find(|it| it.bench == figure.bench);
    let before = before.ok_or("new")?;
    let is_comparable = match (&figure.machine, &before.machine) {
        (Some(now), Some(then)) if figure.counts_instructions() => now.runs_the_code_of(then),
        (now, then) => now == then,
    };
    let change = match (figure.ratio, before.ratio) {
        (Some(now), Some(before)) => now / before,
        _ if is_comparable => before.value / figure.value,
        _ => return Err("on another machine"),
    };
    // Nothing is so many times as good as 0.
    let is_sound = change.is_finite() && change > 0.0;
    is_sound.then_some(change).ok_or("–")
}

/// The names of the earlier run that have this in them and are not among `figures`.
pub(super) fn vanished<'a>(before: &'a [Figure], figures: &[Figure], filter: &str) -> Vec<&'a str> {
    let names = before.iter().map(|figure| figure.bench.as_str());
    let is_gone = |name: &&str| figures.iter().all(|figure| figure.bench != *name);
    let names = names.filter(|name| name.contains(filter));
    names.filter(is_gone).collect()
}

#[cfg(test)]
mod tests {
    use super::super::machine::Machine;
    use super::*;

    /// A ratio, a value and a count.
    fn figures() -> [Figure; 3] {
        let unit = "instructions".to_owned();
        let code = Figure::example("code", 4.0, None, None);
        let ratio = Figure::example("ratio", 1.0, Some(10.0), None);
        [
            ratio,
            Figure::example("value", 4.0, None, None),
            Figure { unit, ..code },
        ]
    }

    #[test]
    fn a_ratio_is_compared_with_a_ratio_and_a_value_with_a_value() {
        let now = |bench, value, ratio| Figure::example(bench, value, ratio, None);
        let change = |bench, value, ratio| change(&now(bench, value, ratio), &figures());
        assert_eq!(change("ratio", 9.0, Some(20.0)), Ok(2.0));
        assert_eq!(change("value", 8.0, None), Ok(0.5));
        assert_eq!(change("new", 8.0, None), Err("new"));
        assert_eq!(change("value", 0.0, None), Err("–"));
    }

    #[test]
    fn a_time_is_not_compared_with_that_of_another_machine_or_of_none() {
        let another = Err("on another machine");
        let with = |machine: Option<Machine>| {
            figures().map(|it| {
                change(
                    &Figure {
                        machine: machine.clone(),
                        ..it
                    },
                    &figures(),
                )
            })
        };
        assert_eq!(
            with(Some(Machine::example("other"))),
            [Ok(1.0), another, Ok(1.0)]
        );
        assert_eq!(with(None), [Ok(1.0), another, another]);
    }

    #[test]
    fn a_file_of_figures_is_read_with_and_without_their_machine() {
        let file = r#"[{"bench":"x","value":4,"unit":"us","yardstick":null,"ratio":null,"target":null,"ok":true}]"#;
        let read: Vec<Figure> = serde_json::from_str(file).unwrap();
        assert_eq!(read[0].machine, None);
        let written = serde_json::to_string(&figures()).unwrap();
        let read: [Figure; 3] = serde_json::from_str(&written).unwrap();
        assert_eq!(read, figures());
    }

    #[test]
    fn a_figure_that_vanished_is_named_if_it_was_asked_for() {
        let before = ["a/x", "a/y", "b/z"].map(|name| Figure::example(name, 1.0, None, None));
        assert_eq!(vanished(&before, &before[..1], ""), ["a/y", "b/z"]);
        assert_eq!(vanished(&before, &before[..1], "a/"), ["a/y"]);
    }
}
