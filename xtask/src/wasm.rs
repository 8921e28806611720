//! `cargo xtask wasm`: the library crates compile for the web, and chunk-coord without `std`.
//!
//! What compiles may still panic in a browser: the standard library's clocks do. So their names are searched for too, on
//! every machine.

use std::path::Path;

use xshell::cmd;

use crate::source::Source;
use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::{Workspace, files_below, folder};

const WEB: &str = "wasm32-unknown-unknown";
/// A target that has no `std` at all.
const BARE: &str = "thumbv7em-none-eabihf";

pub(crate) fn run(workspace: &Workspace) -> Verdict {
    standard_clocks(workspace)?;
    let bare = ["--package=chunk-coord", "--no-default-features"].map(str::to_owned);
    let mut missing = Vec::new();
    let web = "Find what the web does not have (threads, files, the system clock) and leave it out for wasm32.";
    let no_std = "Take what names `std` out of chunk-coord, or put it behind its `std` feature.";
    let mut libraries = workspace.library_packages();
    // What saves values is for the web too, though a browser has no file for them.
    libraries.push("--features=chunk-apply/postcard".to_owned());
    for (target, args, advice) in [(WEB, libraries, web), (BARE, bare.into(), no_std)] {
        if has_target(workspace, target) {
            let check = cmd!(workspace.sh(), "cargo check --lib --target {target}");
            check.args(args).run().advise(advice)?;
        } else {
            missing.push(target);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join(" ");
    Err(Stop::Skipped(format!(
        "not installed: {missing}; `rustup target add {missing}` installs what is missing."
    )))
}

/// Whether the toolchain in use has this target. The compiler knows it with and without rustup.
fn has_target(workspace: &Workspace, target: &str) -> bool {
    let folder = cmd!(
        workspace.sh(),
        "rustc --print target-libdir --target {target}"
    );
    let folder = folder.ignore_stderr().read();
    folder.is_ok_and(|folder| Path::new(&folder).is_dir())
}

/// Parts of a `cfg` that a browser does not meet.
const ELSEWHERE: [&str; 2] = ["cfg(loom)", "not(target_arch=\"wasm32\")"];

/// Fails where a library crate reads a clock that panics in a browser.
pub(crate) fn standard_clocks(workspace: &Workspace) -> Verdict {
    let mut findings = Vec::new();
    for library in workspace.libraries() {
        for (file, text) in files_below(&folder(library).join("src"), "rs") {
            if let Some(clock) = clock(&text) {
                findings.push(format!("{} uses {clock}.", workspace.short(&file)));
            }
        }
    }
    let advice =
        "The standard library's clocks panic in a browser; take `bevy_platform::time::Instant`.";
    Stop::unless_empty(&findings, advice)
}

/// A clock of the standard library that `text` uses where a browser meets it.
fn clock(text: &str) -> Option<String> {
    let source = Source::read(text, &ELSEWHERE);
    let mut paths = source.paths.iter();
    let is_clock = |word: &String| word == "Instant" || word == "SystemTime";
    let path = paths.find(|path| path[0] == "std" && path.iter().any(is_clock))?;
    Some(path.join("::"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_clock_is_found_however_it_is_imported() {
        let clock = |text| clock(text).unwrap();
        assert_eq!(
            clock("use std::time::{Duration, Instant};"),
            "std::time::Instant"
        );
        let nested = "use std::{\n    sync::Arc,\n    time::Instant,\n};\n";
        assert_eq!(clock(nested), "std::time::Instant");
        let call = "fn f() { let now = std::time::SystemTime::now(); }";
        assert_eq!(clock(call), "std::time::SystemTime::now");
    }

    #[test]
    fn clocks_of_others_and_for_other_targets_are_fine() {
        let text = "\
/// `std::time::Instant` panics in a browser.
use std::time::Duration;
use bevy_platform::time::Instant;
#[cfg(loom)]
use std::time::Instant;
#[cfg(all(feature = \"std\", not(target_arch = \"wasm32\")))]
use std::time::Instant;
";
        assert_eq!(clock(text), None);
    }
}
