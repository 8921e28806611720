//! The program itself: what it refuses, what it writes, how it ends.

mod ctrl_c;
mod metrics;
mod profile;
mod refused;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn demo(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_chunk-demo"))
        .args(args)
        .output()
        .expect("the program starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A file of this test alone.
fn file(name: &str) -> PathBuf {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_file(&file);
    file
}

#[test]
fn help_explains_every_option_with_its_default() {
    let output = demo(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = String::from_utf8_lossy(&output.stdout).into_owned();
    for option in [
        "--scenario",
        "--seconds",
        "--seed",
        "--viewers",
        "--radius",
        "--unload-radius",
        "--density",
        "--profile",
        "--max-in-flight",
        "--apply-budget-ms",
        "--chunks-per-frame",
        "--json",
    ] {
        assert!(help.contains(option), "{option} is not explained:\n{help}");
    }
    assert!(help.matches("default: ").count() >= 11, "{help}");
}

#[test]
fn the_scenarios_are_listed_with_what_they_prove() {
    let output = demo(&["--scenario", "help"]);
    assert_eq!(output.status.code(), Some(0));
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(list.lines().count(), 13, "{list}");
    assert!(list.starts_with("flight"), "{list}");
}

#[test]
fn the_json_object_has_exactly_the_agreed_keys_in_their_order() {
    let path = file("keys.json");
    let path = path.to_str().expect("the path is text");
    let args = [
        "--seconds",
        "0.5",
        "--radius",
        "3",
        "--unpaced",
        "--seed",
        "9",
        "--json",
        path,
    ];
    let output = demo(&args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(path).expect("the file is there");
    let keys: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\":"))
        .map(|(key, _)| key)
        .collect();
    let agreed = "scenario seed seconds frames viewers requested generated applied unloaded cancelled stale failed \
                  retried quarantined panics queued in_flight completed backlog loaded_chunks loaded_entities \
                  expected_entities assets assets_without_sharing generation_us_mean generation_us_p50 \
                  generation_us_p99 generation_us_max main_thread_us_p50 main_thread_us_p99 main_thread_us_max \
                  budget_us frames_over_budget whole_frame_us_p50 whole_frame_us_p99 whole_frame_us_max \
                  caused_us_p99 frames_over_16ms coverage latency_ms_p50 latency_ms_p99 \
                  latency_ms_max peak_rss_bytes violations";
    assert_eq!(keys, agreed.split_whitespace().collect::<Vec<_>>());
    let object: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!(object["scenario"], "flight");
    assert_eq!(object["seed"], 9);
    assert_eq!(object["frames"], 30);
    assert_eq!(object["assets"], 4);
    assert_eq!(object["violations"], Value::Array(Vec::new()));
}

#[test]
fn a_good_run_says_that_everything_held() {
    let output = demo(&[
        "--scenario",
        "sprint",
        "--seconds",
        "1",
        "--radius",
        "3",
        "--density",
        "15",
        "--unpaced",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in [
        "everything held",
        "4; one for each entity would be",
        "2000 µs;",
    ] {
        assert!(table.contains(line), "{table}");
    }
}

#[test]
fn the_file_keeps_only_the_latest_figures() {
    let path = file("longer.json");
    std::fs::write(&path, "x".repeat(100_000)).expect("the folder is there");
    let path = path.to_str().expect("the path is text");
    let args = [
        "--scenario",
        "rest",
        "--seconds",
        "0.1",
        "--radius",
        "1",
        "--unpaced",
        "--json",
        path,
    ];
    let output = demo(&args);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(path).expect("the file is there");
    assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
}

#[test]
fn a_run_that_does_not_keep_up_says_so_and_is_a_failure() {
    let path = file("slow.json");
    let path = path.to_str().expect("the path is text");
    // After a second there are 60 chunks at most, and 113 are near the viewer, however fast the machine is.
    let output = demo(&[
        "--chunks-per-frame",
        "1",
        "--seconds",
        "1.5",
        "--density",
        "15",
        "--json",
        path,
    ]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    let violation = "violation: a chunk near a viewer was missing in 30 frames from frame 60 on";
    assert!(text.contains(violation), "{text}");
    let is_explained = text.contains("note: this build is not optimised");
    assert_eq!(is_explained, cfg!(debug_assertions), "{text}");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("missing in 30 frames"), "{table}");
    let json = std::fs::read_to_string(path).expect("the figures are not lost");
    let object: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(object["violations"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_stress_test_is_played_and_summed_up() {
    let path = file("stress.json");
    let path = path.to_str().expect("the path is text");
    let output = demo(&[
        "stress", "--quick", "--only", "panic", "--seed", "3", "--json", path,
    ]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("1/1 panics: panic: 0 %, "), "{text}");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.ends_with("1 of 1 runs held\n"), "{table}");
    let json = std::fs::read_to_string(path).expect("the file is there");
    let list: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!(list[0]["scenario"], "panic");
    assert_eq!(list[0]["seed"], 3);
    assert_eq!(list[0]["frames"], 240);
    assert!(list[0]["panics"].as_u64().is_some_and(|panics| panics > 0));
}
