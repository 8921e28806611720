//! Reads of a Rust file what the checks need: the modules that it declares, and the paths that its code names.

use std::collections::BTreeMap;
use std::str::FromStr;

use proc_macro2::{TokenStream, TokenTree};

/// The words of a path: `a`, `b` and `C` of `a::b::C`.
pub(crate) type Words = Vec<String>;

/// Parts of a `cfg` that only tests meet.
pub(crate) const TESTS: [&str; 2] = ["cfg(test", "cfg(all(test"];

/// One file, or nothing of it if it is no Rust.
#[derive(Debug, Default)]
pub(crate) struct Source {
    /// The modules that have a file of their own.
    pub(crate) children: Vec<String>,
    /// The names that `use` brings in, re-exports among them, with what they stand for.
    pub(crate) imports: BTreeMap<String, Words>,
    /// Every path of two words or more.
    pub(crate) paths: Vec<Words>,
}

impl Source {
    /// Reads `text` without the items whose `cfg` contains one of `skipped`, which are written without spaces.
    pub(crate) fn read(text: &str, skipped: &[&str]) -> Self {
        let mut source = Self::default();
        source.scan(TokenStream::from_str(text).unwrap_or_default(), skipped);
        source
    }

    fn scan(&mut self, tokens: TokenStream, skipped: &[&str]) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let words: Vec<_> = tokens.iter().map(word).collect();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let mut at = 0;
        while at < tokens.len() {
            at += match &words[at..] {
                ["#", cfg, item @ ..] if skipped.iter().any(|part| cfg.contains(part)) => {
                    let is_end = |word: &&str| *word == ";" || word.starts_with('{');
                    3 + item.iter().position(is_end).unwrap_or(item.len())
                }
                ["mod", name, ";", ..] => {
                    self.children.push((*name).to_owned());
                    3
                }
                ["use", ..] => 1 + self.path(&tokens[at + 1..], Words::new(), true),
                [_, ":", ":", ..] if matches!(tokens[at], TokenTree::Ident(_)) => {
                    self.path(&tokens[at..], Words::new(), false)
                }
                _ => {
                    if let TokenTree::Group(group) = &tokens[at] {
                        self.scan(group.stream(), skipped);
                    }
                    1
                }
            };
        }
    }

    /// Takes the path at the beginning of `tokens` with all its branches, behind the words of `path`. Returns how many
    /// tokens it has.
    fn path(&mut self, tokens: &[TokenTree], mut path: Words, is_use: bool) -> usize {
        let mut at = 0;
        let is = |at: usize, sign| tokens.get(at).is_some_and(|token| word(token) == sign);
        while let Some(token) = tokens.get(at) {
            if let TokenTree::Group(group) = token {
                let branches: Vec<_> = group.stream().into_iter().collect();
                let branches = branches.split(|token| word(token) == ",");
                for branch in branches.filter(|branch| !branch.is_empty()) {
                    self.path(branch, path.clone(), is_use);
                }
                return at + 1;
            }
            path.extend((word(token) != "self" || path.is_empty()).then(|| word(token)));
            at += 1;
            if !is(at, ":") || !is(at + 1, ":") {
                break;
            }
            at += 2;
        }
        let alias = tokens.get(at + 1).filter(|_| is(at, "as")).map(word);
        if is_use && let Some(name) = alias.or_else(|| path.last().cloned()) {
            self.imports.insert(name, path.clone());
        }
        self.paths.push(path);
        at
    }
}

/// A token as text; a group without spaces.
fn word(token: &TokenTree) -> String {
    let text = token.to_string();
    match token {
        TokenTree::Group(_) => text.replace(' ', ""),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_with_their_branches_and_without_comments_strings_and_tests() {
        let source = Source::read(
            "mod a; use crate::a::{self, b::{C as D,},};
            // use crate::x;
            fn f(c: super::E) { \"crate::y\"; Vec::<g::H>::new() }
            #[cfg(all(test, not(loom)))] mod tests { use super::*; }",
            &TESTS,
        );
        let paths: Vec<_> = source.paths.iter().map(|path| path.join("::")).collect();
        assert_eq!(
            paths,
            ["crate::a", "crate::a::b::C", "super::E", "Vec::<", "g::H"]
        );
        assert_eq!(source.children, ["a"]);
        assert_eq!(source.imports.keys().collect::<Vec<_>>(), ["D", "a"]);
        assert_eq!(source.imports["D"].join("::"), "crate::a::b::C");
    }
}
