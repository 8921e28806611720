//! Each library crate alone with no, default and all features and with each default one by itself, and the renderer of
//! the demo.

use cargo_metadata::Package;
use xshell::cmd;

use crate::verdict::{Advise, Verdict};
use crate::workspace::{HEAVY_FEATURES, Workspace, is_library};

pub(super) fn run(workspace: &Workspace) -> Verdict {
    for package in workspace.packages() {
        let is_library = is_library(package);
        let targets = if is_library { "--lib" } else { "--all-targets" };
        for features in sets(package, is_library) {
            let name = &*package.name;
            // Clippy and not `check`, so that what is unused without a feature is found; it shares the compiled
            // dependencies with every other step.
            cmd!(
                workspace.sh(),
                "cargo clippy --package {name} {targets} {features...} -- -D warnings"
            )
            .run()
            .advise(
                "Put what needs a feature behind it, or let the feature switch on what it needs.",
            )?;
        }
    }
    Ok(())
}

/// The sets of features of one crate that differ from each other.
fn sets(package: &Package, is_library: bool) -> Vec<Vec<&str>> {
    const NONE: &str = "--no-default-features";
    let has = |feature: &str| package.features.contains_key(feature);
    if !is_library {
        // The other steps compile a program with its light features.
        let heavy = HEAVY_FEATURES.into_iter().filter(|heavy| has(heavy));
        return heavy.map(|heavy| vec!["--features", heavy]).collect();
    }
    let default = package
        .features
        .get("default")
        .map_or(&[][..], Vec::as_slice);
    let mut sets = vec![vec![NONE]];
    if !default.is_empty() {
        sets.push(Vec::new());
    }
    if default.len() > 1 {
        // A user who turns one of them off must get something that compiles.
        sets.extend(
            default
                .iter()
                .map(|feature| vec![NONE, "--features", feature]),
        );
    }
    if package.features.keys().any(|name| name != "default") {
        sets.push(vec!["--all-features"]);
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::example;
    use serde_json::{Value, json};

    fn package(features: Value) -> Package {
        example("p", &[], features)
    }

    #[test]
    fn equal_sets_are_built_once() {
        assert_eq!(sets(&package(json!({})), true), [["--no-default-features"]]);
        let empty_default = package(json!({"default": [], "x": []}));
        assert_eq!(
            sets(&empty_default, true),
            [["--no-default-features"], ["--all-features"]]
        );
        let full = package(json!({"default": ["x"], "x": [], "y": []}));
        assert_eq!(sets(&full, true).len(), 3);
    }

    #[test]
    fn each_of_several_default_features_is_built_without_the_others() {
        let two = package(json!({"default": ["x", "y"], "x": [], "y": []}));
        let sets = sets(&two, true);
        for feature in ["x", "y"] {
            let alone = ["--no-default-features", "--features", feature];
            assert!(sets.iter().any(|set| *set == alone), "{sets:?}");
        }
        assert_eq!(sets.len(), 5);
    }

    #[test]
    fn a_program_is_built_with_what_others_leave_out() {
        let demo = package(json!({"default": [], "render": [], "light": []}));
        assert_eq!(sets(&demo, false), [["--features", "render"]]);
        assert!(sets(&package(json!({"light": []})), false).is_empty());
    }
}
