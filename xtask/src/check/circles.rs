//! No circle of files: where one file uses what another defines and the other way round, neither can be read, moved or
//! changed without the other.
//!
//! `cargo modules dependencies --acyclic` does not see this: it looks for circles of items.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use crate::source::{Source, TESTS, Words};
use crate::verdict::{Stop, Verdict};
use crate::workspace::Workspace;

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let mut findings = Vec::new();
    for package in workspace.packages() {
        let targets = package.targets.iter();
        for target in targets.filter(|target| target.is_lib() || target.is_bin()) {
            let text = |file: &Path| std::fs::read_to_string(file).ok();
            let modules = Modules::read(target.src_path.as_std_path(), text);
            let uses = modules.uses();
            for circle in circles(&uses) {
                findings.push(sentence(&circle, |file| workspace.short(file).to_string()));
            }
        }
    }
    Stop::unless_empty(
        &findings,
        "Move what both files need into a third one, or pass it as an argument. A `mod.rs` whose children use it only \
         declares and re-exports.",
    )
}

/// For each file the other files that it uses, each with one of the names that it uses.
type Uses<'a> = BTreeMap<&'a Path, BTreeMap<&'a Path, String>>;

/// Files, each with the name that it uses of the next one, and the last one of the first.
type Circle<'a> = Vec<(&'a Path, &'a str)>;

fn sentence(circle: &Circle<'_>, short: impl Fn(&Path) -> String) -> String {
    let mut text = String::new();
    for (file, name) in circle {
        text += &format!("{} uses {name} of ", short(file));
    }
    format!("{text}{}.", short(circle[0].0))
}

/// For each file in a circle the shortest one, unless another one that is found has that file.
fn circles<'a>(uses: &'a Uses<'_>) -> Vec<Circle<'a>> {
    let mut circles: Vec<Circle<'a>> = Vec::new();
    for start in uses.keys() {
        if !circles.iter().flatten().any(|(file, _)| file == start) {
            circles.extend(circle(uses, start));
        }
    }
    circles
}

/// The shortest way along `uses` from `start` back to it.
fn circle<'a>(uses: &'a Uses<'_>, start: &'a Path) -> Option<Circle<'a>> {
    let mut seen = BTreeSet::new();
    let mut ways = VecDeque::from([(start, Circle::new())]);
    while let Some((file, way)) = ways.pop_front() {
        for (next, name) in uses.get(file).into_iter().flatten() {
            let way = [way.as_slice(), &[(file, name)]].concat();
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

/// The modules of a crate by their paths, each with its file; without those for tests.
struct Modules(BTreeMap<Words, (PathBuf, Source)>);

impl Modules {
    /// Reads a crate from its root file on.
    fn read(root: &Path, text: impl Fn(&Path) -> Option<String>) -> Self {
        let mut modules = BTreeMap::new();
        let mut files = vec![(Words::new(), root.to_owned())];
        while let Some((path, file)) = files.pop() {
            let Some(text) = text(&file) else { continue };
            let source = Source::read(&text, &TESTS);
            let folder = match file == root || file.ends_with("mod.rs") {
                true => file.with_file_name(""),
                false => file.with_extension(""),
            };
            for child in &source.children {
                let path = [path.as_slice(), std::slice::from_ref(child)].concat();
                // One of the two is there.
                files.push((path.clone(), folder.join(format!("{child}.rs"))));
                files.push((path, folder.join(child).join("mod.rs")));
            }
            modules.insert(path, (file, source));
        }
        Self(modules)
    }

    fn uses(&self) -> Uses<'_> {
        let mut uses = Uses::new();
        for (at, (file, source)) in &self.0 {
            for path in &source.paths {
                if let Some((other, name)) = self.resolve(at, path, 16)
                    && other != file
                {
                    let others = uses.entry(file).or_default();
                    others.entry(other).or_insert(name);
                }
            }
        }
        uses
    }

    /// The file that defines what `path` means in the module `from`, and its name there. Nothing if that is a module, or
    /// part of another crate. Follows so many imports at most.
    fn resolve(&self, from: &[String], path: &[String], imports: usize) -> Option<(&Path, String)> {
        let mut at = from.to_vec();
        for (index, word) in path.iter().enumerate() {
            let (file, source) = self.0.get(&at)?;
            at.push(word.clone());
            if self.0.contains_key(&at) {
                continue;
            }
            at.pop();
            match word.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                word => {
                    let Some(import) = source.imports.get(word) else {
                        return (index > 0).then(|| (file.as_path(), word.to_owned()));
                    };
                    let path = [import, &path[index + 1..]].concat();
                    return self.resolve(&at, &path, imports.checked_sub(1)?);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The circles of a crate with these files, whose root is `lib.rs`.
    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let text = |file: &Path| {
            let found = files.iter().find(|(name, _)| Path::new(name) == file);
            found.map(|(_, text)| (*text).to_owned())
        };
        let modules = Modules::read(Path::new("lib.rs"), text);
        let short = |file: &Path| file.display().to_string();
        let uses = modules.uses();
        let circles = circles(&uses).into_iter();
        circles.map(|circle| sentence(&circle, short)).collect()
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        let a = ("a.rs", "use crate::b::{self, B};\nstruct A;");
        let b = ("b.rs", "struct B(super::a::A);");
        let expected = "a.rs uses B of b.rs uses A of a.rs.";
        assert_eq!(found(&[("lib.rs", "mod a; mod b;"), a, b]), [expected]);
    }

    #[test]
    fn files_that_use_each_other_in_one_direction_or_only_in_tests_are_none() {
        let a = "use crate::b::B; struct A(std::fs::File);";
        let b = "struct B;\n#[cfg(test)]\nmod tests { use crate::a::A; }";
        let lib = ("lib.rs", "mod a; mod b; mod rest; pub use a::A;");
        assert_eq!(found(&[lib, ("a.rs", a), ("b.rs", b)]), [""; 0]);
    }

    #[test]
    fn a_name_is_followed_to_the_file_that_defines_it() {
        let lib = ("lib.rs", "mod a; mod b; pub use b::{B as C, shared};");
        let a = (
            "a.rs",
            "use crate::shared; use crate::C; struct A(C); fn f() { shared::f() }",
        );
        let b = ("b/mod.rs", "pub mod shared; pub struct B;");
        let shared = ("b/shared.rs", "pub fn f() { crate::a::A; }");
        let expected = "a.rs uses f of b/shared.rs uses A of a.rs.";
        assert_eq!(found(&[lib, a, b, shared]), [expected]);
    }

    #[test]
    fn a_parent_that_its_children_use_may_only_declare_and_re_export() {
        let lib = ("lib.rs", "mod one;");
        let (a, b) = (
            ("one/a.rs", "use super::Two;"),
            ("one/b.rs", "use super::A; struct B;"),
        );
        let good = ("one/mod.rs", "mod a; mod b; pub use a::A; pub use b::B;");
        assert_eq!(found(&[lib, good, ("one/a.rs", "struct A;"), b]), [""; 0]);
        let bad = (
            "one/mod.rs",
            "mod a; mod b; pub use a::A; pub use b::B; pub struct Two(A, B);",
        );
        let circles = found(&[lib, bad, a, b]);
        assert_eq!(
            circles[0],
            "one/a.rs uses Two of one/mod.rs uses A of one/a.rs."
        );
    }
}
