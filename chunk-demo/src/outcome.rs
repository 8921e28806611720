//! A report, and what scenarios check beyond it.

use std::time::Duration;

use crate::chart::Film;
use crate::report::Report;

/// What a run came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The figures.
    pub report: Report,
    /// Jobs that might be on workers at the same time.
    pub max_in_flight: usize,
    /// Threads that there were for them.
    pub pool_threads: usize,
    /// Whether frames were shorter than the time that viewers thought had passed, so that workers had no chance to
    /// keep up.
    pub is_unpaced: bool,
    /// What it was like, frame by frame, if the run was filmed.
    pub film: Option<Film>,
    /// Whether somebody stopped the run before its time.
    pub was_interrupted: bool,
    /// Frames, after every wanted chunk had been there once, in which one within half the radius of a viewer was
    /// missing.
    pub frames_near_missing: u64,
    /// The first frame in which every wanted chunk was there.
    pub filled_in_frame: Option<u64>,
    /// Chunks that were wanted when the world had come to rest.
    pub wanted_at_rest: usize,
    /// How many of those were not there.
    pub missing_at_rest: usize,
    /// How many of those that were not there had been meant to fail for ever.
    pub broken_at_rest: usize,
    /// How long it took until the world had come to rest after the last frame.
    pub settling: Duration,
    /// Chunks that became visible after the first frame in which all were there.
    pub applied_after_filled: u64,
    /// Edits that were accepted.
    pub edits: u64,
    /// Growth of the process's memory over the second half of the run, in bytes a frame; 0 where the system does not
    /// say.
    pub memory_slope: f64,
    /// Memory at the middle of the run, in bytes.
    pub memory_at_half: u64,
}
