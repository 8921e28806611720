//! What each thread did, recorded from the stages' spans: one recording, and the views of it, which therefore agree.

mod costs;
mod flamegraph;
mod recording;
mod tape;
mod trace_file;

pub(crate) use costs::table;
pub(crate) use flamegraph::{missing as missing_for_flamegraphs, write as write_flamegraph};
pub(crate) use recording::Recording;
pub(crate) use trace_file::write as write_trace;

/// The span around a whole frame of the app.
pub(crate) const FRAME: &str = "chunk_frame";
