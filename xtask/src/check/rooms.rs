//! The dependency table of the design, enforced: which crate may know which.

use cargo_metadata::{Dependency, DependencyKind, Package};

use crate::failure::{Failure, Outcome, Verdict};
use crate::workspace::Workspace;

/// What one crate may depend on, of this workspace and of Bevy. Other crates are free.
#[derive(Debug)]
struct Room {
    name: &'static str,
    siblings: Allowed,
    bevy: Allowed,
}

#[derive(Debug)]
enum Allowed {
    All,
    /// Each name with the only feature that may switch it on; none where it is always there.
    Only(&'static [(&'static str, Option<&'static str>)]),
}

const ROOMS: [Room; 6] = [
    Room {
        name: "chunk-coord",
        siblings: Allowed::Only(&[]),
        bevy: Allowed::Only(&[
            ("bevy_math", None),
            ("bevy_ecs", Some("bevy_ecs")),
            ("bevy_reflect", Some("bevy_reflect")),
        ]),
    },
    Room {
        name: "chunk-scheduler",
        siblings: Allowed::Only(&[]),
        bevy: Allowed::Only(&[
            ("bevy_tasks", None),
            ("bevy_platform", None),
            ("bevy_ecs", Some("bevy_ecs")),
            ("bevy_reflect", Some("bevy_reflect")),
        ]),
    },
    Room {
        name: "chunk-assets",
        siblings: Allowed::Only(&[]),
        bevy: Allowed::Only(&[
            ("bevy_app", None),
            ("bevy_asset", None),
            ("bevy_camera", None),
            ("bevy_color", None),
            ("bevy_ecs", None),
            ("bevy_math", None),
            ("bevy_mesh", None),
            ("bevy_reflect", None),
            ("bevy_transform", None),
            ("bevy_pbr", Some("render")),
            ("bevy_render", Some("render")),
            ("bevy_shader", Some("render")),
        ]),
    },
    Room {
        name: "chunk-apply",
        siblings: Allowed::Only(&[
            ("chunk-coord", Some("streaming")),
            ("chunk-scheduler", Some("streaming")),
        ]),
        bevy: Allowed::Only(&[
            ("bevy_app", Some("streaming")),
            ("bevy_diagnostic", Some("streaming")),
            ("bevy_ecs", None),
            ("bevy_math", Some("streaming")),
            ("bevy_platform", None),
            ("bevy_reflect", Some("bevy_reflect")),
            ("bevy_tasks", Some("streaming")),
            ("bevy_time", Some("streaming")),
            ("bevy_transform", Some("streaming")),
            ("bevy_camera", Some("visibility")),
        ]),
    },
    Room {
        name: "chunk-demo",
        siblings: Allowed::All,
        bevy: Allowed::All,
    },
    Room {
        name: "xtask",
        siblings: Allowed::Only(&[]),
        bevy: Allowed::Only(&[]),
    },
];

pub(super) fn run(workspace: &Workspace) -> Verdict {
    Failure::unless_empty(
        &findings(&workspace.packages()),
        "Move the code to the crate that owns it (ARCHITECTURE.md says which), or change the table in \
         xtask/src/check/rooms.rs and in ARCHITECTURE.md together, with a reason.",
    )?;
    Ok(Outcome::Done)
}

/// One sentence for each edge that is not allowed, and for each crate without a room.
fn findings(packages: &[&Package]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let Some(room) = ROOMS.iter().find(|room| package.name == room.name) else {
            findings.push(format!("{} is a crate without a room.", package.name));
            continue;
        };
        for dependency in &package.dependencies {
            let is_sibling = packages.iter().any(|it| *it.name == dependency.name);
            let is_bevy = dependency.name.starts_with("bevy");
            let allowed = match (is_sibling, is_bevy) {
                (true, _) => &room.siblings,
                // A test may use what it likes of Bevy; it is not what a user of the crate compiles.
                (_, true) if dependency.kind != DependencyKind::Development => &room.bevy,
                _ => continue,
            };
            findings.extend(finding(package, dependency, allowed));
        }
    }
    findings
}

