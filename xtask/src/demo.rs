//! `cargo xtask demo`, `stress`, `profile` and `bake`: builds chunk-demo in release and becomes it.

use std::ffi::OsString;
use std::process::Command;

use xshell::cmd;

use crate::shell::program;
use crate::verdict::{Advise, Verdict};
use crate::workspace::Workspace;

/// The options and the subcommand that need more than the plain demo, which should not take longer to build for them.
const NEEDS: [(&str, &str); 10] = [
    ("bake", "shared-store"),
    ("--store", "shared-store"),
    ("--save", "saves"),
    ("--only=crash", "saves"),
    ("--render", "render"),
    ("--window", "render"),
    ("--flamegraph", "flamegraph"),
    ("--metrics-addr", "metrics"),
    ("--world=voxels", "voxels"),
    ("--world=terrain", "terrain"),
];

/// Builds the demo, then hands over to it in the caller's folder, so that relative paths mean what the caller thinks
/// they mean, Ctrl-C reaches it, and its exit status is the verb's.
pub(crate) fn run(workspace: &Workspace, subcommand: Option<&str>, args: &[OsString]) -> Verdict {
    let features = features(subcommand, args).join(",");
    let demo = cmd!(
        workspace.sh(),
        "cargo build --release --package chunk-demo --bin chunk-demo --features={features}"
    );
    let advice =
        "Fix what the compiler says above; `cargo xtask check --only clippy` finds it faster.";
    let mut command = Command::new(program(demo, advice)?);
    let become_it = become_it(command.args(subcommand).args(args));
    become_it.advise("Run this again; the program was just built.")
}

/// The features that the arguments need.
fn features(subcommand: Option<&str>, args: &[OsString]) -> Vec<&'static str> {
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    // An option and its value are one argument or two.
    let is_given = |option: &str| {
        let is_it = |word: &str| match option.split_once('=') {
            None => word.split('=').next() == Some(option),
            Some(_) => word == option,
        };
        let mut pairs = words.windows(2).map(|pair| pair.join("="));
        words.iter().any(|word| is_it(word)) || pairs.any(|pair| pair == option)
    };
    let needed = NEEDS
        .iter()
        .filter(|(needs, _)| subcommand == Some(needs) || is_given(needs));
    let mut features: Vec<_> = needed.map(|(_, feature)| *feature).collect();
    features.dedup();
    features
}

#[cfg(unix)]
fn become_it(command: &mut Command) -> std::io::Result<()> {
    use std::os::unix::process::CommandExt;
    // The process is replaced: signals, terminal and exit status are the demo's own.
    Err(command.exec())
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> std::io::Result<()> {
    std::process::exit(command.status()?.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(args: &[&str]) -> Vec<&'static str> {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        super::features(None, &args)
    }

    #[test]
    fn only_what_the_options_need_is_built() {
        assert_eq!(features(&["--seconds", "2", "--render", "out"]), ["render"]);
        assert_eq!(features(&["--render=out", "--window"]), ["render"]);
        assert_eq!(features(&["--flamegraph", "f.svg"]), ["flamegraph"]);
        assert_eq!(features(&["--metrics-addr=[::1]:0"]), ["metrics"]);
        assert_eq!(features(&["--world", "voxels"]), ["voxels"]);
        assert_eq!(
            features(&["--world=voxels", "--window"]),
            ["render", "voxels"]
        );
        assert_eq!(
            features(&["--world=voxels", "--window", "--save", "x"]),
            ["saves", "render", "voxels"]
        );
        assert_eq!(features(&["--quick", "--only", "crash"]), ["saves"]);
        assert_eq!(features(&["--store=s3://x"]), ["shared-store"]);
        assert_eq!(super::features(Some("bake"), &[]), ["shared-store"]);
        assert!(super::features(Some("stress"), &[]).is_empty());
        assert!(features(&["--world", "city", "--only", "voxels"]).is_empty());
        assert!(features(&["--rendering", "--seed", "1"]).is_empty());
        assert!(features(&[]).is_empty());
    }
}
