//! Figures of an earlier run, and how much better or worse a figure became.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::figure::Figure;
use crate::failure::Failure;
use crate::workspace::Workspace;

/// The figures of an earlier run.
#[derive(Debug)]
pub(super) struct Baseline {
    figures: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    bench: String,
    value: f64,
    ratio: Option<f64>,
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

impl Baseline {
    pub(super) fn read(workspace: &Workspace, name: &str) -> Result<Self, Failure> {
        let file = file(workspace, name);
        let figures = fs::read_to_string(&file)
            .map_err(|error| error.to_string())
            .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()))
            .and_then(|list| known(&list).ok_or_else(|| "it is no list of figures".to_owned()))
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

    /// How many times as good `figure` is as it was: by ratio where both have one, because a ratio
    /// is the same on a machine that has become slower; by value otherwise, where less is better.
    pub(super) fn change(&self, figure: &Figure) -> Option<f64> {
        let before = self.figures.iter().find(|it| it.bench == figure.bench)?;
        let change = match (figure.ratio, before.ratio) {
            (Some(now), Some(before)) => now / before,
            _ => before.value / figure.value,
        };
        change.is_finite().then_some(change)
    }

    #[cfg(test)]
    pub(super) fn of(figures: Vec<Figure>) -> Self {
        let list = serde_json::to_value(figures).unwrap();
        let figures = known(&list).unwrap();
        Self { figures }
    }
}

fn known(list: &Value) -> Option<Vec<Known>> {
    let list = list.as_array()?.iter();
    list.map(|it| {
        Some(Known {
            bench: it["bench"].as_str()?.to_owned(),
            value: it["value"].as_f64()?,
            ratio: it["ratio"].as_f64(),
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_compared_with_a_ratio_and_a_value_with_a_value() {
        let before = Baseline::of(vec![
            Figure::example("ratio", 1.0, Some(10.0), None),
            Figure::example("value", 4.0, None, None),
        ]);
        let change =
            |bench, value, ratio| before.change(&Figure::example(bench, value, ratio, None));
        assert_eq!(change("ratio", 9.0, Some(20.0)), Some(2.0));
        assert_eq!(change("value", 8.0, None), Some(0.5));
        assert_eq!(change("new", 8.0, None), None);
        assert_eq!(change("value", 0.0, None), None);
    }

    #[test]
    fn a_name_is_no_path() {
        assert_eq!(name("before-2.0"), Ok("before-2.0".to_owned()));
        assert!(name("../x").is_err());
        assert!(name("").is_err());
    }
}
