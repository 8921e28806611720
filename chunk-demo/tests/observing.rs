//! What the program shows of a run while it lasts and after it: metrics, and a profile.

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
fn a_profile_is_a_trace_of_both_sides_and_a_table_of_the_costliest_spans() {
    let path = file("trace.json");
    let path = path.to_str().expect("the path is text");
    let short = ["--seconds", "0.5", "--radius", "3", "--unpaced"];
    let output = demo(&[&["profile", "--trace", path][..], &short].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = std::fs::read_to_string(path).expect("the file is there");
    let trace: Value = serde_json::from_str(&text).expect("it is JSON");
    let events = trace["traceEvents"].as_array().expect("a list of events");
    let threads_of = |name: &str| {
        let of_name = events.iter().filter(|event| event["name"] == name);
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
    let attempt = events.iter().find(|event| event["name"] == "chunk_attempt");
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

#[cfg(feature = "metrics")]
#[test]
fn metrics_are_served_while_a_run_lasts() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::Stdio;

    /// The run would last for ten minutes.
    struct Running(std::process::Child);
    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    let child = Command::new(env!("CARGO_BIN_EXE_chunk-demo"))
        .args(["--scenario=rest", "--seconds=600", "--radius=2"])
        .args(["--density=15", "--metrics-addr=127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut running = Running(child.expect("the program starts"));
    let stderr = running.0.stderr.take().expect("it is piped");
    let mut lines = BufReader::new(stderr).lines();
    let address = lines.find_map(|line| {
        let line = line.expect("it is text");
        let rest = line.split_once("http://")?.1;
        Some(rest.split('/').next()?.to_owned())
    });
    let address = address.expect("the address is printed");
    let page = || {
        let mut asker = TcpStream::connect(&address).expect("it listens");
        write!(asker, "GET /metrics HTTP/1.1\r\n\r\n").expect("it reads");
        let mut page = String::new();
        asker.read_to_string(&mut page).expect("it answers");
        page
    };
    let count = |page: &str, name: &str| -> u64 {
        let value = page.lines().find_map(|line| line.strip_prefix(name));
        value.map_or(0, |value| value.trim().parse().expect("it is a number"))
    };
    let frames = |page: &str| count(page, "chunk_frame_seconds_count ");
    let later = |is_enough: &dyn Fn(&str) -> bool| {
        let mut pages = std::iter::repeat_with(page);
        pages.find(|page| is_enough(page)).unwrap_or_default()
    };
    // It may take any number of frames until the 13 chunks are there, and each question takes one or two. The page may
    // show half of a frame, so the figures are those of a later one.
    let there = later(&|page| count(page, "chunk_loaded ") == 13);
    let page = later(&|page| frames(page) > frames(&there) + 1);
    for line in [
        "# TYPE chunk_applied_total counter",
        "chunk_applied_total 13",
        "# TYPE chunk_latency_seconds histogram",
        "chunk_latency_seconds_count 13",
        "# TYPE chunk_latency_p99_seconds gauge",
        "# HELP chunk_loaded Chunks that are there",
        "chunk_wanted 13",
        "chunk_inversions_total 0",
    ] {
        assert!(page.lines().any(|it| it == line), "{line}:\n{page}");
    }
}

#[cfg(feature = "metrics")]
#[test]
fn a_run_with_metrics_ends_as_any_other() {
    let output = demo(&[
        "--seconds=0.2",
        "--radius=2",
        "--unpaced",
        "--metrics-addr=127.0.0.1:0",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("metrics are at http://127.0.0.1:"));
}
