//! Ctrl-C ends a run with the figures so far.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{file, stderr};

/// Starts the program, sends Ctrl-C after its first line, and waits for its end.
fn interrupted(args: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chunk-demo"))
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut text = String::new();
    lines.read_line(&mut text).expect("it says how far it is");
    let signal = format!("kill -INT {}", child.id());
    let sent = Command::new("sh").args(["-c", &signal]).status();
    assert!(sent.expect("there is a shell").success());
    lines
        .read_to_string(&mut text)
        .expect("it goes on to its end");
    let output = child.wait_with_output().expect("it ends");
    Output {
        stderr: text.into_bytes(),
        ..output
    }
}

#[test]
fn ctrl_c_ends_a_run_with_the_figures_so_far() {
    let path = file("interrupted.json");
    let path = path.to_str().expect("the path is text");
    let output = interrupted(&["--seconds", "60", "--density", "15", "--json", path]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("flight: 0 %, "), "{text}");
    assert!(!text.contains("coming to rest"), "at once: {text}");
    assert!(!text.contains("violation"), "{text}");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        table.contains("Interrupted; these are the figures so far."),
        "{table}"
    );
    assert!(
        table.contains("interrupted; every request is accounted for"),
        "{table}"
    );
    let json = std::fs::read_to_string(path).expect("the figures are not lost");
    let object: Value = serde_json::from_str(&json).expect("it is JSON");
    assert!(
        object["frames"]
            .as_u64()
            .is_some_and(|frames| frames < 3_000),
        "{json}"
    );
    assert_eq!(object["violations"], Value::Array(Vec::new()));
}

#[test]
fn stress_tests_that_were_not_played_are_named_and_no_success() {
    let output = interrupted(&["stress", "--quick", "--only", "panics"]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    let end =
        "0 of 2 runs held\ninterrupted; not played to the end: panics: panic, panics: panic-half\n";
    assert!(table.ends_with(end), "{table}");
}
