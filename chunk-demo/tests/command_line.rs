//! The program itself: what it refuses, what it writes, how it ends.

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
fn bad_options_are_refused_in_one_sentence_that_names_the_value() {
    for (args, sentence) in [
        (
            &["--seconds", "0"][..],
            "--seconds cannot be 0: it must be more than 0",
        ),
        (&["--seconds", "-3"], "--seconds cannot be -3"),
        (&["--seconds", "NaN"], "--seconds cannot be NaN"),
        (
            &["--seconds", "soon"],
            "invalid value 'soon' for '--seconds <SECONDS>'",
        ),
        (&["--radius", "0"], "--radius cannot be 0"),
        (
            &["--radius", "-1"],
            "invalid value '-1' for '--radius <CHUNKS>'",
        ),
        (&["--viewers", "0"], "--viewers cannot be 0"),
        (&["--density", "14"], "--density cannot be 14"),
        (&["--max-in-flight", "0"], "--max-in-flight cannot be 0"),
        (&["--apply-budget-ms", "0"], "--apply-budget-ms cannot be 0"),
        (
            &["--apply-budget-ms", "NaN"],
            "--apply-budget-ms cannot be NaN",
        ),
        (
            &["--apply-budget-ms", "-1"],
            "--apply-budget-ms cannot be -1",
        ),
        (
            &["--chunks-per-frame", "0"],
            "--chunks-per-frame cannot be 0",
        ),
        (
            &["--radius", "5", "--unload-radius", "4"],
            "--unload-radius cannot be 4: it must be at least the radius, which is 5",
        ),
        (
            &["--profile", "fast"],
            "invalid value 'fast' for '--profile <PROFILE>'",
        ),
        (
            &["--scenario", "nap"],
            "--scenario cannot be `nap`: it must be one of flight, rest",
        ),
        (&["--fast"], "unexpected argument '--fast' found"),
        (
            &["--json", "/no/such/folder/f.json"],
            "--json /no/such/folder/f.json cannot be written",
        ),
        (&["stress", "--only", "nap"], "--only cannot be `nap`"),
        (
            &["profile", "--trace", "/no/such/folder/t.json"],
            "--trace /no/such/folder/t.json cannot be written",
        ),
        (&["profile", "--radius", "0"], "--radius cannot be 0"),
        #[cfg(feature = "metrics")]
        (
            &["--metrics-addr", "somewhere"],
            "--metrics-addr cannot be `somewhere`: it must be an address and a port",
        ),
        #[cfg(not(feature = "metrics"))]
        (
            &["--metrics-addr", "127.0.0.1:0"],
            "was built without the feature `metrics`",
        ),
        (&["profile", "--window"], "profile draws nothing"),
        #[cfg(not(feature = "flamegraph"))]
        (
            &["profile", "--flamegraph"],
            "was built without the feature `flamegraph`",
        ),
    ] {
        let output = demo(args);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(sentence), "{args:?}: {text}");
        assert_eq!(text.lines().count(), 1, "one sentence: {text}");
        assert!(output.stdout.is_empty(), "nothing was run");
    }
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
                  budget_us frames_over_budget frames_over_16ms coverage latency_ms_p50 latency_ms_p99 \
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
