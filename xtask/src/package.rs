//! `cargo xtask package`: the package of each library crate as it would be published.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use xshell::cmd;

use crate::cli::PackageArgs;
use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::{Workspace, folder};

pub(crate) fn run(workspace: &Workspace, args: &PackageArgs) -> Verdict {
    complete(workspace)?;
    let verify = (!args.verify).then_some("--no-verify");
    let dirty = args.allow_dirty.then_some("--allow-dirty");
    // All at once: cargo then resolves siblings among the packages themselves, published or not.
    let packages = workspace.library_packages();
    let package = cmd!(workspace.sh(), "cargo package {packages...}");
    let package = package.args(verify).args(dirty);
    let advice = "Commit or ignore the files it names, or complete the crate's Cargo.toml.";
    package.run().advise(advice)
}

/// Fails where crates.io or a reader of it would miss something, and where a file in a package needs one that is not.
pub(crate) fn complete(workspace: &Workspace) -> Verdict {
    let sh = workspace.sh();
    let mut findings = Vec::new();
    for library in workspace.libraries() {
        let name = &*library.name;
        findings.extend(missing_fields(library));
        let list = cmd!(
            sh,
            "cargo package --quiet --list --allow-dirty --package {name}"
        );
        let list = list.read().advise("Fix the crate's Cargo.toml.")?;
        let files: BTreeSet<_> = list.lines().map(PathBuf::from).collect();
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            if !files.contains(Path::new(licence)) {
                findings.push(format!("{name}/{licence} is missing."));
            }
        }
        let is_source = |file: &&PathBuf| file.extension().is_some_and(|it| it == "rs");
        for file in files.iter().filter(is_source) {
            let text = sh.read_file(folder(library).join(file)).unwrap_or_default();
            let included = inclusions(&text);
            let missing = included.filter(|path| !files.contains(&beside(file, path)));
            let file = file.display();
            findings.extend(missing.map(|path| {
                format!("{name}/{file} includes {path}, which is not in its package.")
            }));
        }
    }
    let advice = "Add what is missing to the crate's Cargo.toml or folder; include only what is in the crate, or exclude \
                  the file that includes it.";
    Stop::unless_empty(&findings, advice)
}

/// `repository` is not asked for: it must be a public address, and there is none yet.
fn missing_fields(library: &Package) -> Vec<String> {
    let fields = [
        ("description", library.description.is_none()),
        ("license", library.license.is_none()),
        ("readme", library.readme.is_none()),
        ("rust-version", library.rust_version.is_none()),
        ("keywords", library.keywords.is_empty()),
        ("categories", library.categories.is_empty()),
        ("metadata.docs.rs", library.metadata["docs"]["rs"].is_null()),
    ];
    let sentence = |field| format!("{} has no {field}.", library.name);
    let missing = fields.iter().filter(|(_, is_missing)| *is_missing);
    missing.map(|(field, _)| sentence(field)).collect()
}

/// The paths of all `include_str!("…")`, `include_bytes!("…")` and `#[path = "…"]`.
fn inclusions(text: &str) -> impl Iterator<Item = &str> {
    ["include_str!(\"", "include_bytes!(\"", "#[path = \""]
        .into_iter()
        .flat_map(|call| text.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
}

/// `path` as seen from `file`. A path that leaves the package keeps its first `..`.
fn beside(file: &Path, path: &str) -> PathBuf {
    let mut whole = file.parent().map_or_else(PathBuf::new, Path::to_owned);
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if !whole.ends_with("..") && whole.pop() => {}
            _ => whole.push(part),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::example;
    use serde_json::json;

    #[test]
    fn inclusions_are_found_wherever_they_stand() {
        let text = "#[doc = include_str!(\"../R.md\")]\nlet x = include_bytes!(\"a.bin\");\n#[path = \"b.rs\"]";
        let found: Vec<_> = inclusions(text).collect();
        assert_eq!(found, ["../R.md", "a.bin", "b.rs"]);
    }

    #[test]
    fn a_path_is_seen_from_the_file_that_names_it() {
        for (file, path, expected) in [
            ("src/lib.rs", "../README.md", "README.md"),
            ("src/a/b.rs", "./c.rs", "src/a/c.rs"),
            ("src/lib.rs", "../../README.md", "../README.md"),
            ("src/lib.rs", "../../../README.md", "../../README.md"),
        ] {
            assert_eq!(beside(Path::new(file), path), Path::new(expected));
        }
    }

    #[test]
    fn every_field_that_a_reader_misses_is_named() {
        let missing = missing_fields(&example("p", Vec::new(), json!({})));
        assert_eq!(missing.len(), 7);
        assert_eq!(missing[0], "p has no description.");
    }
}
