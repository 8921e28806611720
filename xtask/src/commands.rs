//! The verbs and the steps of `check` that are a command of a tool: what must be installed, what runs, and what to do
//! when it fails.

use xshell::cmd;

use crate::shell::{answers, cargo_of, need, run_with};
use crate::verdict::{Advise, Stop, Verdict};
use crate::workspace::Workspace;

/// Runs cargo with these words, where `FEATURES` stands for all light features.
fn cargo(workspace: &Workspace, words: &str, advice: &str) -> Verdict {
    let words = words.replace("FEATURES", &workspace.light_features());
    let words = words.split(' ');
    cmd!(workspace.sh(), "cargo {words...}")
        .run()
        .advise(advice)
}

pub(crate) fn fmt(workspace: &Workspace) -> Verdict {
    cargo(workspace, "fmt --all --check", "Run `cargo fmt --all`.")
}

pub(crate) fn clippy(workspace: &Workspace) -> Verdict {
    let words = "clippy --workspace --all-targets --keep-going FEATURES -- -D warnings";
    let advice =
        "Fix each warning above; where clippy is wrong, write `#[expect(…, reason = \"…\")]`.";
    cargo(workspace, words, advice)
}

pub(crate) fn rustdoc(workspace: &Workspace) -> Verdict {
    let features = workspace.light_features();
    let doc = cmd!(workspace.sh(), "cargo doc --workspace --no-deps {features}");
    let advice =
        "Fix each warning above: usually a link to something that was renamed or is private.";
    run_with(&[("RUSTDOCFLAGS", "-D warnings")], doc, advice)
}

pub(crate) fn tests(workspace: &Workspace) -> Verdict {
    let words = match answers(cmd!(workspace.sh(), "cargo nextest --version")) {
        true => "nextest run --workspace --no-fail-fast FEATURES",
        false => "test --workspace --no-fail-fast --lib --bins --tests FEATURES",
    };
    let advice = "Fix the tests named above; one of them alone: `cargo test -p CRATE NAME`.";
    cargo(workspace, words, advice)
}

pub(crate) fn doctests(workspace: &Workspace) -> Verdict {
    let advice = "Fix the example at the file and line named above, so that a reader can copy it.";
    cargo(workspace, "test --workspace --doc FEATURES", advice)
}

/// Every interleaving of the scheduler's synchronised parts.
pub(crate) fn loom(workspace: &Workspace) -> Verdict {
    // Other flags in the same folder would throw away what is compiled for everything else.
    let folder = workspace.target_folder().join("loom");
    let test = [
        "--package",
        "chunk-scheduler",
        "--features",
        "store",
        "--test",
        "loom",
    ];
    let test = cmd!(
        workspace.sh(),
        "cargo test --release {test...} --target-dir {folder}"
    );
    let advice = "Run it again with LOOM_LOG=trace and LOOM_LOCATION=1 to see the order of events that fails.";
    run_with(&[("RUSTFLAGS", "--cfg loom")], test, advice)
}

/// The unit tests of the two crates with the most intricate code, interpreted.
pub(crate) fn miri(workspace: &Workspace) -> Verdict {
    let miri = || cargo_of("nightly", workspace.sh()).arg("miri");
    let install = "rustup toolchain install nightly --component miri,rust-src";
    need("Miri", miri().arg("--version"), install)?;
    let folder = workspace.target_folder().join("miri");
    let test = miri().args([
        "test",
        "--lib",
        "--package=chunk-coord",
        "--package=chunk-scheduler",
    ]);
    let test = test.arg("--target-dir").arg(folder);
    // Clocks and files are allowed; a property is tried a few times, because Miri is slow.
    let variables = [
        ("MIRIFLAGS", "-Zmiri-disable-isolation"),
        ("PROPTEST_CASES", "4"),
    ];
    let advice = "The first error above names the line whose behaviour is undefined or whose test failed: fix it.";
    run_with(&variables, test, advice)
}

/// Licences, sources and advisories of every dependency, by deny.toml.
pub(crate) fn deny(workspace: &Workspace) -> Verdict {
    let deny = || cmd!(workspace.sh(), "cargo deny");
    need(
        "cargo-deny",
        deny().arg("--version"),
        "cargo install --locked cargo-deny",
    )?;
    let check = |what: &[&str]| {
        let check = deny().args(["--all-features", "check", "--hide-inclusion-graph"]);
        let advice = "Choose another dependency or version, or write an exception with its reason into deny.toml.";
        check.args(what).run().advise(advice)
    };
    check(&["licenses", "bans", "sources"])?;
    // Advisories are in a repository of their own, which a machine without a network cannot have.
    if !answers(deny().args(["fetch", "db"])) {
        let why = "licences, bans and sources hold, but the advisories of https://github.com/RustSec/advisory-db \
                   cannot be fetched; run this again with a network.";
        return Err(Stop::Skipped(why.to_owned()));
    }
    check(&["advisories"])
}

/// The workspace compiles with the oldest Rust that it promises to support.
pub(crate) fn msrv(workspace: &Workspace) -> Verdict {
    let sh = workspace.sh();
    let packages = workspace.packages();
    let mut versions: Vec<_> = packages.iter().map(|it| &it.rust_version).collect();
    versions.dedup();
    let [Some(oldest)] = versions.as_slice() else {
        return Err(Stop::failed(
            "The crates do not all name the same `rust-version`.",
            "Write `rust-version.workspace = true` into each crate's Cargo.toml.",
        ));
    };
    let rust = format!("{}.{}", oldest.major, oldest.minor);
    let running = cmd!(sh, "cargo --version").read().unwrap_or_default();
    let mut cargo = cmd!(sh, "cargo");
    if !running.starts_with(&format!("cargo {rust}.")) {
        // rustup keeps a toolchain under the name it was asked for.
        let patch = format!("{rust}.{}", oldest.patch);
        let has_patch = answers(cargo_of(&patch, sh).arg("--version"));
        let name = if has_patch { &patch } else { &rust };
        let install = format!("rustup toolchain install {rust}");
        need(
            &format!("Rust {rust}"),
            cargo_of(name, sh).arg("--version"),
            &install,
        )?;
        cargo = cargo_of(name, sh);
    }
    let check = cargo.args(["check", "--workspace", "--all-targets", "--locked"]);
    check.arg(workspace.light_features()).run().advise(
        "Avoid what is newer than that Rust, or raise `rust-version` in Cargo.toml with a minor release and a line in \
         CHANGELOG.md.",
    )
}
