//! Where things are and how long they are: six crates and two folders of documents at the top, short files, no
//! unsafe code.

use std::fs;
use std::path::Path;

use crate::failure::{Failure, Outcome, Verdict};
use crate::workspace::{Workspace, files_below, folder};

const CRATES: [&str; 6] = [
    "chunk-apply",
    "chunk-assets",
    "chunk-coord",
    "chunk-demo",
    "chunk-scheduler",
    "xtask",
];

/// A file is one idea; one that is longer has two.
const MOST_LINES: usize = 350;

/// Documents that are too many or too long for the top.
const DOCUMENTS: [&str; 2] = ["docs", "migration-guides"];

const NO_UNSAFE: &str = "#![forbid(unsafe_code)]";

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let root = workspace.root();
    let mut findings = top_level(root);
    for package in workspace.packages() {
        for file in files_below(folder(package), "rs") {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let name = file.strip_prefix(root).unwrap_or(&file);
            findings.extend(too_long(name, &text));
        }
        for target in package.targets.iter().filter(|target| target.is_lib()) {
            let text = fs::read_to_string(&target.src_path).unwrap_or_default();
            if !text.lines().any(|line| line.trim() == NO_UNSAFE) {
                let file = target.src_path.as_std_path();
                let name = file.strip_prefix(root).unwrap_or(file).display();
                findings.push(format!("{name} lacks `{NO_UNSAFE}`."));
            }
        }
    }
    Failure::unless_empty(
        &findings,
        "Split a long file where its second idea begins; move or delete what does not belong at the top.",
    )?;
    Ok(Outcome::Done)
}

/// What stands at the top and should not, and what should and does not.
fn top_level(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !belongs(&name, entry.path().is_dir()) {
            findings.push(format!(
                "{name} does not belong at the top of the repository."
            ));
        }
    }
    let missing = CRATES.iter().filter(|name| !root.join(name).is_dir());
    findings.extend(missing.map(|name| format!("{name} is missing.")));
    findings.sort();
    findings
}

fn belongs(name: &str, is_folder: bool) -> bool {
    let is_document = name.ends_with(".md") || name.starts_with("LICENSE-");
    match is_folder {
        true => {
            CRATES.contains(&name)
                || DOCUMENTS.contains(&name)
                || name == "target"
                || name.starts_with('.')
        }
        false => {
            is_document
                || matches!(name, "Cargo.toml" | "Cargo.lock" | "deny.toml")
                || name.starts_with('.')
        }
    }
}

fn too_long(name: &Path, text: &str) -> Option<String> {
    let lines = text.lines().count();
    (lines > MOST_LINES).then(|| {
        let name = name.display();
        format!("{name} has {lines} lines; at most {MOST_LINES} are allowed.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_crates_documents_and_hidden_folders_belong_at_the_top() {
        for folder in [
            "chunk-coord",
            "xtask",
            "docs",
            "migration-guides",
            ".github",
            "target",
        ] {
            assert!(belongs(folder, true), "{folder}");
        }
        for file in [
            "Cargo.toml",
            "Cargo.lock",
            "README.md",
            "LICENSE-MIT",
            "deny.toml",
            ".gitignore",
        ] {
            assert!(belongs(file, false), "{file}");
        }
    }

    #[test]
    fn other_folders_and_files_do_not() {
        for folder in ["crates", "doc", "guides", "chunk-extra", "README.md"] {
            assert!(!belongs(folder, true), "{folder}");
        }
        for file in ["report.json", "build.sh", "chunk-coord", "docs"] {
            assert!(!belongs(file, false), "{file}");
        }
    }

    #[test]
    fn the_length_of_a_file_is_bounded() {
        let name = Path::new("a/src/lib.rs");
        assert_eq!(too_long(name, &"x\n".repeat(350)), None);
        let expected = "a/src/lib.rs has 351 lines; at most 350 are allowed.";
        assert_eq!(
            too_long(name, &"x\n".repeat(351)).as_deref(),
            Some(expected)
        );
    }
}
