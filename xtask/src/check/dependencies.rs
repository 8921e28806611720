//! Which crate may depend on what: the table of ARCHITECTURE.md, name by name.

use cargo_metadata::{Dependency, DependencyKind, Package};

use crate::verdict::{Stop, Verdict};
use crate::workspace::Workspace;

/// A crate, the only feature that may switch these dependencies on, and their names. Without a feature they may always be
/// there. `*` is every crate, `others` every crate that is neither part of this workspace nor of Bevy.
const ALLOWED: [(&str, &str, &str); 16] = [
    // `bevy_platform` for the clock, which is another one in a browser.
    (
        "chunk-coord",
        "",
        "ahash bevy_math bevy_platform hashbrown smallvec",
    ),
    ("chunk-coord", "bevy_ecs", "bevy_ecs"),
    ("chunk-coord", "bevy_reflect", "bevy_reflect"),
    ("chunk-coord", "serde", "serde"),
    (
        "chunk-scheduler",
        "",
        "ahash bevy_platform bevy_tasks hashbrown loom smallvec tracing",
    ),
    ("chunk-scheduler", "bevy_ecs", "bevy_ecs"),
    ("chunk-scheduler", "bevy_reflect", "bevy_reflect"),
    (
        "chunk-assets",
        "",
        "bevy_app bevy_asset bevy_camera bevy_color bevy_ecs bevy_math bevy_mesh bevy_reflect bevy_transform tracing",
    ),
    ("chunk-assets", "render", "bevy_pbr bevy_render bevy_shader"),
    ("chunk-apply", "", "bevy_ecs bevy_platform smallvec tracing"),
    (
        "chunk-apply",
        "streaming",
        "ahash bevy_app bevy_diagnostic bevy_math bevy_tasks bevy_time bevy_transform chunk-coord chunk-scheduler",
    ),
    ("chunk-apply", "bevy_reflect", "bevy_reflect"),
    ("chunk-apply", "visibility", "bevy_camera"),
    ("chunk-apply", "metrics", "metrics"),
    ("chunk-demo", "", "*"),
    ("xtask", "", "others"),
];

pub(super) fn run(workspace: &Workspace) -> Verdict {
    Stop::unless_empty(
        &findings(&workspace.packages()),
        "Move the code to the crate that owns it (ARCHITECTURE.md says which), or change the table in \
         xtask/src/check/dependencies.rs and in ARCHITECTURE.md together, with a reason.",
    )
}

/// One sentence for each dependency that is not allowed, and for each crate that the table does not know.
fn findings(packages: &[&Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        if !ALLOWED.iter().any(|row| package.name == row.0) {
            findings.push(format!("{} is not in the table of crates.", package.name));
            continue;
        }
        for dependency in &package.dependencies {
            let is_sibling = packages.iter().any(|it| *it.name == dependency.name);
            findings.extend(finding(package, dependency, is_sibling));
        }
    }
    findings
}

/// What is wrong with one dependency, if anything.
fn finding(package: &Package, dependency: &Dependency, is_sibling: bool) -> Option<String> {
    let name = dependency.name.as_str();
    let is_for_tests = dependency.kind == DependencyKind::Development;
    // A test may use what it likes except siblings; a user of the crate does not compile it.
    if is_for_tests && !is_sibling {
        return None;
    }
    let is_other = !is_sibling && !name.starts_with("bevy");
    let is_allowed = |names: &str| match names {
        "*" => true,
        "others" => is_other,
        names => names.split(' ').any(|it| it == name),
    };
    let edge = format!("{} depends on {name}", package.name);
    let row = ALLOWED
        .iter()
        .find(|row| package.name == row.0 && is_allowed(row.2));
    let Some(&(_, feature, _)) = row else {
        return Some(format!("{edge}, which it must not know."));
    };
    if feature.is_empty() || is_for_tests {
        return None;
    }
    let only = format!("only behind the feature `{feature}` is allowed.");
    if !dependency.optional {
        return Some(format!("{edge} always; {only}"));
    }
    let others = switches(package, dependency).filter(|name| *name != feature);
    let others: Vec<_> = others.map(|name| format!("`{name}`")).collect();
    let others = others.join(" and ");
    (!others.is_empty()).then(|| format!("{edge} behind {others}; {only}"))
}

