//! The result of a run: its report, and what scenarios check beyond it.

use std::time::Duration;

use super::frame_cost::FrameCost;
use super::report::Report;
use crate::chart::Timeline;

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The figures.
    pub report: Report,
    /// What was observed from outside of the stream.
    pub observed: Observed,
    /// Jobs that might be on workers at the same time.
    pub max_in_flight: usize,
    /// Threads of the pool that workers run on.
    pub pool_threads: usize,
    /// Whether frames were shorter than the time that passed for viewers, so that workers had no chance to keep up.
    pub is_unpaced: bool,
    /// The course of the run, frame by frame, if it was recorded.
    pub timeline: Option<Timeline>,
    /// Whether the watcher ended the run. Requests and loaded chunks were audited all the same; the world did not come
    /// to rest, and the scenario was not checked.
    pub was_interrupted: bool,
    /// Chunks that were wanted when the world had come to rest.
    pub wanted_at_rest: usize,
    /// How many of those were not loaded.
    pub missing_at_rest: usize,
    /// How many of the missing ones have a generator that never succeeds.
    pub broken_at_rest: usize,
    /// The longest frames, the longest first.
    pub longest_frames: Vec<FrameCost>,
    /// Frames that were too long for 60 a second because of the stream.
    pub late_by_stream: u64,
    /// The 99th percentile of the stream's time in a frame, without what may have been another thread's.
    pub stream_alone_p99: Duration,
    /// The most that the stream took of a frame, without what may have been another thread's.
    pub stream_alone_max: Duration,
    /// Growth of the memory in use over the second half of the run, in bytes a frame. It is measured at rest, at the
    /// same position of each round of a scenario that goes round; `None` for others, and where nothing counts bytes.
    pub memory_slope: Option<f64>,
    /// Memory in use at the middle of the run, in bytes, without what caches held.
    pub memory_at_half: u64,
    /// What the caches of the workload held when memory was measured last, in bytes.
    pub cached_bytes: u64,
}

/// What was observed in a run from outside of the stream, beyond the figures of its report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// The first frame in which every chunk within the load radius of a viewer was loaded.
    pub filled_in_frame: Option<u64>,
    /// Chunks that became visible after that frame.
    pub applied_after_filled: u64,
    /// The frame that ended the warm-up: everything was loaded, or as many seconds had passed as there are viewers.
    pub warm_in_frame: Option<u64>,
    /// Frames since then in which a chunk near a viewer was missing: within 6 chunks, or half the radius if that is less.
    /// Chunks whose generator never succeeds do not count.
    pub frames_near_missing: u64,
    /// The most chunks that were within the load radius of a viewer at once.
    pub most_wanted: usize,
    /// The most chunks that were hidden and not yet despawned at once.
    pub most_unloading: usize,
    /// How often a chunk became wanted that no viewer had kept.
    pub entered: u64,
    /// Chunks that were unloaded while they were within the load radius of a viewer.
    pub vanished: u64,
    /// Chunks that became visible though they were visible at the same level, without an edit.
    pub remade: u64,
    /// Whether the workload has levels of detail.
    pub has_levels: bool,
    /// Chunks that became visible at another level than they had been visible at.
    pub levels_changed: u64,
    /// Chunks made anew at the level that they had, because another one was asked for in between.
    pub levels_changed_back: u64,
    /// Changes of level that are not shown, because the generator failed for good.
    pub levels_failed: u64,
    /// Chunks that became visible though their generator never succeeds.
    pub broken_shown: u64,
    /// Chunks that were given up after fewer or more attempts than they should have had.
    pub wrong_attempts: u64,
    /// Chunks that were given up although a later attempt would have succeeded.
    pub sound_given_up: u64,
    /// Times that a viewer jumped to where none of the chunks it had wanted is wanted.
    pub leaps: u64,
    /// Jumps before everything was loaded, though neither the budget nor the threads had been used up.
    pub leaps_unfilled: u64,
    /// Edits that were accepted.
    pub edits: u64,
    /// Versions with edits that became visible. Several edits may share one.
    pub edits_shown: u64,
    /// Chunks that became visible before an older edit, though they became wanted a tenth of a second after it.
    pub edits_overtaken: u64,
    /// The 99th percentile of the frames from an edit to its result.
    pub edit_frames_p99: u64,
}
