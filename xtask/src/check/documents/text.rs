//! What a document says that can be checked: commands, links and paths, each with the number of its line.

/// A piece of a document and the number of its line.
pub(super) type Piece<'a> = (usize, &'a str);

/// The lines of shell blocks that run cargo, without comments and prompts.
pub(super) fn commands(text: &str) -> Vec<Piece<'_>> {
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
pub(super) fn links(text: &str) -> Vec<Piece<'_>> {
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

/// The commands of cargo that stand in a sentence, as `cargo build -p x`, without those that stand for
/// many: with an ellipsis, or a word in capitals.
pub(super) fn inline_commands(text: &str) -> Vec<Piece<'_>> {
    let is_open = |word: &str| word.contains('…') || word.chars().all(|c| c.is_ascii_uppercase());
    let mut spans = spans(text);
    spans.retain(|(_, span)| span.starts_with("cargo ") && !span.split_whitespace().any(is_open));
    spans
}

/// What stands between single backticks outside of code blocks.
pub(super) fn spans(text: &str) -> Vec<Piece<'_>> {
    let mut spans = Vec::new();
    let mut is_code = false;
    for (number, line) in numbered(text) {
        if line.trim_start().starts_with("```") {
            is_code = !is_code;
        } else if !is_code {
            let inside = line.split('`').enumerate().filter(|(at, _)| at % 2 == 1);
            spans.extend(inside.map(|(_, span)| (number, span)));
        }
    }
    spans
}

/// The documentation comments of a source file as a document: the same lines, all others empty.
pub(super) fn comments(source: &str) -> String {
    let lines = source.lines().map(|line| {
        let line = line.trim_start();
        let comment = line
            .strip_prefix("//!")
            .or_else(|| line.strip_prefix("///"));
        comment.unwrap_or_default().trim_start()
    });
    lines.collect::<Vec<_>>().join("\n")
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
    fn commands_in_a_sentence_are_found_too() {
        let text = "Run `cargo xtask demo`, `cargo xtask …` or `cargo xtask VERB`.\n```sh\n`cargo x`\n```\n";
        assert_eq!(inline_commands(text), [(1, "cargo xtask demo")]);
    }

    #[test]
    fn comments_keep_the_numbers_of_their_lines() {
        let source = "//! A.\nfn f() {\n    /// `cargo run`\n}\n// not this\n";
        assert_eq!(comments(source), "A.\n\n`cargo run`\n\n");
        assert_eq!(inline_commands(&comments(source)), [(3, "cargo run")]);
    }
}
