//! No circle of files: where file A uses what file B defines and B what A defines, neither can be read, moved or changed
//! without the other.
//!
//! `cargo modules dependencies --acyclic` does not see this: it looks for circles of items, and takes a child that uses
//! its parent's sibling for one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::verdict::{Stop, Verdict};
use crate::workspace::Workspace;

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let mut findings = Vec::new();
    for package in workspace.packages() {
        for target in package
            .targets
            .iter()
            .filter(|it| it.is_lib() || it.is_bin())
        {
            let root = target.src_path.as_std_path();
            let modules = Modules::read(root, |file| fs::read_to_string(file).ok());
            for circle in circles(&modules.uses()) {
                findings.push(sentence(
                    &circle,
                    root.parent().unwrap_or(root),
                    &package.name,
                ));
            }
        }
    }
    Stop::unless_empty(
        &findings,
        "Move what both files need into a third one, or pass it as an argument; a `mod.rs` that its children use only \
         declares and re-exports.",
    )
}

/// For each file the other files that it uses, each with one of the names that it uses.
type Uses<'a> = BTreeMap<&'a Path, BTreeMap<&'a Path, String>>;

/// A file of a circle with the name that it uses of the next one.
type Step<'a> = (&'a Path, &'a str);

fn sentence(circle: &[Step<'_>], folder: &Path, package: &str) -> String {
    let short = |file: &Path| {
        file.strip_prefix(folder)
            .unwrap_or(file)
            .display()
            .to_string()
    };
    let steps = circle
        .iter()
        .map(|(file, name)| format!("{} uses {name} of ", short(file)));
    format!(
        "{package}: {}{}.",
        steps.collect::<String>(),
        short(circle[0].0)
    )
}

/// Circles that have no file in common, each the shortest one of its first file.
fn circles<'a>(uses: &'a Uses<'_>) -> Vec<Vec<Step<'a>>> {
    let mut circles: Vec<Vec<Step<'a>>> = Vec::new();
    for start in uses.keys() {
        if !circles.iter().flatten().any(|(file, _)| file == start) {
            circles.extend(circle(uses, start));
        }
    }
    circles
}

/// The shortest way along `uses` from `start` back to it.
fn circle<'a>(uses: &'a Uses<'_>, start: &'a Path) -> Option<Vec<Step<'a>>> {
    let mut seen = BTreeSet::new();
    let mut ways = VecDeque::from([(start, Vec::new())]);
    while let Some((file, way)) = ways.pop_front() {
        for (next, name) in uses.get(file).into_iter().flatten() {
            let mut way = way.clone();
            way.push((file, name.as_str()));
            if *next == start {
                return Some(way);
            }
            if seen.insert(*next) {
                ways.push_back((*next, way));
            }
        }
    }
    None
}

/// The words of `a::b::C`.
type Words = Vec<String>;

/// The modules of a crate by their paths, without those for tests.
#[derive(Debug, Default)]
struct Modules(BTreeMap<Words, Module>);

#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    /// The names that `use` brings in, with what they stand for.
    imports: BTreeMap<String, Words>,
    /// Every path in the code.
    paths: Vec<Words>,
}

impl Modules {
    /// Reads a crate from its root file on.
    fn read(root: &Path, text: impl Fn(&Path) -> Option<String>) -> Self {
        let mut modules = Self::default();
        let mut files = vec![(Words::new(), root.to_owned())];
        while let Some((path, file)) = files.pop() {
            let tokens = text(&file).and_then(|text| TokenStream::from_str(&text).ok());
            let mut words = Words::new();
            flatten(tokens.unwrap_or_default(), &mut words);
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            let is_folder = file == root || file.ends_with("mod.rs");
            let folder = if is_folder {
                file.with_file_name("")
            } else {
                file.with_extension("")
            };
            for child in modules.add(path, &file, &words) {
                let name = &child[child.len() - 1];
                let candidates = [
                    folder.join(format!("{name}.rs")),
                    folder.join(name).join("mod.rs"),
                ];
                let found = candidates.into_iter().find(|file| text(file).is_some());
                files.extend(found.map(|file| (child, file)));
            }
        }
        modules
    }

    /// Adds a module and those inside of it; returns the paths of those that have a file of their own.
    fn add(&mut self, path: Words, file: &Path, words: &[&str]) -> Vec<Words> {
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        let (mut children, mut at) = (Vec::new(), 0);
        let child = |name: &str| [path.as_slice(), &[name.to_owned()]].concat();
        while at < words.len() {
            at = match &words[at..] {
                ["#", "[", "cfg", "(", "test", ..]
                | ["#", "[", "cfg", "(", "all", "(", "test", ..] => item_end(words, at),
                ["mod", name, ";", ..] => {
                    children.push(child(name));
                    at + 3
                }
                ["mod", name, "{", ..] => {
                    let end = item_end(words, at);
                    children.extend(self.add(child(name), file, &words[at + 3..end - 1]));
                    end
                }
                ["use", ..] => module.take(words, at + 1, Words::new(), true),
                [_, "::", ..] if at == 0 || !matches!(words[at - 1], "::" | ".") => {
                    module.take(words, at, Words::new(), false)
                }
                _ => at + 1,
            };
        }
        self.0.insert(path, module);
        children
    }

