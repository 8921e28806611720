//! A report, and what scenarios check beyond it.

use std::time::Duration;

use crate::chart::Timeline;
use crate::lateness::FrameCost;
use crate::report::Report;
use crate::witness::Witnessed;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The figures.
    pub report: Report,
    /// What happened, held against what should have.
    pub witnessed: Witnessed,
    /// Jobs that might be on workers at the same time.
    pub max_in_flight: usize,
    /// Threads that there were for them.
    pub pool_threads: usize,
    /// Whether frames were shorter than the time that viewers thought had passed, so that workers had no chance to
    /// keep up.
    pub is_unpaced: bool,
    /// What the run was like, frame by frame, if [`Run::has_timeline`](crate::Run::has_timeline) asked for it.
    pub timeline: Option<Timeline>,
    /// Whether somebody stopped the run before its time. Requests and loaded chunks were audited all the same; the
    /// world did not come to rest, and the scenario was not checked.
    pub was_interrupted: bool,
    /// Chunks that were wanted when the world had come to rest.
    pub wanted_at_rest: usize,
    /// How many of those were not there.
    pub missing_at_rest: usize,
    /// How many of those that were not there had been meant to fail for ever.
    pub broken_at_rest: usize,
    /// How long it took until the world had come to rest after the last frame.
    pub settling: Duration,
    /// The longest frames, the longest first.
    pub longest_frames: Vec<FrameCost>,
    /// Frames that were too long for 60 a second and would not have been without the stream.
    pub late_by_stream: u64,
    /// The 99th percentile of what the stream took of a frame, without what may have been another program's.
    pub stream_alone_p99: Duration,
    /// The most that the stream took of a frame, without what may have been another program's.
    pub stream_alone_max: Duration,
    /// Growth of the memory in use over the second half of the run, in bytes a frame. It is measured at rest, at the
    /// same place of each round of a scenario that goes round; `None` for others, and where nobody counts.
    pub memory_slope: Option<f64>,
    /// Memory in use at the middle of the run, in bytes.
    pub memory_at_half: u64,
}
