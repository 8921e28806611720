//! Chunks made ahead of time: by many processes at once, again after one was killed, and into places that are not theirs.
#![cfg(feature = "shared-store")]

mod places;
mod refused;
#[cfg(feature = "test-server")]
#[path = "../../../chunk-scheduler/tests/stores/s3_server.rs"]
mod s3_server;
#[cfg(feature = "test-server")]
mod shared;

use std::path::PathBuf;
use std::process::{Command, Output};

/// The program with these arguments after `bake`.
fn bake(store: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chunk-demo"));
    command.args(["bake", "--density", "15", "--store", store]);
    command.args(arguments);
    command
}

/// What it said and its status. It must have written nothing to standard error but how far it is.
fn finish(command: &mut Command) -> (String, Option<i32>) {
    let output = command.output().expect("the program starts");
    (text(&output.stdout), output.status.code())
}

fn stderr(output: &Output) -> String {
    text(&output.stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A place of this test alone, where nothing is.
fn place(name: &str) -> String {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&place);
    let _ = std::fs::remove_dir_all(&place);
    place.to_str().expect("the path is text").to_owned()
}
