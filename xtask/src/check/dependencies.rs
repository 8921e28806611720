//! Which crate may depend on what: the table of ARCHITECTURE.md, name by name.

use cargo_metadata::{Dependency, DependencyKind, Package};

use crate::verdict::{Stop, Verdict};
use crate::workspace::Workspace;

/// A crate, or the only feature of it that may switch these dependencies on; then their names. `*` is every crate, `others`
/// every crate that is neither part of this workspace nor of Bevy.
const ALLOWED: &str = "\
chunk-coord: bevy_math bevy_platform smallvec
chunk-coord/bevy_ecs: bevy_ecs
chunk-coord/bevy_reflect: bevy_reflect
chunk-coord/serde: serde
chunk-scheduler: ahash bevy_platform bevy_tasks crossbeam-utils hashbrown loom smallvec tracing
chunk-scheduler/bevy_ecs: bevy_ecs
chunk-scheduler/bevy_reflect: bevy_reflect
chunk-scheduler/store: crc32fast lz4_flex
chunk-scheduler/postcard: postcard serde
chunk-scheduler/redb: blocking redb
chunk-scheduler/object-store: futures-util object_store tokio url
chunk-scheduler/s3: reqwest rustls
chunk-assets: bevy_app bevy_asset bevy_camera bevy_color bevy_ecs bevy_math bevy_mesh bevy_reflect bevy_transform tracing
chunk-assets/render: bevy_pbr bevy_render bevy_shader
chunk-apply: bevy_ecs bevy_platform smallvec tracing
chunk-apply/streaming: ahash bevy_app bevy_diagnostic bevy_math bevy_tasks bevy_time bevy_transform
chunk-apply/streaming: chunk-coord chunk-scheduler
chunk-apply/bevy_reflect: bevy_reflect
chunk-apply/visibility: bevy_camera
chunk-apply/metrics: metrics
chunk-demo: *
xtask: others";

/// Each feature of a crate, empty for the crate itself, with the names behind it.
fn allowed(package: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let rows = ALLOWED.lines().filter_map(|row| row.split_once(": "));
    rows.filter_map(move |(owner, names)| {
        let (name, feature) = owner.split_once('/').unwrap_or((owner, ""));
        (name == package).then_some((feature, names))
    })
}

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
        if allowed(&package.name).next().is_none() {
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
    let row = allowed(&package.name).find(|(_, names)| is_allowed(names));
    let Some((feature, _)) = row else {
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

    /// The name of a dependency, its kind and whether it is optional.
    type Given<'a> = (&'a str, Option<&'a str>, bool);

    /// The findings in a crate beside chunk-coord.
    fn found(name: &str, dependencies: &[Given<'_>], features: Value) -> Vec<String> {
        let dependencies = dependencies.iter().map(|(name, kind, optional)| {
            json!({
                "name": name, "req": "*", "kind": kind, "optional": optional, "features": [],
                "uses_default_features": true,
            })
        });
        let package = example(name, dependencies.collect(), features);
        findings(&[&example("chunk-coord", Vec::new(), json!({})), &package])
    }

    #[test]
    fn what_is_not_in_the_table_is_named() {
        for (name, other) in [
            ("chunk-scheduler", "chunk-coord"),
            ("chunk-apply", "bevy_render"),
            ("chunk-scheduler", "rayon"),
            ("xtask", "chunk-coord"),
            ("xtask", "bevy_app"),
        ] {
            let expected = format!("{name} depends on {other}, which it must not know.");
            let dependencies = [(other, None, false), ("tracing", None, false)];
            assert_eq!(found(name, &dependencies, json!({})), [expected]);
        }
        let dependencies = [("chunk-coord", None, false), ("bevy_pbr", None, false)];
        assert!(found("chunk-demo", &dependencies, json!({})).is_empty());
        let expected = "chunk-extra is not in the table of crates.";
        assert_eq!(found("chunk-extra", &dependencies, json!({})), [expected]);
    }

    #[test]
    fn a_test_may_use_everything_but_siblings() {
        let found = |name| found("chunk-assets", &[(name, Some("dev"), false)], json!({}));
        assert!(found("bevy_log").is_empty() && found("proptest").is_empty());
        assert_eq!(found("chunk-coord").len(), 1);
    }

    #[test]
    fn only_the_feature_of_the_table_may_switch_a_dependency_on() {
        let always = found("chunk-apply", &[("chunk-coord", None, false)], json!({}));
        let end = "only behind the feature `streaming` is allowed.";
        let expected = format!("chunk-apply depends on chunk-coord always; {end}");
        assert_eq!(always, [expected]);
        let optional = [("chunk-coord", None, true)];
        let good = json!({
            "default": ["streaming"], "streaming": ["dep:chunk-coord"], "x": ["chunk-coord?/std"],
        });
        assert!(found("chunk-apply", &optional, good).is_empty());
        let bad = json!({"streaming": ["dep:chunk-coord"], "extra": ["chunk-coord/std"]});
        let expected = format!("chunk-apply depends on chunk-coord behind `extra`; {end}");
        assert_eq!(found("chunk-apply", &optional, bad), [expected]);
    }
}
