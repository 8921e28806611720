//! Commands and links in the documents lead somewhere: a reader who copies a line gets what it says.

use std::fs;
use std::path::Path;

use cargo_metadata::TargetKind;
use clap::Parser;

use crate::Cli;
use crate::failure::{Failure, Outcome, Verdict};
use crate::workspace::{Workspace, files_below};

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let root = workspace.root();
    let mut findings = Vec::new();
    for document in files_below(root, "md") {
        let text = fs::read_to_string(&document).unwrap_or_default();
        let folder = document.parent().unwrap_or(root);
        let name = document.strip_prefix(root).unwrap_or(&document).display();
        let wrong = commands(&text)
            .into_iter()
            .filter_map(|command| wrong_command(workspace, command))
            .chain(
                links(&text)
                    .into_iter()
                    .filter_map(|link| wrong_link(folder, link)),
            );
        findings.extend(wrong.map(|(line, why)| format!("{name}:{line}: {why}")));
    }
    Failure::unless_empty(
        &findings,
        "Mend the document, or bring back what it promises.",
    )?;
    Ok(Outcome::Done)
}

/// A piece of a document and the number of its line.
type Piece<'a> = (usize, &'a str);

/// The lines of shell blocks that run cargo, without comments and prompts.
fn commands(text: &str) -> Vec<Piece<'_>> {
    let mut commands = Vec::new();
    let mut is_shell = false;
    for (number, line) in numbered(text) {
        let line = line.trim();
        if let Some(language) = line.strip_prefix("```") {
            is_shell = matches!(language, "sh" | "bash" | "shell" | "console");
        } else if is_shell {
            let line = line.split(" #").next().unwrap_or_default().trim();
            let line = line.strip_prefix("$ ").unwrap_or(line);
            if line.starts_with("cargo ") {
                commands.push((number, line));
            }
        }
    }
    commands
}

/// The targets of `[text](target)` outside of code blocks, without those that leave the repository.
fn links(text: &str) -> Vec<Piece<'_>> {
    let mut links = Vec::new();
    let mut is_code = false;
    for (number, line) in numbered(text) {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        }
        if is_code {
            continue;
        }
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            let target = target.split('#').next().unwrap_or_default();
            // `crate::Type` is rustdoc's, and rustdoc checks it.
            if !target.is_empty() && !target.contains("::") && !target.contains("://") {
                links.push((number, target));
            }
        }
    }
    links
}

fn numbered(text: &str) -> impl Iterator<Item = Piece<'_>> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

fn wrong_command(workspace: &Workspace, (number, line): Piece<'_>) -> Option<(usize, String)> {
    let words: Vec<_> = line.split_whitespace().collect();
    let why = match words.as_slice() {
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

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
See [a](src/a.rs#L3), [b](https://x.y/z), [`c`](crate::C) and [d](#d).
```sh
# Two commands:
$ cargo xtask demo --seconds 3   # three seconds
cargo xtask check
cd somewhere
```
```rust
cargo xtask nonsense; x[0](y)
```
";

    #[test]
    fn only_shell_blocks_hold_commands() {
        assert_eq!(
            commands(TEXT),
            [
                (4, "cargo xtask demo --seconds 3"),
                (5, "cargo xtask check")
            ]
        );
    }

    #[test]
    fn only_links_into_the_repository_are_followed() {
        assert_eq!(links(TEXT), [(1, "src/a.rs")]);
    }

    #[test]
    fn a_verb_that_is_not_there_is_found() {
        let workspace = Workspace::load().unwrap();
        let wrong = |line| wrong_command(&workspace, (7, line));
        assert_eq!(wrong("cargo xtask check --only fmt clippy"), None);
        assert_eq!(wrong("cargo xtask bench --help"), None);
        assert_eq!(wrong("cargo xtask demo --anything at all"), None);
        assert_eq!(wrong("cargo build --release"), None);
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
}
