//! What a run measured: one flat object.

use serde::Serialize;

/// The figures of one run. The names of the fields are the keys of the JSON object, and stay.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// Which city, and which chunks were unlucky.
    pub seed: u64,
    /// Simulated time: frames at 60 a second.
    pub seconds: f64,
    /// Frames that were run.
    pub frames: u64,
    /// Viewers there were.
    pub viewers: u32,
    /// Requests that made a job.
    pub requested: u64,
    /// Attempts that made a chunk, the unwanted ones included.
    pub generated: u64,
    /// Chunks that became visible, replacements included.
    pub applied: u64,
    /// Chunks whose last entity is gone.
    pub unloaded: u64,
    /// Jobs withdrawn before their chunk was visible.
    pub cancelled: u64,
    /// Jobs superseded by a newer version of their chunk.
    pub stale: u64,
    /// Jobs that gave up after their last attempt.
    pub failed: u64,
    /// Attempts after a job's first.
    pub retried: u64,
    /// Chunks that nobody tries any more until they are asked for again.
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
    /// Chunks that are there at the end.
    pub loaded_chunks: u64,
    /// Entities counted under the roots of those.
    pub loaded_entities: u64,
    /// Entities that those chunks should have.
    pub expected_entities: u64,
    /// Meshes and materials.
    pub assets: u64,
    /// What they would be with one for each loaded entity.
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
    /// Main-thread time that a frame may spend on the world; 0 for no limit by time.
    pub budget_us: f64,
    /// Frames in which the stream's systems took longer than that; 0 without a limit by time.
    pub frames_over_budget: u64,
    /// Frames whose whole work, Bevy's own systems included, took longer than a sixtieth of a second.
    pub frames_over_16ms: u64,
    /// Share of the chunks within the load radius of where the viewers are that were there, averaged over all frames,
    /// warming up included.
    pub coverage: f64,
    /// Median time from the frame in which a viewer's place wants a chunk until it is visible, in milliseconds.
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

/// Rounds to a tenth, which is more than any of these figures is worth.
pub(crate) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
