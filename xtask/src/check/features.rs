//! Each library crate alone with no, default and all features and with each default one by itself, and the renderer of
//! the demo.

use cargo_metadata::Package;
use xshell::cmd;

use crate::verdict::{Advise, Verdict};
use crate::workspace::{HEAVY_FEATURES, Workspace, is_library};

const ADVICE: &str =
    "Put what needs a feature behind it, or let the feature switch on what it needs.";

pub(super) fn run(workspace: &Workspace) -> Verdict {
    for package in workspace.packages() {
        let is_library = is_library(package);
        let targets = if is_library { "--lib" } else { "--all-targets" };
        for features in sets(package, is_library) {
            let name = &*package.name;
            // Clippy and not `check`, so that what is unused without a feature is found; it shares the compiled
            // dependencies with every other step.
            let clippy = cmd!(workspace.sh(), "cargo clippy --package {name} {targets}");
            let clippy = clippy.args(features).args(["--", "-D", "warnings"]);
            clippy.run().advise(ADVICE)?;
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
    let default = package.features.get("default");
    let default = default.map_or(&[][..], Vec::as_slice);
    let mut sets = vec![vec![NONE]];
    if !default.is_empty() {
        sets.push(Vec::new());
    }
    if default.len() > 1 {
        // A user who turns one of them off must get something that compiles.
        let alone = |feature| vec![NONE, "--features", feature];
        sets.extend(default.iter().map(String::as_str).map(alone));
    }
    if package.features.keys().any(|name| name != "default") {
        sets.push(vec!["--all-features"]);
    }
    sets
}

#[cfg(test)]
mod tests {
    use crate::workspace::example;
    use serde_json::{Value, json};

    fn sets(features: Value, is_library: bool) -> Vec<String> {
        let package = example("p", Vec::new(), features);
        let sets = super::sets(&package, is_library);
        sets.iter().map(|set| set.join(" ")).collect()
    }

    #[test]
    fn equal_sets_are_built_once() {
        let (none, all) = ("--no-default-features", "--all-features");
        assert_eq!(sets(json!({}), true), [none]);
        assert_eq!(sets(json!({"default": [], "x": []}), true), [none, all]);
        let full = json!({"default": ["x"], "x": [], "y": []});
        assert_eq!(sets(full, true), [none, "", all]);
    }

    #[test]
    fn each_of_several_default_features_is_built_without_the_others() {
        let sets = sets(json!({"default": ["x", "y"], "x": [], "y": []}), true);
        assert_eq!(sets[2], "--no-default-features --features x");
        assert_eq!(sets[3], "--no-default-features --features y");
        assert_eq!(sets.len(), 5);
    }

    #[test]
    fn a_program_is_built_with_what_others_leave_out() {
        let demo = json!({"default": [], "render": [], "light": []});
        assert_eq!(sets(demo, false), ["--features render"]);
        assert!(sets(json!({"light": []}), false).is_empty());
    }
}