/// What is wrong with one edge, if anything.
fn finding(package: &Package, dependency: &Dependency, allowed: &Allowed) -> Option<String> {
    let Allowed::Only(names) = allowed else {
        return None;
    };
    let edge = format!("{} depends on {}", package.name, dependency.name);
    let Some((_, feature)) = names.iter().find(|(name, _)| *name == dependency.name) else {
        return Some(format!("{edge}, which it must not know."));
    };
    let feature = (*feature)?;
    if dependency.kind == DependencyKind::Development {
        return None;
    }
    if !dependency.optional {
        return Some(format!(
            "{edge} always; it may only behind its feature `{feature}`."
        ));
    }
    let others: Vec<_> = switches(package, dependency)
        .filter(|name| *name != feature)
        .map(|name| format!("`{name}`"))
        .collect();
    if others.is_empty() {
        return None;
    }
    let others = others.join(" and ");
    Some(format!(
        "{edge} behind {others}; it may only behind its feature `{feature}`."
    ))
}

/// The features of `package` that switch an optional dependency on by themselves.
fn switches<'a>(package: &'a Package, dependency: &'a Dependency) -> impl Iterator<Item = &'a str> {
    let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
    package
        .features
        .iter()
        .filter(move |(_, parts)| {
            parts.iter().any(|part| {
                // `dep:name`, `name` and `name/feature` do; `name?/feature` does not.
                let part = part.strip_prefix("dep:").unwrap_or(part);
                part.split('/').next() == Some(name.as_str())
            })
        })
        .map(|(feature, _)| feature.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn dependency(name: &str, kind: Option<&str>, optional: bool) -> Value {
        json!({
            "name": name, "req": "*", "kind": kind, "optional": optional, "features": [],
            "uses_default_features": true, "target": null, "rename": null, "source": null,
            "registry": null,
        })
    }

    fn package(name: &str, dependencies: &[Value], features: Value) -> Package {
        let package = json!({
            "name": name, "version": "0.1.0", "id": name, "dependencies": dependencies,
            "targets": [], "features": features, "manifest_path": "/x/Cargo.toml",
        });
        serde_json::from_value(package).unwrap()
    }

    fn with(package: &Package) -> Vec<String> {
        let coord = super::tests::package("chunk-coord", &[], json!({}));
        findings(&[&coord, package])
    }

    #[test]
    fn an_edge_to_a_sibling_is_named() {
        let scheduler = package(
            "chunk-scheduler",
            &[dependency("chunk-coord", None, false)],
            json!({}),
        );
        assert_eq!(
            with(&scheduler),
            ["chunk-scheduler depends on chunk-coord, which it must not know."]
        );
    }

    #[test]
    fn a_test_may_not_know_a_sibling_either() {
        let edge = dependency("chunk-coord", Some("dev"), false);
        let assets = package("chunk-assets", &[edge], json!({}));
        assert_eq!(with(&assets).len(), 1);
    }

    #[test]
    fn a_part_of_bevy_that_is_not_in_the_table_is_named() {
        let edges = [
            dependency("bevy_render", None, false),
            dependency("bevy_log", Some("dev"), false),
            dependency("tracing", None, false),
        ];
        let apply = package("chunk-apply", &edges, json!({}));
        assert_eq!(
            with(&apply),
            ["chunk-apply depends on bevy_render, which it must not know."]
        );
    }

    #[test]
    fn a_dependency_behind_a_feature_must_be_optional() {
        let edge = dependency("chunk-coord", None, false);
        let apply = package("chunk-apply", &[edge], json!({}));
        let expected = "chunk-apply depends on chunk-coord always; it may only behind its feature `streaming`.";
        assert_eq!(with(&apply), [expected]);
    }

    #[test]
    fn no_other_feature_may_switch_it_on() {
        let edge = dependency("chunk-coord", None, true);
        let good = json!({
            "default": ["streaming"], "streaming": ["dep:chunk-coord"], "x": ["chunk-coord?/std"],
        });
        assert!(with(&package("chunk-apply", std::slice::from_ref(&edge), good)).is_empty());
        let bad = json!({"streaming": ["dep:chunk-coord"], "extra": ["chunk-coord/std"]});
        let expected = "chunk-apply depends on chunk-coord behind `extra`; it may only behind its \
                        feature `streaming`.";
        assert_eq!(with(&package("chunk-apply", &[edge], bad)), [expected]);
    }

    #[test]
    fn the_demo_may_know_everything_and_a_seventh_crate_has_no_room() {
        let edges = [
            dependency("chunk-coord", None, false),
            dependency("bevy_pbr", None, false),
        ];
        assert!(with(&package("chunk-demo", &edges, json!({}))).is_empty());
        assert_eq!(
            with(&package("chunk-extra", &edges, json!({}))),
            ["chunk-extra is a crate without a room."]
        );
    }
}
