//! A program that is killed while it saves loses nothing that it was told to be durable.
#![cfg(feature = "saves")]

use std::process::Command;

#[test]
fn a_program_that_is_killed_keeps_what_was_told_to_be_durable() {
    let output = Command::new(env!("CARGO_BIN_EXE_chunk-demo"))
        .args(["stress", "--only", "crash", "--quick"])
        .output()
        .expect("the program starts");
    let [said, errors] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!(output.status.code(), Some(0), "{said}{errors}");
    assert!(said.starts_with("10 kills, "), "{said}");
    assert!(
        !said.contains("\n0 edits were told to be durable"),
        "{said}"
    );
}