    fn uses(&self) -> Uses<'_> {
        let mut uses = Uses::new();
        for (at, module) in &self.0 {
            for path in &module.paths {
                if let Some((file, name)) = self.resolve(at, path, 16)
                    && file != module.file
                {
                    uses.entry(&module.file)
                        .or_default()
                        .entry(file)
                        .or_insert(name);
                }
            }
        }
        uses
    }

    /// The file that defines what `path` means in the module `from`, and its name there. Nothing if that is a module, or
    /// of another crate. Follows so many imports at most.
    fn resolve(&self, from: &[String], path: &[String], imports: usize) -> Option<(&Path, String)> {
        let mut at = from.to_vec();
        for (index, word) in path.iter().enumerate() {
            let module = self.0.get(&at)?;
            match word.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                word => {
                    at.push(word.to_owned());
                    if self.0.contains_key(&at) {
                        continue;
                    }
                    at.pop();
                    if let Some(import) = module.imports.get(word) {
                        let path = [import, &path[index + 1..]].concat();
                        return self.resolve(&at, &path, imports.checked_sub(1)?);
                    }
                    return (index > 0).then(|| (module.file.as_path(), word.to_owned()));
                }
            }
        }
        None
    }
}

impl Module {
    /// Takes the rest of a path at `at`, with all its branches; returns where it ends.
    fn take(&mut self, words: &[&str], mut at: usize, mut path: Words, is_use: bool) -> usize {
        while let Some(word) = words.get(at) {
            at += 1;
            match *word {
                "::" => continue,
                "{" => {
                    while words.get(at).is_some_and(|word| *word != "}") {
                        at = match words[at] {
                            "," => at + 1,
                            _ => self.take(words, at, path.clone(), is_use),
                        };
                    }
                    return at + 1;
                }
                word => path.push(word.to_owned()),
            }
            if words.get(at) != Some(&"::") {
                break;
            }
        }
        if path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if is_use && let Some(["as", other]) = words.get(at..at + 2) {
            name = (*other).to_owned();
            at += 2;
        }
        if is_use && name != "*" {
            self.imports.insert(name, path.clone());
        }
        self.paths.push(path);
        at
    }
}

/// Where the item at `at` ends: behind its `;` or its block.
fn item_end(words: &[&str], at: usize) -> usize {
    let mut depth = 0;
    for (index, word) in words.iter().enumerate().skip(at) {
        match *word {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return index;
        }
        if depth == 0 && matches!(*word, ";" | "}") {
            return index + 1;
        }
    }
    words.len()
}

/// Words and signs, with `::` as one sign and every bracket as one.
fn flatten(tokens: TokenStream, words: &mut Words) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                words.push(open.to_owned());
                flatten(group.stream(), words);
                words.push(close.to_owned());
            }
            TokenTree::Punct(sign) if sign.as_char() == ':' => match sign.spacing() {
                Spacing::Joint => words.push("::".to_owned()),
                Spacing::Alone if words.last().is_some_and(|last| last == "::") => {}
                Spacing::Alone => words.push(":".to_owned()),
            },
            token => words.push(token.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of a crate with these files, whose root is `lib.rs`.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files: BTreeMap<_, _> = files.iter().copied().collect();
        let text = |file: &Path| files.get(file.to_str()?).map(|text| (*text).to_owned());
        let modules = Modules::read(Path::new("lib.rs"), text);
        let uses = modules.uses();
        let circles = circles(&uses).into_iter();
        circles
            .map(|circle| sentence(&circle, Path::new(""), "x"))
            .collect()
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        let a = ("a.rs", "use crate::b::{self, B};\nstruct A;");
        let b = ("b.rs", "struct B(super::a::A);");
        let expected = "x: a.rs uses B of b.rs uses A of a.rs.";
        assert_eq!(found(&[("lib.rs", "mod a; mod b;"), a, b]), [expected]);
    }

    #[test]
    fn files_that_use_each_other_in_one_direction_or_only_in_tests_are_none() {
        let lib = ("lib.rs", "mod a; mod b; mod tests_of_a; pub use a::A;");
        let a = "use crate::b::B; struct A(std::fs::File);\n#[cfg(all(test, not(loom)))] mod tests { use super::*; }";
        let b = "// use crate::a::A;\nstruct B;\n#[cfg(test)]\nuse crate::a::A;\nfn f() { \"crate::a::A\"; }";
        assert_eq!(found(&[lib, ("a.rs", a), ("b.rs", b)]), [""; 0]);
    }

    #[test]
    fn a_name_is_followed_to_the_file_that_defines_it() {
        let lib = (
            "lib.rs",
            "mod a; mod b; pub use b::{B as C, shared}; mod d { pub use crate::C; }",
        );
        let shared = ("b/shared.rs", "pub fn f() { crate::a::A; }");
        let b = ("b/mod.rs", "pub mod shared; pub struct B;");
        let a = (
            "a.rs",
            "use crate::shared; use crate::d::C; struct A(C); fn f() { shared::f() }",
        );
        let expected = "x: a.rs uses f of b/shared.rs uses A of a.rs.";
        assert_eq!(found(&[lib, a, b, shared]), [expected]);
    }

    #[test]
    fn a_parent_that_its_children_use_may_only_declare_and_re_export() {
        let one = ("one/mod.rs", "mod a; mod b; pub use a::A; pub use b::B;");
        let two = (
            "one/mod.rs",
            "mod a; mod b; pub use a::A; pub use b::B; pub struct Both(A, B);",
        );
        let (a, b) = (
            ("one/a.rs", "use super::Both; struct A;"),
            ("one/b.rs", "use super::A; struct B;"),
        );
        let lib = ("lib.rs", "mod one;");
        assert_eq!(found(&[lib, one, ("one/a.rs", "struct A;"), b]), [""; 0]);
        let expected = "x: one/a.rs uses Both of one/mod.rs uses A of one/a.rs.";
        assert_eq!(found(&[lib, two, a, b]), [expected]);
    }
}