/// The features of `package` that switch an optional dependency on by themselves.
fn switches<'a>(package: &'a Package, dependency: &'a Dependency) -> impl Iterator<Item = &'a str> {
    let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
    // `dep:name`, `name` and `name/feature` do; `name?/feature` does not.
    let is_switch = move |part: &String| {
        let part = part.strip_prefix("dep:").unwrap_or(part);
        part.split('/').next() == Some(name.as_str())
    };
    let features = package.features.iter();
    let features = features.filter(move |(_, parts)| parts.iter().any(is_switch));
    features.map(|(feature, _)| feature.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::example;
    use serde_json::{Value, json};

    fn dependency(name: &str, kind: Option<&str>, optional: bool) -> Value {
        json!({
            "name": name, "req": "*", "kind": kind, "optional": optional, "features": [],
            "uses_default_features": true, "target": null, "rename": null, "source": null,
            "registry": null,
        })
    }

    /// The findings in a crate beside chunk-coord.
    fn with(name: &str, dependencies: &[Value], features: Value) -> Vec<String> {
        let coord = example("chunk-coord", &[], json!({}));
        findings(&[&coord, &example(name, dependencies, features)])
    }

    #[test]
    fn a_sibling_that_is_not_in_the_table_is_named() {
        let edge = dependency("chunk-coord", None, false);
        let expected = "chunk-scheduler depends on chunk-coord, which it must not know.";
        assert_eq!(with("chunk-scheduler", &[edge], json!({})), [expected]);
    }

    #[test]
    fn a_test_may_not_know_a_sibling_either() {
        let edge = dependency("chunk-coord", Some("dev"), false);
        assert_eq!(with("chunk-assets", &[edge], json!({})).len(), 1);
    }

    #[test]
    fn a_part_of_bevy_that_is_not_in_the_table_is_named() {
        let edges = [
            dependency("bevy_render", None, false),
            dependency("bevy_log", Some("dev"), false),
            dependency("tracing", None, false),
        ];
        let expected = "chunk-apply depends on bevy_render, which it must not know.";
        assert_eq!(with("chunk-apply", &edges, json!({})), [expected]);
    }

    #[test]
    fn a_crate_from_elsewhere_that_is_not_in_the_table_is_named() {
        let edges = [
            dependency("ahash", None, false),
            dependency("rayon", None, false),
            dependency("proptest", Some("dev"), false),
        ];
        let expected = "chunk-scheduler depends on rayon, which it must not know.";
        assert_eq!(with("chunk-scheduler", &edges, json!({})), [expected]);
    }

    #[test]
    fn a_dependency_behind_a_feature_must_be_optional() {
        let edge = dependency("chunk-coord", None, false);
        let expected = "chunk-apply depends on chunk-coord always; only behind the feature `streaming` is allowed.";
        assert_eq!(with("chunk-apply", &[edge], json!({})), [expected]);
    }

    #[test]
    fn no_other_feature_may_switch_it_on() {
        let edge = [dependency("chunk-coord", None, true)];
        let good = json!({
            "default": ["streaming"], "streaming": ["dep:chunk-coord"], "x": ["chunk-coord?/std"],
        });
        assert!(with("chunk-apply", &edge, good).is_empty());
        let bad = json!({"streaming": ["dep:chunk-coord"], "extra": ["chunk-coord/std"]});
        let expected = "chunk-apply depends on chunk-coord behind `extra`; only behind the feature `streaming` is allowed.";
        assert_eq!(with("chunk-apply", &edge, bad), [expected]);
    }

    #[test]
    fn the_demo_may_know_everything_xtask_no_bevy_and_a_seventh_crate_is_not_in_the_table() {
        let edges = [
            dependency("chunk-coord", None, false),
            dependency("bevy_pbr", None, false),
            dependency("clap", None, false),
        ];
        assert!(with("chunk-demo", &edges, json!({})).is_empty());
        assert_eq!(with("xtask", &edges, json!({})).len(), 2);
        let expected = "chunk-extra is not in the table of crates.";
        assert_eq!(with("chunk-extra", &edges, json!({})), [expected]);
    }
}
