//! `cargo xtask wasm`: the library crates compile for the web, and chunk-coord without `std`.
//!
//! What compiles may still panic in a browser: the standard library's clocks do. So their names are searched for too, on
//! every machine.

use std::path::Path;

use xshell::cmd;

use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::{Workspace, files_below, folder};

const WEB: &str = "wasm32-unknown-unknown";
/// A target that has no `std` at all.
const BARE: &str = "thumbv7em-none-eabihf";

pub(crate) fn run(workspace: &Workspace) -> Verdict {
    standard_clocks(workspace)?;
    let bare = ["--package=chunk-coord", "--no-default-features"].map(str::to_owned);
    let mut missing = Vec::new();
    for (target, args, advice) in [
        (
            WEB,
            workspace.library_packages(),
            "Find what the web does not have (threads, files, the system clock) and leave it out for wasm32.",
        ),
        (
            BARE,
            bare.into(),
            "Take what names `std` out of chunk-coord, or put it behind its `std` feature.",
        ),
    ] {
        if has_target(workspace, target) {
            cmd!(
                workspace.sh(),
                "cargo check --lib --target {target} {args...}"
            )
            .run()
            .advise(advice)?;
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

/// Fails where a library crate reads a clock that panics in a browser.
pub(crate) fn standard_clocks(workspace: &Workspace) -> Verdict {
    let mut findings = Vec::new();
    for library in workspace.libraries() {
        for (file, text) in files_below(&folder(library).join("src"), "rs") {
            let name = workspace.short(&file);
            let lines = clocks(&text).into_iter();
            findings.extend(lines.map(|line| {
                format!("{name}:{line}: the standard library's clocks panic in a browser.")
            }));
        }
    }
    Stop::unless_empty(&findings, "Take `bevy_platform::time::Instant`.")
}

/// The lines of `text` that bring in a clock of the standard library for more than a model checker or for targets that
/// are not the web.
fn clocks(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut is_elsewhere = false;
    for (line, item) in items(text) {
        let has_clock = ["Instant", "SystemTime"].iter().any(|it| item.contains(it));
        if item.contains("std::") && has_clock && !is_elsewhere {
            found.push(line);
        }
        is_elsewhere = item.starts_with("#[cfg(")
            && (item.contains("cfg(loom)") || item.contains("not(target_arch = \"wasm32\")"));
    }
    found
}

/// Lines with the number of the first, where a `use` that goes over several lines is one.
fn items(text: &str) -> Vec<(usize, String)> {
    let mut items: Vec<(usize, String)> = Vec::new();
    let mut is_open = false;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.starts_with("//") {
            continue;
        }
        match items.last_mut() {
            Some((_, item)) if is_open => item.push_str(line),
            _ => items.push((number, line.to_owned())),
        }
        let is_use = line.starts_with("use ") || line.starts_with("pub(crate) use ");
        is_open = (is_open || is_use) && !line.ends_with(';');
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_clock_is_found_however_it_is_imported() {
        assert_eq!(clocks("use std::time::{Duration, Instant};"), [1]);
        assert_eq!(
            clocks("\nuse std::{\n    sync::Arc,\n    time::Instant,\n};\n"),
            [2]
        );
        assert_eq!(clocks("let now = std::time::SystemTime::now();"), [1]);
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
        assert_eq!(clocks(text), [0; 0]);
    }
}
