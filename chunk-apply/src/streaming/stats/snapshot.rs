//! The state of a stream at one moment.

use super::{
    frame::{StreamingFrame, StreamingTotals},
    latency::LatencySummary,
};
use chunk_scheduler::{ConcurrencyReport, Counters, Depths, DurationSummary};
use core::time::Duration;

/// A stream's state, to be shown, logged or compared.
///
/// ```
/// # use chunk_apply::{ChunkIndex, StreamingSnapshot, ChunkStream};
/// fn overlay<T: Send + Sync>(stream: &ChunkStream<T>, index: &ChunkIndex<T>) -> String {
///     let StreamingSnapshot { depths, loaded_chunks, latencies, .. } = stream.snapshot(index);
///     let wait = latencies.shown.p99;
///     format!("{loaded_chunks} chunks, {} on their way; they take {wait:?}", depths.live())
/// }
/// # struct Rocks;
/// # let _ = overlay::<Rocks>;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StreamingSnapshot {
    /// How many jobs are queued, in flight, completed and in the backlog.
    pub depths: Depths,
    /// What became of all requests so far.
    pub counters: Counters,
    /// How long generators took.
    pub generation_times: DurationSummary,
    /// How long generators ran after they were cancelled.
    pub cancel_latencies: DurationSummary,
    /// How long chunks took to become visible, by distance as well.
    pub latencies: LatencySummary,
    /// What was generated and never applied.
    pub wasted: WastedWork,
    /// How many jobs may be in flight, and why.
    pub concurrency: ConcurrencyReport,
    /// Threads of the pool that generators run on.
    pub pool_threads: usize,
    /// Chunks that are wanted.
    pub wanted_chunks: usize,
    /// Chunks that are there.
    pub loaded_chunks: usize,
    /// Entities under the roots of the chunks that are there.
    pub loaded_entities: usize,
    /// Bytes that were uploaded for chunks that are in the `World`; see [`ChunkStream::loaded_bytes`](crate::ChunkStream::loaded_bytes).
    pub loaded_bytes: usize,
    /// Chunks that were given up and are not yet despawned.
    pub unloading_chunks: usize,
    /// Those of them that are kept because saving them failed, or because there is no room for what is saved.
    pub unsaved_chunks: usize,
    /// Chunks that were [marked as dirty](crate::ChunkStream::mark_dirty) since they were saved.
    pub dirty_chunks: usize,
    /// Chunks that were handed to an archive and are not durable yet: what a crash loses beside what is dirty.
    pub undurable_chunks: usize,
    /// Chunks of which all entities are spawned and that wait, hidden, for their gates.
    pub gated_chunks: usize,
    /// Wanted chunks that are not loaded because there is no room for their bytes.
    pub held_back_chunks: usize,
    /// Wanted chunks that were given up and not asked for again.
    pub quarantined_chunks: usize,
    /// What the last frame cost and did.
    pub frame: StreamingFrame,
    /// How long the work on the `World` took, over all frames before this one that had any.
    pub apply_times: DurationSummary,
    /// How far those frames, scanning and generating included, went over the budget's time; zero where they did not.
    pub overshoots: DurationSummary,
    /// Sums since the stream was made.
    pub totals: StreamingTotals,
}

/// Work whose result was never seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WastedWork {
    /// Chunks that were generated and never applied.
    pub chunks: u64,
    /// Time that generators spent on them, to one part in sixteen.
    pub time: Duration,
}

impl StreamingSnapshot {
    /// The share of all requests that was withdrawn, from 0 to 1.
    #[must_use]
    pub fn cancelled_share(&self) -> f64 {
        share(self.counters.cancelled, self.counters.requested)
    }

    /// The share of all requests that was superseded by a newer version, from 0 to 1.
    #[must_use]
    pub fn stale_share(&self) -> f64 {
        share(self.counters.stale, self.counters.requested)
    }

    /// The share of what was generated that was never applied, from 0 to 1.
    #[must_use]
    pub fn wasted_share(&self) -> f64 {
        share(self.wasted.chunks, self.counters.generated)
    }
}

/// Zero if the whole is zero.
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
