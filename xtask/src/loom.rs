//! `cargo xtask loom`: every interleaving of the scheduler's synchronised parts.

use crate::failure::{Outcome, Verdict};
use crate::shell;
use crate::workspace::Workspace;

pub(crate) fn run(workspace: &Workspace) -> Verdict {
    let mut command = shell::cargo(workspace);
    command
        .args(["test", "--release", "--package", "chunk-scheduler"])
        .args(["--test", "loom"])
        .env("RUSTFLAGS", "--cfg loom")
        // Other flags would throw away what is compiled for everything else.
        .env("CARGO_TARGET_DIR", workspace.target_folder().join("loom"));
    shell::run(
        &mut command,
        "Run it again with LOOM_LOG=trace and LOOM_LOCATION=1 to see the order of events that fails.",
    )?;
    Ok(Outcome::Done)
}
