//! The recording as a flame graph: how the time of each thread is divided among its spans.

use std::io::Write;

use super::tape::Tape;

/// One line for each place in a call tree, `thread;outer;inner nanoseconds`: what every flame-graph program reads.
#[cfg_attr(
    not(feature = "flamegraph"),
    expect(dead_code, reason = "nothing draws it")
)]
fn folded(tape: &Tape) -> Vec<String> {
    let mut lines = Vec::new();
    for track in tape.tracks() {
        for (number, node) in track.nodes.iter().enumerate() {
            let path = track.path(number).join(";");
            let thread = track.thread.replace(';', ":");
            lines.push(format!("{thread};{path} {}", node.own.as_nanos()));
        }
    }
    lines
}

/// Writes an SVG that a browser opens, in which a click enlarges a span.
#[cfg(feature = "flamegraph")]
pub(crate) fn write(tape: &Tape, out: &mut impl Write) -> Result<(), String> {
    use inferno::flamegraph::{Options, from_lines};

    let mut options = Options::default();
    "chunk-demo: where the time of each thread went".clone_into(&mut options.title);
    "ns".clone_into(&mut options.count_name);
    let lines = folded(tape);
    from_lines(&mut options, lines.iter().map(String::as_str), out)
        .map_err(|error| error.to_string())
}

/// Says what is missing.
#[cfg(not(feature = "flamegraph"))]
pub(crate) fn write(_tape: &Tape, _out: &mut impl Write) -> Result<(), String> {
    Err(MISSING.to_owned())
}

/// What a build without the feature says.
#[cfg(not(feature = "flamegraph"))]
const MISSING: &str = "this chunk-demo was built without the feature `flamegraph`, which `cargo xtask profile \
                       --flamegraph FILE` switches on";

/// Why no flame graph can be drawn, if none can: asked before the run.
pub(crate) fn missing() -> Option<&'static str> {
    #[cfg(feature = "flamegraph")]
    return None;
    #[cfg(not(feature = "flamegraph"))]
    return Some(MISSING);
}

#[cfg(all(test, feature = "flamegraph"))]
mod tests {
    use super::super::FRAME;
    use super::super::tape::tests::two_frames;
    use super::*;

    #[test]
    fn the_stacks_are_folded_and_drawn() {
        let tape = two_frames();
        let thread = tape.tracks()[0].thread.replace(';', ":");
        let lines = [
            format!("{thread};{FRAME} 80000"),
            format!("{thread};{FRAME};inner 120000"),
        ];
        assert_eq!(folded(&tape), lines);
        let mut svg = Vec::new();
        write(&tape, &mut svg).expect("memory takes it");
        let svg = String::from_utf8_lossy(&svg);
        assert!(
            svg.contains("<svg") && svg.trim_end().ends_with("</svg>"),
            "{svg}"
        );
        assert!(svg.contains("inner (120,000 ns, 60.00%)"), "{svg}");
    }
}
