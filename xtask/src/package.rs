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
    // All at once: cargo then resolves siblings among the packages themselves, published or not.
    let packages = workspace.library_packages();
    let no_verify = (!args.verify).then_some("--no-verify");
    let allow_dirty = args.allow_dirty.then_some("--allow-dirty");
    cmd!(
        workspace.sh(),
        "cargo package {packages...} {no_verify...} {allow_dirty...}"
    )
    .run()
    .advise("Commit or ignore the files it names, or complete the crate's Cargo.toml.")
}

/// Fails where crates.io or a reader of it would miss something, and where a file in a package needs one that is not.
pub(crate) fn complete(workspace: &Workspace) -> Verdict {
    let mut findings = Vec::new();
    for library in workspace.libraries() {
        let name = &*library.name;
        findings.extend(missing_fields(library));
        let list = cmd!(
            workspace.sh(),
            "cargo package --list --allow-dirty --package {name}"
        );
        let list = list.read().advise("Mend the crate's Cargo.toml.")?;
        let files: BTreeSet<_> = list.lines().map(PathBuf::from).collect();
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            if !files.contains(Path::new(licence)) {
                findings.push(format!("{name}/{licence} is missing."));
            }
        }
        for file in files
            .iter()
            .filter(|file| file.extension().is_some_and(|it| it == "rs"))
        {
            let text = workspace
                .sh()
                .read_file(folder(library).join(file))
                .unwrap_or_default();
            let missing = inclusions(&text).filter(|path| !files.contains(&beside(file, path)));
            findings.extend(missing.map(|path| {
                let file = file.display();
                format!("{name}/{file} includes {path}, which is not in its package.")
            }));
        }
    }
    Stop::unless_empty(
        &findings,
        "Add what is missing to the crate's Cargo.toml or folder; include only what is in the crate, or exclude the file \
         that includes it.",
    )
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
        (
            "package.metadata.docs.rs",
            library.metadata["docs"]["rs"].is_null(),
        ),
    ];
    let missing = fields.iter().filter(|(_, is_missing)| *is_missing);
    missing
        .map(|(field, _)| format!("{} has no {field}.", library.name))
        .collect()
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
        let text = "#[doc = include_str!(\"../README.md\")]\nlet x = include_bytes!(\"a.bin\");";
        assert_eq!(
            inclusions(text).collect::<Vec<_>>(),
            ["../README.md", "a.bin"]
        );
        let text = "#[path = \"../b.rs\"]\nmod b;";
        assert_eq!(inclusions(text).collect::<Vec<_>>(), ["../b.rs"]);
    }

    #[test]
    fn what_is_above_the_package_is_not_in_it() {
        let beside = |file: &str, path| beside(Path::new(file), path);
        assert_eq!(beside("src/lib.rs", "../README.md"), Path::new("README.md"));
        assert_eq!(beside("src/a/b.rs", "./c.rs"), Path::new("src/a/c.rs"));
        assert_eq!(
            beside("src/lib.rs", "../../README.md"),
            Path::new("../README.md")
        );
        assert_eq!(
            beside("src/lib.rs", "../../chunk/README.md"),
            Path::new("../chunk/README.md")
        );
    }

    #[test]
    fn every_field_that_a_reader_misses_is_named() {
        let missing = missing_fields(&example("p", &[], json!({})));
        assert_eq!(missing.len(), 7);
        assert_eq!(missing[0], "p has no description.");
    }
}
