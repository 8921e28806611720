//! `cargo xtask bevy 0.20`: the library crates for another line of Bevy, from the same sources.
//!
//! The main line is what this workspace says it is. Another line is derived from it into the target folder, file by file, and
//! built, tested and packaged there. Everything in which the two differ is in this file.

use std::path::Path;
use std::str::FromStr;

use cargo_metadata::semver::Version;
use regex::Regex;
use xshell::{Shell, cmd};

use crate::shell::answers;
use crate::verdict::{Advise, Verdict};
use crate::workspace::{Workspace, light_features};

/// Another line of Bevy, and what its sources and manifests have in place of the main line's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    bevy: &'static str,
    /// The oldest Rust that this Bevy promises to support.
    rust: &'static str,
    /// The version of the library crates.
    version: &'static str,
    /// What is written otherwise in `.rs` files: a regular expression, and what replaces it.
    sources: &'static [(&'static str, &'static str)],
}

const MAIN: Line = Line {
    bevy: "0.19",
    rust: "1.95",
    version: "0.1.0",
    sources: &[],
};

const OTHERS: [Line; 1] = [Line {
    bevy: "0.20",
    rust: "1.97.1",
    version: "0.2.0",
    sources: &[
        // The components that an observer watches are a parameter of the event.
        (
            r"\bOn<(Add|Insert|Discard|Remove|Despawn), (\w+(?:<\w+>)?)>",
            "On<$1<$2>>",
        ),
        // These are in tests alone.
        (r"\.compute_aabb\(\)", ".get_aabb()"),
        (r"value\.to_dynamic\(\)", "value.to_dynamic().unwrap()"),
    ],
}];

impl FromStr for Line {
    type Err = String;

    fn from_str(bevy: &str) -> Result<Self, String> {
        let line = OTHERS.into_iter().find(|line| line.bevy == bevy);
        line.ok_or_else(|| {
            let others = OTHERS.map(|line| line.bevy).join(", ");
            format!(
                "the main line is {}, and the others are: {others}",
                MAIN.bevy
            )
        })
    }
}

const ADVICE: &str = "A source no longer fits both lines of Bevy. Write it so that it fits both; where that is not \
                      possible, add the difference to `OTHERS` in xtask/src/bevy.rs. The derived sources are in the \
                      target folder: the next run writes them anew.";

pub(crate) fn run(workspace: &Workspace, line: Line) -> Verdict {
    let root = workspace
        .target_folder()
        .join(format!("bevy-{}", line.bevy));
    derive(workspace, line, &root)?;
    let sh = workspace.sh().clone();
    sh.change_dir(&root);
    let (target, features) = (root.join("target"), light_features(&workspace.libraries()));
    let ignored = ignored_rust_version(&sh, line)?;
    let cargo = |words: &str| {
        let words = words.split(' ');
        let command = cmd!(sh, "cargo {words...} --workspace --target-dir {target}");
        command.args(ignored).arg(&features).run().advise(ADVICE)
    };
    match answers(cmd!(sh, "cargo nextest --version")) {
        true => cargo("nextest run --no-fail-fast")?,
        false => cargo("test --no-fail-fast --lib --tests")?,
    }
    cargo("test --doc")?;
    let package = cmd!(
        sh,
        "cargo package --workspace --no-verify --allow-dirty --target-dir {target}"
    );
    package.run().advise("Complete the crate's Cargo.toml.")
}

/// Writes the library crates for `line`, and a workspace of them, into `root`.
fn derive(workspace: &Workspace, line: Line, root: &Path) -> Verdict {
    let sh = workspace.sh();
    let libraries = workspace.libraries();
    let names: Vec<_> = libraries.iter().map(|it| it.name.to_string()).collect();
    let files = cmd!(sh, "git ls-files --cached --others --exclude-standard");
    // The benches share the last folder with xtask.
    let files = files.args(&names).arg("xtask/shared").quiet().read();
    let files = files.advise("Run this in a clone of the repository.")?;
    let write = |file: &str, text: String| {
        let written = sh.write_file(root.join(file), text);
        written.advise("Make the target folder writable.")
    };
    for name in &names {
        let removed = sh.remove_path(root.join(name));
        removed.advise("Make the target folder writable.")?;
    }
    for file in files.lines() {
        // A file that is listed and was removed has no text.
        let Ok(text) = sh.read_file(file) else {
            continue;
        };
        let extension = Path::new(file).extension().and_then(|it| it.to_str());
        write(
            file,
            match extension {
                Some("rs") => source(line, text),
                Some("toml") => manifest(line, &text),
                _ => text,
            },
        )?;
    }
    let root_manifest = sh.read_file("Cargo.toml").advise("Bring it back.")?;
    let root_manifest = with_members(&manifest(line, &root_manifest), &names);
    write("Cargo.toml", root_manifest)?;
    let (version, bevy, root) = (line.version, line.bevy, root.display());
    eprintln!("derived version {version} for Bevy {bevy}: {root}");
    Ok(())
}

