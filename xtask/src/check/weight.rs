//! What a build must not compile: no renderer and no window unless a feature asks for it.

use xshell::cmd;

use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::{Workspace, is_library};

/// What opens a window, and waits for a display.
const WINDOW: &[&str] = &["bevy_winit", "winit"];

/// What draws, and takes minutes to compile on two cores.
const RENDERER: &[&str] = &["bevy_pbr", "bevy_render", "naga", "wgpu"];

pub(super) fn run(workspace: &Workspace) -> Verdict {
    let mut findings = Vec::new();
    for package in workspace.packages() {
        let name = package.name.as_str();
        let default = tree(workspace, name, None)?;
        let heavy = [RENDERER, WINDOW].concat();
        findings.extend(found(name, "by default", &default, &heavy));
        if is_library(package) {
            let all = tree(workspace, name, Some("--all-features"))?;
            findings.extend(found(name, "with all features", &all, WINDOW));
        }
    }
    let advice =
        "Put it behind the feature `render`; `cargo tree -i NAME` shows which crate depends on it.";
    Stop::unless_empty(&findings, advice)
}

/// The names of all crates that one crate is compiled with.
fn tree(workspace: &Workspace, package: &str, features: Option<&str>) -> Verdict<String> {
    let tree = cmd!(workspace.sh(), "cargo tree --locked --package {package}");
    let tree = tree.args(["--edges", "normal,build", "--prefix", "none"]);
    let advice = "Run `cargo check` once, and commit Cargo.lock.";
    tree.args(features).read().advise(advice)
}

fn found(package: &str, when: &str, tree: &str, heavy: &[&str]) -> Vec<String> {
    let names: Vec<_> = tree.lines().map(|line| line.split(' ').next()).collect();
    let found = heavy.iter().filter(|name| names.contains(&Some(**name)));
    let sentence = |name| format!("{package} compiles {name} {when}.");
    found.map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_in_the_tree_is_found_and_a_name_that_only_begins_alike_is_another() {
        let tree = "chunk-demo v0.1.0 (/w/chunk-demo)\nwgpu-types v29.0.0\nwinit v0.30.12 (*)\n";
        let found = found("chunk-demo", "by default", tree, &["winit", "wgpu"]);
        assert_eq!(found, ["chunk-demo compiles winit by default."]);
    }
}
