//! `chunk-demo --metrics-addr`: figures for Prometheus while a run lasts.

use crate::{demo, stderr};

#[cfg(feature = "metrics")]
#[test]
fn metrics_are_served_while_a_run_lasts() {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpStream;
    use std::process::{Command, Stdio};

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
        let question = "GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n";
        write!(asker, "{question}").expect("it reads");
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

#[cfg(feature = "metrics")]
#[test]
fn an_address_that_is_taken_is_refused_in_a_sentence() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let taken = other.local_addr().expect("it has an address").to_string();
    let output = demo(&["--metrics-addr", &taken]);
    let text = stderr(&output);
    let start = format!("error: --metrics-addr {taken} cannot be listened on: ");
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.starts_with(&start), "{text}");
    assert_eq!(text.lines().count(), 1, "one sentence: {text}");
    assert!(output.stdout.is_empty(), "nothing was run");
}

#[test]
fn an_address_that_is_none_is_refused_in_a_sentence() {
    #[cfg(feature = "metrics")]
    let (address, sentence) = (
        "somewhere",
        "--metrics-addr cannot be `somewhere`: it must be an address and a port",
    );
    #[cfg(not(feature = "metrics"))]
    let (address, sentence) = ("127.0.0.1:0", "was built without the feature `metrics`");
    let output = demo(&["--metrics-addr", address]);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains(sentence), "{text}");
    assert_eq!(text.lines().count(), 1, "one sentence: {text}");
    assert!(output.stdout.is_empty(), "nothing was run");
}
