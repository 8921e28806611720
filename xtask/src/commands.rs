//! The verbs and the steps of `check` that are a command of a tool: what must be installed, what runs, and what to do
//! when it fails.

use cargo_metadata::semver::Version;
use xshell::cmd;

use crate::shell::{answers, cargo_of, run_with};
use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::Workspace;

pub(crate) fn fmt(workspace: &Workspace) -> Verdict {
    let format = cmd!(workspace.sh(), "cargo fmt --all --check");
    format.run().advise("Run `cargo fmt --all`.")
}

pub(crate) fn clippy(workspace: &Workspace) -> Verdict {
    let features = workspace.light_features();
    cmd!(
        workspace.sh(),
        "cargo clippy --workspace --all-targets --keep-going {features} -- -D warnings"
    )
    .run()
    .advise("Mend each warning above; where clippy is wrong, write `#[expect(…, reason = \"…\")]`.")
}

pub(crate) fn rustdoc(workspace: &Workspace) -> Verdict {
    let features = workspace.light_features();
    let doc = cmd!(workspace.sh(), "cargo doc --workspace --no-deps {features}");
    run_with(&[("RUSTDOCFLAGS", "-D warnings")], doc).advise(
        "Mend each warning above: usually a link to something that was renamed or is private.",
    )
}

pub(crate) fn tests(workspace: &Workspace) -> Verdict {
    let (sh, features) = (workspace.sh(), workspace.light_features());
    let runner: &[&str] = if answers(cmd!(sh, "cargo nextest --version")) {
        &["nextest", "run"]
    } else {
        &["test", "--lib", "--bins", "--tests"]
    };
    cmd!(
        sh,
        "cargo {runner...} --workspace --no-fail-fast {features}"
    )
    .run()
    .advise("Mend the tests named above; one of them alone: `cargo test -p CRATE NAME`.")
}

pub(crate) fn doctests(workspace: &Workspace) -> Verdict {
    let features = workspace.light_features();
    cmd!(workspace.sh(), "cargo test --workspace --doc {features}")
        .run()
        .advise("Mend the example at the file and line named above, so that a reader can copy it.")
}

/// Every interleaving of the scheduler's synchronised parts.
pub(crate) fn loom(workspace: &Workspace) -> Verdict {
    // Other flags in the same folder would throw away what is compiled for everything else.
    let folder = workspace.target_folder().join("loom");
    let test = cmd!(
        workspace.sh(),
        "cargo test --release --package chunk-scheduler --test loom --target-dir {folder}"
    );
    run_with(&[("RUSTFLAGS", "--cfg loom")], test).advise(
        "Run it again with LOOM_LOG=trace and LOOM_LOCATION=1 to see the order of events that fails.",
    )
}

/// The unit tests of the two crates with the most intricate code, interpreted.
pub(crate) fn miri(workspace: &Workspace) -> Verdict {
    let sh = workspace.sh();
    if !answers(cargo_of("nightly", sh).args(["miri", "--version"])) {
        return Err(Stop::Skipped(
            "Miri is not installed; `rustup toolchain install nightly --component miri,rust-src` installs it."
                .to_owned(),
        ));
    }
    let test = cargo_of("nightly", sh)
        .args(["miri", "test", "--lib", "--target-dir"])
        .arg(workspace.target_folder().join("miri"))
        .args(["--package", "chunk-coord", "--package", "chunk-scheduler"]);
    // Clocks and files are allowed; a property is tried a few times, because Miri is slow.
    let variables = [
        ("MIRIFLAGS", "-Zmiri-disable-isolation"),
        ("PROPTEST_CASES", "4"),
    ];
    run_with(&variables, test).advise(
        "Read the first error above: it names the line whose behaviour is undefined or whose test failed.",
    )
}

/// Licences, sources and advisories of every dependency, by deny.toml.
pub(crate) fn deny(workspace: &Workspace) -> Verdict {
    const ADVICE: &str = "Choose another dependency or version, or write an exception with its reason into deny.toml.";
    let sh = workspace.sh();
    if !answers(cmd!(sh, "cargo deny --version")) {
        return Err(Stop::Skipped(
            "cargo-deny is not installed; `cargo install --locked cargo-deny` installs it."
                .to_owned(),
        ));
    }
    let check = |what: &[&str]| {
        cmd!(
            sh,
            "cargo deny --all-features check --hide-inclusion-graph {what...}"
        )
        .run()
        .advise(ADVICE)
    };
    check(&["licenses", "bans", "sources"])?;
    // Advisories are in a repository of their own, which a machine without a network cannot have.
    if !answers(cmd!(sh, "cargo deny fetch db")) {
        return Err(Stop::Skipped(
            "licences, bans and sources hold, but the advisories of https://github.com/RustSec/advisory-db cannot be \
             fetched; run this again with a network."
                .to_owned(),
        ));
    }
    check(&["advisories"])
}

/// The workspace compiles with the oldest Rust that it promises to support.
pub(crate) fn msrv(workspace: &Workspace) -> Verdict {
    let sh = workspace.sh();
    let oldest = promised(workspace)?;
    let toolchain = format!("{}.{}", oldest.major, oldest.minor);
    let running = cmd!(sh, "cargo --version").read().unwrap_or_default();
    let cargo = if running.starts_with(&format!("cargo {toolchain}.")) {
        cmd!(sh, "cargo")
    } else {
        // rustup keeps a toolchain under the name it was asked for.
        let names = [toolchain.clone(), format!("{toolchain}.{}", oldest.patch)];
        let name = names
            .iter()
            .find(|name| answers(cargo_of(name, sh).arg("--version")));
        let Some(name) = name else {
            return Err(Stop::Skipped(format!(
                "Rust {toolchain} is not installed; `rustup toolchain install {toolchain}` installs it."
            )));
        };
        cargo_of(name, sh)
    };
    cargo
        .args(["check", "--workspace", "--all-targets", "--locked"])
        .arg(workspace.light_features())
        .run()
        .advise(
            "Avoid what is newer than that Rust, or raise `rust-version` in Cargo.toml with a minor release and a line \
             in CHANGELOG.md.",
        )
}

/// The one `rust-version` of all crates.
fn promised(workspace: &Workspace) -> Verdict<Version> {
    let packages = workspace.packages();
    let mut versions: Vec<_> = packages
        .iter()
        .map(|package| &package.rust_version)
        .collect();
    versions.dedup();
    match versions.as_slice() {
        [Some(version)] => Ok(version.clone()),
        _ => Err(Stop::failed(
            "The crates do not all name the same `rust-version`.",
            "Write `rust-version.workspace = true` into each crate's Cargo.toml.",
        )),
    }
}
