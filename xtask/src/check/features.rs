//! Each library crate alone with no, default and all features and with each default one by itself,
//! and the renderer of the demo.

use cargo_metadata::Package;

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::{HEAVY_FEATURES, Workspace};

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let packages = workspace.packages();
    let libraries = workspace.libraries();
    for package in packages {
        let is_library = libraries.iter().any(|library| library.id == package.id);
        for features in sets(package, is_library) {
            let mut command = shell::cargo(workspace);
            // Clippy and not `check`, so that what is unused without a feature is found; it shares
            // the compiled dependencies with every other step.
            command
                .args(["clippy", "--package", &package.name])
                .args(if is_library {
                    &["--lib"][..]
                } else {
                    &["--all-targets"]
                })
                .args(&features)
                .args(["--", "-D", "warnings"]);
            shell::run(
                &mut command,
                "Put what needs a feature behind it, or let the feature switch on what it needs.",
            )?;
        }
    }
    Ok(Outcome::Done)
}

/// The sets of features of one crate that differ from each other.
fn sets(package: &Package, is_library: bool) -> Vec<Vec<&str>> {
    const NONE: &str = "--no-default-features";
    let names: Vec<_> = package.features.keys().map(String::as_str).collect();
    let default = package
        .features
        .get("default")
        .map_or(&[][..], Vec::as_slice);
    let has_others = names.iter().any(|name| *name != "default");
    let mut sets = Vec::new();
    if is_library {
        sets.push(vec![NONE]);
        if !default.is_empty() {
            sets.push(Vec::new());
        }
        if default.len() > 1 {
            // Whoever turns one of them off must get something that compiles.
            let alone = |feature| vec![NONE, "--features", feature];
            sets.extend(default.iter().map(String::as_str).map(alone));
        }
        if has_others {
            sets.push(vec!["--all-features"]);
        }
    } else {
        // A program is compiled with its light features by the other steps.
        let heavy = HEAVY_FEATURES.iter().filter(|heavy| names.contains(heavy));
        sets.extend(heavy.map(|heavy| vec!["--features", heavy]));
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(features: serde_json::Value) -> Package {
        let package = json!({
            "name": "p", "version": "0.1.0", "id": "p", "dependencies": [], "targets": [],
            "features": features, "manifest_path": "/p/Cargo.toml",
        });
        serde_json::from_value(package).unwrap()
    }

    #[test]
    fn equal_sets_are_built_once() {
        let plain = package(json!({}));
        assert_eq!(sets(&plain, true), [["--no-default-features"]]);
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
