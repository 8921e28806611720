//! Everything a stream knows about itself, at one moment.

use super::{
    index::ChunkIndex,
    stream::{Streaming, StreamingFrame, StreamingTotals},
};
use chunk_scheduler::{ConcurrencyReport, Counters, Depths, DurationSummary};

/// A stream's state, to be shown, logged or compared.
///
/// ```
/// # use chunk_apply::{ChunkIndex, StreamingSnapshot, Streaming};
/// fn overlay<T: Send + Sync>(stream: &Streaming<T>, index: &ChunkIndex<T>) -> String {
///     let StreamingSnapshot { depths, loaded_chunks, .. } = stream.snapshot(index);
///     format!("{loaded_chunks} chunks, {} on their way", depths.live())
/// }
/// # struct Rocks;
/// # let _ = overlay::<Rocks>;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StreamingSnapshot {
    /// How many jobs are queued, in flight, completed, in the backlog and quarantined.
    pub depths: Depths,
    /// What became of all requests so far.
    pub counters: Counters,
    /// How long generators took.
    pub generation_times: DurationSummary,
    /// How long generators went on after they were cancelled.
    pub cancel_latencies: DurationSummary,
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
    /// Chunks that are hidden and not yet despawned.
    pub unloading_chunks: usize,
    /// What the last frame cost and did.
    pub frame: StreamingFrame,
    /// Sums since the stream was made.
    pub totals: StreamingTotals,
}

impl<T: Send + Sync + 'static> Streaming<T> {
    /// The stream's state now. Costs a few microseconds; the index is the stream's own.
    #[must_use]
    pub fn snapshot(&self, index: &ChunkIndex<T>) -> StreamingSnapshot {
        let scheduler = self.scheduler();
        StreamingSnapshot {
            depths: scheduler.depths(),
            counters: scheduler.counters(),
            generation_times: scheduler.generation_times(),
            cancel_latencies: scheduler.cancel_latencies(),
            concurrency: scheduler.concurrency(),
            pool_threads: scheduler.pool_threads(),
            wanted_chunks: self.wanted().len(),
            loaded_chunks: index.len(),
            loaded_entities: index.entities(),
            unloading_chunks: self.unloading(),
            frame: self.last_frame(),
            totals: self.totals(),
        }
    }
}
