//! The figures of a run: one flat object.

use serde::Serialize;

/// The figures of one run. The names of the fields are the keys of the JSON object, and stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// Which city it was, and which chunks had faults.
    pub seed: u64,
    /// Simulated time: frames at 60 a second.
    pub seconds: f64,
    /// Frames that were played.
    pub frames: u64,
    /// Number of viewers.
    pub viewers: u32,
    /// Requests that made a job.
    pub requested: u64,
    /// Attempts that made a chunk, also one that was no longer wanted.
    pub generated: u64,
    /// Chunks that became visible, replacements included.
    pub applied: u64,
    /// Chunks whose last entity was despawned.
    pub unloaded: u64,
    /// Jobs withdrawn before their chunk was visible.
    pub cancelled: u64,
    /// Jobs superseded by a newer version of their chunk.
    pub stale: u64,
    /// Jobs that gave up after their last attempt.
    pub failed: u64,
    /// Attempts after a job's first.
    pub retried: u64,
    /// Chunks that are not tried again until they are requested again.
    pub quarantined: u64,
    /// Panics that were caught.
    pub panics: u64,
    /// Jobs not started at the end.
    pub queued: u64,
    /// Jobs on workers at the end.
    pub in_flight: u64,
    /// Results not yet taken over at the end.
    pub completed: u64,
    /// Results taken over and not yet visible at the end.
    pub backlog: u64,
    /// Loaded chunks at the end.
    pub loaded_chunks: u64,
    /// Entities counted under the roots of those.
    pub loaded_entities: u64,
    /// Entities that those chunks should have.
    pub expected_entities: u64,
    /// Meshes and materials at the end.
    pub assets: u64,
    /// How many there would be with one for each loaded entity.
    pub assets_without_sharing: u64,
    /// Mean time of a generator, in microseconds.
    pub generation_us_mean: f64,
    /// Median time of a generator, in microseconds.
    pub generation_us_p50: f64,
    /// The 99th percentile of a generator's time, in microseconds.
    pub generation_us_p99: f64,
    /// The longest time of a generator, in microseconds.
    pub generation_us_max: f64,
    /// Median main-thread time of the stream's systems in a frame, in microseconds.
    pub main_thread_us_p50: f64,
    /// Its 99th percentile.
    pub main_thread_us_p99: f64,
    /// Its maximum.
    pub main_thread_us_max: f64,
    /// Main-thread time that a frame may spend on the world, in microseconds; 0 for no limit by time.
    pub budget_us: f64,
    /// Frames in which the stream's systems took longer than the budget; 0 without a limit by time.
    pub frames_over_budget: u64,
    /// Median time of a frame's whole work, Bevy's own systems included, in microseconds.
    pub whole_frame_us_p50: f64,
    /// Its 99th percentile.
    pub whole_frame_us_p99: f64,
    /// Its maximum.
    pub whole_frame_us_max: f64,
    /// The 99th percentile of what the stream caused of a frame, in microseconds: in its own systems, and later in the frame
    /// what its entities cost, as it was learned from the frames.
    pub caused_us_p99: f64,
    /// Frames whose whole work, Bevy's own systems included, took longer than a sixtieth of a second.
    pub frames_over_16ms: u64,
    /// Share of the chunks within the load radius of a viewer that were loaded, averaged over all frames, the warm-up
    /// included.
    pub coverage: f64,
    /// Median time from the frame in which a chunk becomes wanted until it is visible, in milliseconds.
    pub latency_ms_p50: f64,
    /// Its 99th percentile.
    pub latency_ms_p99: f64,
    /// Its maximum.
    pub latency_ms_max: f64,
    /// The most memory that the process held during the run, in bytes; 0 where the system does not say.
    pub peak_rss_bytes: u64,
    /// What did not hold. Empty after a good run.
    pub violations: Vec<String>,
}

impl Report {
    /// Whether everything held.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Rounds to a tenth; no figure is more exact than that.
pub(super) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
