//! Starts the process of one contestant and reads what it measured.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::child::{MEASURED, PLAY};
use super::measured::Measured;

/// The program with other crates, if there is one: `cargo xtask bench --peers` says where.
pub(crate) fn peers() -> Option<PathBuf> {
    env::var_os("CHUNK_PEERS").map(PathBuf::from)
}

/// Lets a contestant play a workload in a process of its own. `settings` are the last arguments of that process.
///
/// # Errors
///
/// If the program does not start, fails, or measures nothing.
pub(crate) fn start(
    program: &Path,
    contestant: &str,
    workload: &str,
    settings: &[&str],
) -> Result<Measured, String> {
    let what = format!("{contestant} on {workload}");
    eprintln!("playing {what}");
    let output = Command::new(program)
        .args([PLAY, contestant, workload])
        .args(settings)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{what}: {} did not start: {error}", program.display()))?;
    if !output.status.success() {
        return Err(format!("{what} failed ({})", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix(MEASURED));
    line.and_then(Measured::parse)
        .ok_or_else(|| format!("{what} measured nothing: {text}"))
}
