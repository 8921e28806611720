//! The recording as a trace that Perfetto opens, and Tracy imports: Chrome's JSON format.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::tape::{Call, Fields, Tape, Track};

/// A finished call; times in microseconds.
#[derive(Serialize)]
struct Slice<'a> {
    name: &'static str,
    ph: &'static str,
    pid: u32,
    tid: usize,
    ts: f64,
    dur: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<&'a Fields>,
}

/// Writes everything that is on the tape.
pub(crate) fn write(tape: &Tape, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n")?;
    let process = json!({"name": "chunk-demo"});
    serde_json::to_writer(&mut *out, &naming("process_name", 0, &process))?;
    for (number, track) in (1..).zip(tape.tracks()) {
        let thread = json!({"name": track.thread});
        line(out, &naming("thread_name", number, &thread))?;
        for call in &track.calls {
            line(out, &slice(track, number, call))?;
        }
    }
    out.write_all(b"\n]}\n")?;
    out.flush()
}

fn line(out: &mut impl Write, event: &impl Serialize) -> io::Result<()> {
    out.write_all(b",\n")?;
    Ok(serde_json::to_writer(out, event)?)
}

fn naming(what: &str, thread: usize, args: &Value) -> Value {
    json!({"name": what, "ph": "M", "pid": 1, "tid": thread, "args": args})
}

fn slice<'a>(track: &Track, thread: usize, call: &'a Call) -> Slice<'a> {
    Slice {
        name: track.nodes[call.node].name,
        ph: "X",
        pid: 1,
        tid: thread,
        ts: call.began.as_secs_f64() * 1e6,
        dur: call.took.as_secs_f64() * 1e6,
        args: call.fields.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tape::tests::{micros, two_frames};
    use super::*;

    #[test]
    fn each_call_is_an_event_on_its_thread() {
        let mut tape = two_frames();
        let fields = Fields::from([("key", "\"quoted\"".to_owned())]);
        tape.enter("named", Some(Arc::new(fields)), || micros(2_000));
        tape.leave(micros(2_007));
        let mut file = Vec::new();
        write(&tape, &mut file).expect("memory takes it");
        let trace: Value = serde_json::from_slice(&file).expect("it is JSON");
        let events = trace["traceEvents"].as_array().expect("a list");
        let of = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
        assert_eq!((of("M"), of("X"), events.len()), (2, 7, 9));
        let named = &events[8];
        assert_eq!(
            (&named["name"], &named["tid"]),
            (&json!("named"), &json!(1))
        );
        assert_eq!(
            (&named["ts"], &named["dur"]),
            (&json!(2_000.0), &json!(7.0))
        );
        assert_eq!(named["args"]["key"], "\"quoted\"");
    }
}
