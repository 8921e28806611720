//! `chunk-demo profile`: a trace, a table, a flame graph.

#[cfg(feature = "flamegraph")]
use std::path::PathBuf;

use serde_json::Value;

use crate::{demo, file, stderr};

#[test]
fn a_profile_is_a_trace_of_both_sides_and_a_table_of_the_costliest_spans() {
    let path = file("trace.json");
    let path = path.to_str().expect("the path is text");
    let short = ["--seconds", "0.5", "--radius", "3", "--unpaced"];
    let output = demo(&[&["profile", "--trace", path][..], &short].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(path).expect("the file is there");
    let events: Vec<Value> = serde_json::from_str(&text).expect("it is a list of events in JSON");
    let is_begun = |event: &&Value, name: &str| event["ph"] == "B" && event["name"] == name;
    let threads_of = |name: &str| {
        let of_name = events.iter().filter(|event| is_begun(event, name));
        of_name
            .map(|event| event["tid"].as_u64())
            .collect::<Vec<_>>()
    };
    let frames = threads_of("chunk_frame");
    assert!(frames.len() >= 30, "{}", frames.len());
    let attempts = threads_of("chunk_attempt");
    assert!(!attempts.is_empty());
    assert!(
        attempts.iter().all(|thread| *thread != frames[0]),
        "chunks are made elsewhere"
    );
    let attempt = events.iter().find(|event| is_begun(event, "chunk_attempt"));
    let key = attempt.and_then(|event| event["args"]["key"].as_str());
    let numbers = key.map(|key| key.split(", ").count());
    assert_eq!(numbers, Some(3), "{key:?} is a coordinate");
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    for cell in [
        "own time a frame, µs",
        "chunk_attempt",
        "workers",
        "everything held",
    ] {
        assert!(table.contains(cell), "{cell}: {table}");
    }
    assert!(table.matches(" main ").count() >= 3, "{table}");
}

#[cfg(feature = "flamegraph")]
#[test]
fn a_profile_draws_a_flame_graph() {
    let (trace, svg) = (file("flame.json"), file("flame.svg"));
    let path = |file: &PathBuf| file.to_str().expect("the path is text").to_owned();
    let (trace, graph) = (path(&trace), path(&svg));
    let output = demo(&[
        "profile",
        "--seconds=0.2",
        "--radius=2",
        "--unpaced",
        "--trace",
        &trace,
        "--flamegraph",
        &graph,
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(svg).expect("the file is there");
    assert!(text.contains("<svg") && text.contains("chunk_attempt"));
}

#[test]
fn a_profile_that_makes_no_sense_is_refused() {
    for (args, sentence) in [
        (
            &["--trace", "/no/such/folder/t.json"][..],
            "--trace /no/such/folder/t.json cannot be written",
        ),
        (&["--radius", "0"], "--radius cannot be 0"),
        (&["--window"], "profile draws nothing"),
        #[cfg(not(feature = "flamegraph"))]
        (
            &["--flamegraph"],
            "was built without the feature `flamegraph`",
        ),
    ] {
        let output = demo(&[&["profile"], args].concat());
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(sentence), "{args:?}: {text}");
        assert_eq!(text.lines().count(), 1, "one sentence: {text}");
        assert!(output.stdout.is_empty(), "nothing was run");
    }
}
