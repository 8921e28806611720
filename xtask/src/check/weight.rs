//! What a build must not compile: no renderer and no window unless a feature asks for it.

use xshell::cmd;

use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::Workspace;

/// What opens a window, and waits for a display.
const WINDOW: [&str; 2] = ["bevy_winit", "winit"];

/// What draws, and takes minutes to compile on two cores.
const RENDERER: [&str; 4] = ["bevy_pbr", "bevy_render", "naga", "wgpu"];

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let mut findings = Vec::new();
    for package in workspace.packages() {
        let tree = tree(workspace, &package.name, None)?;
        for heavy in RENDERER.iter().chain(&WINDOW) {
            findings.extend(finding(&package.name, "by default", &tree, heavy));
        }
    }
    for library in workspace.libraries() {
        let tree = tree(workspace, &library.name, Some("--all-features"))?;
        for window in &WINDOW {
            findings.extend(finding(&library.name, "with all features", &tree, window));
        }
    }
    Stop::unless_empty(
        &findings,
        "Put it behind the feature `render`; `cargo tree -i NAME` shows which crate depends on it.",
    )
}

/// The names of all crates that one crate is compiled with.
fn tree(workspace: &Workspace, package: &str, features: Option<&str>) -> Verdict<String> {
    let sh = workspace.sh();
    let tree = cmd!(
        sh,
        "cargo tree --locked --package {package} --edges normal,build --prefix none"
    );
    let advice = "Run `cargo check` once, and commit Cargo.lock.";
    tree.args(features).read().advise(advice)
}

fn finding(package: &str, when: &str, tree: &str, heavy: &str) -> Option<String> {
    let mut names = tree.lines().filter_map(|line| line.split(' ').next());
    let is_there = names.any(|name| name == heavy);
    is_there.then(|| format!("{package} compiles {heavy} {when}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_in_the_tree_is_found_and_a_name_that_only_begins_alike_is_another() {
        let tree = "chunk-demo v0.1.0 (/w/chunk-demo)\nwgpu-types v29.0.0\nwinit v0.30.12 (*)\n";
        let found = finding("chunk-demo", "by default", tree, "winit");
        assert_eq!(
            found.as_deref(),
            Some("chunk-demo compiles winit by default.")
        );
        assert_eq!(finding("chunk-demo", "by default", tree, "wgpu"), None);
    }
}
