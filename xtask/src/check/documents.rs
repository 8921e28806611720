//! Commands, links and paths in the documents lead somewhere: a reader who copies a line gets what it says.

mod text;

use std::fs;
use std::path::Path;

use cargo_metadata::TargetKind;
use clap::Parser;

use crate::Cli;
use crate::failure::{Failure, Outcome, Verdict};
use crate::workspace::{Workspace, files_below};
use text::{Piece, commands, comments, inline_commands, links, spans};

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let root = workspace.root();
    let mut findings = Vec::new();
    for document in files_below(root, "md") {
        let text = fs::read_to_string(&document).unwrap_or_default();
        let folder = document.parent().unwrap_or(root);
        let name = document.strip_prefix(root).unwrap_or(&document).display();
        let commands = commands(&text).into_iter().chain(inline_commands(&text));
        let wrong = commands
            .filter_map(|command| wrong_command(workspace, command))
            .chain(
                links(&text)
                    .into_iter()
                    .filter_map(|link| wrong_link(folder, link)),
            )
            .chain(
                spans(&text)
                    .into_iter()
                    .filter_map(|span| wrong_path(root, folder, span)),
            );
        findings.extend(wrong.map(|(line, why)| format!("{name}:{line}: {why}")));
    }
    for file in files_below(root, "rs") {
        let text = comments(&fs::read_to_string(&file).unwrap_or_default());
        let name = file.strip_prefix(root).unwrap_or(&file).display();
        let wrong = inline_commands(&text)
            .into_iter()
            .filter_map(|command| wrong_command(workspace, command));
        findings.extend(wrong.map(|(line, why)| format!("{name}:{line}: {why}")));
    }
    Failure::unless_empty(
        &findings,
        "Mend the document, or bring back what it promises.",
    )?;
    Ok(Outcome::Done)
}

fn wrong_command(workspace: &Workspace, (number, line): Piece<'_>) -> Option<(usize, String)> {
    let words: Vec<_> = line.split_whitespace().collect();
    let why = match words.as_slice() {
        // The name of it all.
        ["cargo", "xtask"] => return None,
        ["cargo", "xtask", rest @ ..] => {
            let words = ["cargo xtask"].iter().chain(rest);
            let error = Cli::try_parse_from(words).err()?;
            // Asking for help is no error of the document.
            if !error.use_stderr() {
                return None;
            }
            let error = error.to_string();
            let first = error.lines().next().unwrap_or_default();
            format!("`{line}`: {first}")
        }
        _ => {
            let example = after(&words, &["--example"])?;
            let is_there = workspace.packages().iter().any(|package| {
                let owner = after(&words, &["-p", "--package"]);
                owner.is_none_or(|owner| *package.name == owner)
                    && Workspace::targets(package, TargetKind::Example).contains(&example)
            });
            if is_there {
                return None;
            }
            format!("`{line}`: there is no such example.")
        }
    };
    Some((number, why))
}

fn after<'a>(words: &[&'a str], options: &[&str]) -> Option<&'a str> {
    let at = words.iter().position(|word| options.contains(word))?;
    words.get(at + 1).copied()
}

fn wrong_link(folder: &Path, (number, target): Piece<'_>) -> Option<(usize, String)> {
    if folder.join(target).exists() {
        return None;
    }
    Some((number, format!("the link to {target} leads nowhere.")))
}

/// A code span that names a source file, or anything in a crate, must be there: seen from the root, or
/// from the document.
fn wrong_path(root: &Path, folder: &Path, (number, span): Piece<'_>) -> Option<(usize, String)> {
    let is_source = [".rs", ".wgsl"].iter().any(|end| span.ends_with(end));
    let is_in_crate = span
        .split_once('/')
        .is_some_and(|(first, _)| root.join(first).join("Cargo.toml").is_file());
    let is_path = (is_source || is_in_crate) && !span.contains([' ', '*', '<', '…']);
    if !is_path || root.join(span).exists() || folder.join(span).exists() {
        return None;
    }
    Some((number, format!("there is no {span}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_that_is_not_there_is_found() {
        let workspace = Workspace::load().unwrap();
        let wrong = |line| wrong_command(&workspace, (7, line));
        assert_eq!(wrong("cargo xtask check --only fmt clippy"), None);
        assert_eq!(wrong("cargo xtask bench --help"), None);
        assert_eq!(wrong("cargo xtask demo --anything at all"), None);
        assert_eq!(wrong("cargo build --release"), None);
        assert_eq!(wrong("cargo xtask"), None);
        let (number, why) = wrong("cargo xtask fly").unwrap();
        assert_eq!(number, 7);
        assert!(why.contains("fly"), "{why}");
        assert!(wrong("cargo run -p xtask --example none").is_some());
    }

    #[test]
    fn a_link_to_a_missing_file_is_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(wrong_link(folder, (1, "src/main.rs")), None);
        assert!(wrong_link(folder, (1, "src/none.rs")).is_some());
    }

    #[test]
    fn a_path_to_a_missing_file_is_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = folder.parent().unwrap();
        let wrong = |span| wrong_path(root, folder, (1, span));
        for right in [
            "xtask/src/main.rs",
            "src/main.rs",
            "xtask/src",
            "a/b",
            "x.json",
            "*.rs",
        ] {
            assert_eq!(wrong(right), None, "{right}");
        }
        for missing in ["xtask/src/none.rs", "none.rs", "xtask/none", "tint.wgsl"] {
            assert!(wrong(missing).is_some(), "{missing}");
        }
    }
}
