//! `cargo xtask package`: the package of each library crate as it would be published.

use std::fs;
use std::path::Path;

use cargo_metadata::Package;

use crate::failure::{Failure, Outcome, Verdict};
use crate::shell;
use crate::workspace::{Workspace, files_below, folder};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also compiles each package from what is in it, against the packages of its siblings (slow)
    #[arg(long)]
    verify: bool,
    /// Packages what is in the working tree, committed or not
    #[arg(long)]
    allow_dirty: bool,
}

pub(crate) fn run(workspace: &Workspace, args: &Args) -> Verdict {
    complete(workspace)?;
    // All at once: cargo then resolves siblings among the packages themselves, published or not.
    let mut command = shell::cargo(workspace);
    command.arg("package");
    for library in workspace.libraries() {
        command.args(["--package", &library.name]);
    }
    if !args.verify {
        command.arg("--no-verify");
    }
    if args.allow_dirty {
        command.arg("--allow-dirty");
    }
    shell::run(
        &mut command,
        "Commit or ignore the files it names, or complete the crate's Cargo.toml.",
    )?;
    Ok(Outcome::Done)
}

/// What crates.io asks for or a reader of it misses, and what a package would miss once it is alone.
pub(crate) fn complete(workspace: &Workspace) -> Result<(), Failure> {
    let mut findings = Vec::new();
    for library in workspace.libraries() {
        findings.extend(missing_fields(library));
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            if !folder(library).join(licence).is_file() {
                findings.push(format!("{}/{licence} is missing.", library.name));
            }
        }
        for file in files_below(folder(library), "rs") {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let outside = inclusions(&text).find(|path| leaves(folder(library), &file, path));
            let name = file.strip_prefix(workspace.root()).unwrap_or(&file);
            findings.extend(outside.map(|path| {
                format!(
                    "{} includes {path}, which is not in its package.",
                    name.display()
                )
            }));
        }
    }
    Failure::unless_empty(
        &findings,
        "Add what is missing to the crate's Cargo.toml or folder, and include only what is in the crate.",
    )
}

/// `repository` is not asked for: it must be a public address, and there is none until there is one.
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
    let missing = fields.into_iter().filter(|(_, is_missing)| *is_missing);
    missing
        .map(|(field, _)| format!("{} has no {field}.", library.name))
        .collect()
}

/// The paths of all `include_str!("…")` and `include_bytes!("…")`.
fn inclusions(text: &str) -> impl Iterator<Item = &str> {
    ["include_str!(\"", "include_bytes!(\""]
        .into_iter()
        .flat_map(|call| text.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
}

/// Whether `path`, seen from `file`, is outside of `package`.
fn leaves(package: &Path, file: &Path, path: &str) -> bool {
    let below = file.parent().and_then(|it| it.strip_prefix(package).ok());
    let mut depth = below.map_or(0, |it| it.components().count());
    for part in path.split('/') {
        match part {
            ".." if depth == 0 => return true,
            ".." => depth -= 1,
            "." => {}
            _ => depth += 1,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inclusions_are_found_wherever_they_stand() {
        let text = "#[doc = include_str!(\"../README.md\")]\nlet x = include_bytes!(\"a.bin\");";
        assert_eq!(
            inclusions(text).collect::<Vec<_>>(),
            ["../README.md", "a.bin"]
        );
    }

    #[test]
    fn what_is_above_the_package_is_not_in_it() {
        let leaves = |file, path| leaves(Path::new("/w/chunk"), Path::new(file), path);
        assert!(!leaves("/w/chunk/src/lib.rs", "../README.md"));
        assert!(!leaves("/w/chunk/src/a/b.rs", "../../README.md"));
        assert!(leaves("/w/chunk/src/lib.rs", "../../README.md"));
        assert!(leaves("/w/chunk/src/lib.rs", "../../chunk/README.md"));
    }

    #[test]
    fn every_field_that_a_reader_misses_is_named() {
        let bare = serde_json::json!({
            "name": "p", "version": "0.1.0", "id": "p", "dependencies": [], "targets": [],
            "features": {}, "manifest_path": "/p/Cargo.toml",
        });
        let bare: Package = serde_json::from_value(bare).unwrap();
        let missing = missing_fields(&bare);
        assert_eq!(missing.len(), 7);
        assert_eq!(missing[0], "p has no description.");
    }
}
