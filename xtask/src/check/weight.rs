//! What a build must not carry: no renderer and no window where nobody asked for one.

use crate::failure::{Failure, Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

/// What opens a window, and waits for a display.
const WINDOW: [&str; 2] = ["bevy_winit", "winit"];

/// What draws, and takes minutes to compile on two cores.
const RENDERER: [&str; 4] = ["bevy_pbr", "bevy_render", "naga", "wgpu"];

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let mut findings = Vec::new();
    for package in workspace.packages() {
        let default = tree(workspace, &package.name, &[])?;
        for heavy in RENDERER.iter().chain(&WINDOW) {
            findings.extend(finding(&package.name, "by default", &default, heavy));
        }
    }
    for library in workspace.libraries() {
        let all = tree(workspace, &library.name, &["--all-features"])?;
        for window in &WINDOW {
            findings.extend(finding(&library.name, "with all features", &all, window));
        }
    }
    Failure::unless_empty(
        &findings,
        "Put it behind the feature `render`; `cargo tree -i NAME` shows who brings it.",
    )?;
    Ok(Outcome::Done)
}

/// The names of all crates that one crate is compiled with.
fn tree(workspace: &Workspace, package: &str, features: &[&str]) -> Result<String, Failure> {
    let mut command = shell::cargo(workspace);
    command
        .args(["tree", "--locked", "--package", package])
        .args(["--edges", "normal,build", "--prefix", "none"])
        .args(features);
    shell::output(
        &mut command,
        "Run `cargo check` once, and commit Cargo.lock.",
    )
}

fn finding(package: &str, when: &str, tree: &str, heavy: &str) -> Option<String> {
    let mut names = tree.lines().filter_map(|line| line.split(' ').next());
    names
        .any(|name| name == heavy)
        .then(|| format!("{package} compiles {heavy} {when}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str =
        "chunk-demo v0.1.0 (/w/chunk-demo)\nwgpu-types v29.0.0\nwinit v0.30.12 (*)\n";

    #[test]
    fn a_window_in_the_tree_is_found() {
        assert_eq!(
            finding("chunk-demo", "by default", TREE, "winit").as_deref(),
            Some("chunk-demo compiles winit by default.")
        );
    }

    #[test]
    fn a_name_that_only_begins_alike_is_another() {
        assert_eq!(finding("chunk-demo", "by default", TREE, "wgpu"), None);
    }
}