/// A source file of `line`.
fn source(line: Line, mut text: String) -> String {
    for (main, other) in line.sources {
        let main = Regex::new(main).expect("a test compiles each of them");
        text = main.replace_all(&text, *other).into_owned();
    }
    text
}

/// A manifest of `line`.
fn manifest(line: Line, text: &str) -> String {
    let rust = |rust| format!("rust-version = \"{rust}\"");
    text.replace(&quoted(MAIN.bevy), &quoted(line.bevy))
        .replace(&quoted(MAIN.version), &quoted(line.version))
        .replace(&rust(MAIN.rust), &rust(line.rust))
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// The manifest of a workspace of these crates alone. Its profiles name crates that only others use, so they are left out.
fn with_members(manifest: &str, members: &[String]) -> String {
    let kept = manifest.split("\n[profile.").next().unwrap_or_default();
    let lines = kept.lines().map(|line| match line {
        line if line.starts_with("members = ") => format!("members = {members:?}\n"),
        line if line.starts_with("exclude = ") => String::new(),
        line => format!("{line}\n"),
    });
    lines.collect()
}

/// The argument with which an older Rust compiles crates that promise to support newer ones alone.
fn ignored_rust_version(sh: &Shell, line: Line) -> Verdict<Option<&'static str>> {
    let advice = "Install Rust from https://rustup.rs.";
    let said = cmd!(sh, "cargo --version").quiet().read().advise(advice)?;
    let running = said.split(' ').nth(1).unwrap_or_default();
    let running = Version::parse(running).advise(advice)?;
    let oldest = Version::parse(line.rust).expect("a test parses it");
    if running >= oldest {
        return Ok(None);
    }
    eprintln!(
        "Bevy {} promises to support Rust {oldest} and newer; this is {running}, so that promise is ignored",
        line.bevy
    );
    Ok(Some("--ignore-rust-version"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        "0.20".parse().unwrap()
    }

    #[test]
    fn a_line_that_is_not_kept_is_refused_with_those_that_are() {
        let error = "0.18".parse::<Line>().unwrap_err();
        assert_eq!(error, "the main line is 0.19, and the others are: 0.20");
    }

    #[test]
    fn an_event_takes_the_components_of_its_observer() {
        let main =
            "fn a(_: On<Add, Name>) {} fn b(_: On<Remove, Root<T>>) {} fn c(_: On<Loaded<T>>) {}";
        let other =
            "fn a(_: On<Add<Name>>) {} fn b(_: On<Remove<Root<T>>>) {} fn c(_: On<Loaded<T>>) {}";
        assert_eq!(source(line(), main.to_owned()), other);
    }

    #[test]
    fn a_manifest_names_the_other_versions_and_crates() {
        let main = "[workspace]\nmembers = [\"a\", \"demo\"]\nexclude = [\"demo/peers\"]\nversion = \"0.1.0\"\n\
                    rust-version = \"1.95\"\nbevy_app = { version = \"0.19\" }\n\n[profile.dev]\nopt-level = 1\n";
        let other = with_members(&manifest(line(), main), &["a".to_owned()]);
        let expected = "[workspace]\nmembers = [\"a\"]\nversion = \"0.2.0\"\nrust-version = \"1.97.1\"\n\
                        bevy_app = { version = \"0.20\" }\n";
        assert_eq!(other, expected);
    }

    #[test]
    fn the_main_line_is_the_one_in_the_manifest() {
        let manifest = include_str!("../../Cargo.toml");
        assert!(manifest.contains(&format!("rust-version = \"{}\"", MAIN.rust)));
        assert!(manifest.contains(&format!("\nversion = \"{}\"", MAIN.version)));
        assert!(manifest.contains(&format!("bevy_ecs = {{ version = \"{}\"", MAIN.bevy)));
        for line in OTHERS {
            assert!(Version::parse(line.rust).is_ok());
        }
    }
}
