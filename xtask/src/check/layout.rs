//! Where things are: six crates and two folders of documents at the top, files of one idea, no unsafe code.

use std::fs;
use std::path::Path;

use crate::verdict::{Stop, Verdict};
use crate::workspace::{Workspace, files_below, folder};

const CRATES: &str = "chunk-apply chunk-assets chunk-coord chunk-demo chunk-scheduler xtask";

/// Other folders at the top: documents that are too many or too long for it, and what cargo builds.
const FOLDERS: &str = "docs migration-guides target";

/// A file is one idea, however many lines that takes; past this number it has a second one.
const MOST_LINES: usize = 700;

const NO_UNSAFE: &str = "#![forbid(unsafe_code)]";

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let mut findings = top_level(workspace.root());
    for package in workspace.packages() {
        for (file, text) in files_below(folder(package), "rs") {
            findings.extend(too_long(&workspace.short(&file).to_string(), &text));
            let mut targets = package.targets.iter();
            let is_lib = targets.any(|target| target.is_lib() && target.src_path == file);
            if is_lib && !text.lines().any(|line| line.trim() == NO_UNSAFE) {
                findings.push(format!("{} lacks `{NO_UNSAFE}`.", workspace.short(&file)));
            }
        }
    }
    Stop::unless_empty(
        &findings,
        "A file is one idea: give the second idea of a long file a name and a file of its own, and do not cut one idea in \
         two. Move or delete what does not belong at the top.",
    )
}

/// Names at the top of the repository that do not belong there, and names that are missing.
fn top_level(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !belongs(&name, entry.path().is_dir()) {
            findings.push(format!("{name} does not belong at the top."));
        }
    }
    let missing = CRATES.split(' ').filter(|name| !root.join(name).is_dir());
    findings.extend(missing.map(|name| format!("{name} is missing.")));
    findings.sort();
    findings
}

fn belongs(name: &str, is_folder: bool) -> bool {
    let is_one_of = |names: &str| names.split(' ').any(|it| it == name);
    let is_document = name.ends_with(".md") || name.starts_with("LICENSE-");
    match is_folder {
        _ if name.starts_with('.') => true,
        true => is_one_of(CRATES) || is_one_of(FOLDERS),
        false => is_document || is_one_of("Cargo.toml Cargo.lock deny.toml"),
    }
}

fn too_long(name: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let what = format!("{name} has {lines} lines; at most {MOST_LINES} are allowed.");
    (lines > MOST_LINES).then_some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_documents_and_hidden_folders_belong_at_the_top_and_nothing_else() {
        let folders = "chunk-coord xtask docs migration-guides .github target";
        let files = "Cargo.toml Cargo.lock README.md LICENSE-MIT deny.toml .gitignore";
        assert!(folders.split(' ').all(|name| belongs(name, true)));
        assert!(files.split(' ').all(|name| belongs(name, false)));
        let folders = "crates doc guides chunk-extra README.md";
        let files = "report.json build.sh chunk-coord docs";
        assert!(!folders.split(' ').any(|name| belongs(name, true)));
        assert!(!files.split(' ').any(|name| belongs(name, false)));
    }

    #[test]
    fn the_length_of_a_file_is_bounded() {
        assert_eq!(too_long("a/src/lib.rs", &"x\n".repeat(700)), None);
        let found = too_long("a/src/lib.rs", &"x\n".repeat(701)).unwrap();
        assert!(found.ends_with("has 701 lines; at most 700 are allowed."));
    }
}
