//! Commands, links and paths in the documents exist: a reader who copies a line gets what it says.

use std::path::Path;

use cargo_metadata::Target;
use clap::Parser;

use crate::cli::Cli;
use crate::verdict::{Stop, Verdict};
use crate::workspace::{Workspace, files_below};

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let root = workspace.root();
    let mut findings = Vec::new();
    let documents = files_below(root, "md").into_iter();
    let sources = files_below(root, "rs").into_iter();
    let sources = sources.map(|(file, text)| (file, comments(&text)));
    for (file, text) in documents.chain(sources) {
        let (name, folder) = (workspace.short(&file), file.parent().unwrap_or(root));
        // rustdoc checks the links of sources.
        let is_source = file.extension().is_some_and(|it| it == "rs");
        for (line, piece) in pieces(&text) {
            let wrong = match piece {
                Piece::Command(command) => wrong_command(workspace, command),
                _ if is_source => None,
                Piece::Link(target) => wrong_link(folder, target),
                Piece::Span(span) => wrong_path(root, folder, span),
            };
            findings.extend(wrong.map(|why| format!("{name}:{line}: {why}")));
        }
    }
    Stop::unless_empty(
        &findings,
        "Correct the document, or bring back what it names.",
    )
}

/// A part of a document that can be checked.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    /// A line of a shell block or a span that runs cargo, without comment and prompt.
    Command(&'a str),
    /// The target of `[text](target)`, unless it leaves the repository.
    Link(&'a str),
    /// Other text between single backticks.
    Span(&'a str),
}

/// The parts of a document, each with the number of its line.
fn pieces(text: &str) -> Vec<(usize, Piece<'_>)> {
    let mut pieces = Vec::new();
    let mut block = None;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if let Some(language) = line.strip_prefix("```") {
            block = block.is_none().then_some(language);
        } else if let Some(language) = block {
            let command = line.split(" #").next().unwrap_or_default().trim();
            let command = command.strip_prefix("$ ").unwrap_or(command);
            let is_shell = matches!(language, "sh" | "bash" | "shell" | "console");
            if is_shell && command.starts_with("cargo ") {
                pieces.push((number, Piece::Command(command)));
            }
        } else {
            for rest in line.split("](").skip(1) {
                let target = rest.split([')', ' ', '#']).next().unwrap_or_default();
                // `crate::Type` is rustdoc's, and rustdoc checks it.
                if !target.is_empty() && !target.contains("::") && !target.contains("://") {
                    pieces.push((number, Piece::Link(target)));
                }
            }
            let spans = line.split('`').skip(1).step_by(2);
            pieces.extend(spans.map(|span| match inline_command(span) {
                Some(command) => (number, Piece::Command(command)),
                None => (number, Piece::Span(span)),
            }));
        }
    }
    pieces
}

/// The span as a command of cargo, unless it is a pattern: it has an ellipsis, or a word in capitals.
fn inline_command(span: &str) -> Option<&str> {
    let is_open = |word: &str| word.contains('…') || word.chars().all(|it| it.is_ascii_uppercase());
    let is_command = span.starts_with("cargo ") && !span.split_whitespace().any(is_open);
    is_command.then_some(span)
}

/// The documentation comments of a source file as a document: the same lines, all others empty.
fn comments(source: &str) -> String {
    let lines = source.lines().map(|line| {
        let comment = line.trim_start().strip_prefix("//");
        let text = comment.and_then(|text| text.strip_prefix(['!', '/']));
        text.unwrap_or_default()
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn wrong_command(workspace: &Workspace, line: &str) -> Option<String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let after = |options: &[&str]| {
        let at = words.iter().position(|word| options.contains(word))?;
        words.get(at + 1).copied()
    };
    match words.as_slice() {
        // The name of all of them.
        ["cargo", "xtask"] => None,
        ["cargo", "xtask", rest @ ..] => {
            let words = ["cargo xtask"].iter().chain(rest);
            // Asking for help is no error of the document.
            let error = Cli::try_parse_from(words).err();
            let error = error.filter(clap::Error::use_stderr)?.to_string();
            let first = error.lines().next().unwrap_or_default();
            Some(format!("`{line}`: {first}"))
        }
        _ => {
            let (example, owner) = (after(&["--example"])?, after(&["-p", "--package"]));
            let is_it = |target: &Target| target.is_example() && target.name == example;
            let is_there = workspace.packages().iter().any(|package| {
                owner.is_none_or(|owner| *package.name == owner)
                    && package.targets.iter().any(is_it)
            });
            (!is_there).then(|| format!("`{line}`: there is no such example."))
        }
    }
}

fn wrong_link(folder: &Path, target: &str) -> Option<String> {
    let is_there = folder.join(target).exists();
    (!is_there).then(|| format!("there is no {target} to link to."))
}

/// A code span that names a source file, or anything in a crate, must be there: seen from the root, or from the document.
fn wrong_path(root: &Path, folder: &Path, span: &str) -> Option<String> {
    let is_source = [".rs", ".wgsl"].iter().any(|end| span.ends_with(end));
    let first = span.split_once('/').map(|(first, _)| root.join(first));
    let is_in_crate = first.is_some_and(|first| first.join("Cargo.toml").is_file());
    let is_path = (is_source || is_in_crate) && !span.contains([' ', '*', '<', '…']);
    if !is_path || root.join(span).exists() || folder.join(span).exists() {
        return None;
    }
    Some(format!("there is no {span}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
See [a](src/a.rs#L3), [b](https://x.y/z), [c](crate::C) and [d](#d).
```sh
# Two commands:
$ cargo xtask demo --seconds 3   # three seconds
cargo xtask check
cd somewhere
```
```rust
cargo xtask nonsense; x[0](y)
```
Run `cargo xtask demo` or `demo`.
";

    #[test]
    fn commands_of_shell_blocks_links_into_the_repository_and_spans_are_found() {
        let expected = [
            (1, Piece::Link("src/a.rs")),
            (4, Piece::Command("cargo xtask demo --seconds 3")),
            (5, Piece::Command("cargo xtask check")),
            (11, Piece::Command("cargo xtask demo")),
            (11, Piece::Span("demo")),
        ];
        assert_eq!(pieces(TEXT), expected);
    }

    #[test]
    fn a_pattern_of_commands_is_no_command() {
        assert_eq!(inline_command("cargo xtask demo"), Some("cargo xtask demo"));
        for open in ["cargo xtask …", "cargo xtask VERB", "src/main.rs"] {
            assert_eq!(inline_command(open), None);
        }
    }

    #[test]
    fn comments_keep_the_numbers_of_their_lines() {
        let source = "//! A.\nfn f() {\n    /// `cargo run`\n}\n// not this\n";
        assert_eq!(comments(source), " A.\n\n `cargo run`\n\n");
        assert_eq!(
            pieces(&comments(source)),
            [(3, Piece::Command("cargo run"))]
        );
    }

    #[test]
    fn a_verb_that_is_not_there_is_found() {
        let workspace = Workspace::load().unwrap();
        let wrong = |line| wrong_command(&workspace, line);
        assert_eq!(wrong("cargo xtask check --only fmt clippy"), None);
        assert_eq!(wrong("cargo xtask bench --help"), None);
        assert_eq!(wrong("cargo xtask demo --anything at all"), None);
        assert_eq!(wrong("cargo build --release"), None);
        assert_eq!(wrong("cargo xtask"), None);
        let why = wrong("cargo xtask fly").unwrap();
        assert!(why.contains("fly"), "{why}");
        assert!(wrong("cargo run -p xtask --example none").is_some());
    }

    #[test]
    fn a_link_or_a_path_to_a_missing_file_is_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(wrong_link(folder, "src/main.rs"), None);
        assert!(wrong_link(folder, "src/none.rs").is_some());
        let wrong = |span| wrong_path(folder.parent().unwrap(), folder, span);
        for right in "xtask/src/main.rs src/main.rs xtask/src a/b x.json *.rs".split(' ') {
            assert_eq!(wrong(right), None);
        }
        for missing in "xtask/src/none.rs none.rs xtask/none tint.wgsl".split(' ') {
            assert_eq!(wrong(missing), Some(format!("there is no {missing}.")));
        }
    }
}
