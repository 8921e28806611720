#![cfg_attr(feature = "streaming", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "streaming"),
    doc = "Applies chunks of a queue of your own to a Bevy `World` under one time budget, in slices."
)]
#![forbid(unsafe_code)]

mod applier;
mod budget;
mod contain;
mod host;
mod spawn;
#[cfg(feature = "streaming")]
mod streaming;
mod sync;
mod unload;

pub use applier::Applier;
pub use budget::{ApplyBudget, ApplyReport, Clock, FrameTarget, ManualClock, MonotonicClock};
pub use host::{
    Arrival, ChunkHost, Departing, Departure, Held, LoadedChunk, SpawnedChunk, Stale, Unsaved,
};
pub use spawn::{ChunkWriter, Leftovers, SpawnError, Spawner, reserve_entities};
#[cfg(feature = "metrics")]
pub use streaming::StreamingMetricsPlugin;
#[cfg(feature = "streaming")]
pub use streaming::{
    ChunkFailed, ChunkIndex, ChunkLevels, ChunkLoaded, ChunkRegion, ChunkRegionReady, ChunkRoot,
    ChunkSaveFailed, ChunkStatus, ChunkStream, ChunkStreamNow, ChunkStreamSystemsPlugin,
    ChunkStreamingPlugin, ChunkToSave, ChunkUnloaded, ChunkUnloading, ChunkViewer, ChunkViewerAt,
    DespawnedRoots, FailedSave, FrameMeter, LatencySummary, LoadOrder, LoadedChunks,
    NeighbourLevels, PendingSave, RegionProgress, Reset, RingLatency, RoomForSaves, SaveError,
    SaveHook, SavePolicy, SaveReason, SaveReport, SavedChunks, StartError, StreamingConfig,
    StreamingConfigError, StreamingDiagnosticsPlugin, StreamingFrame, StreamingSnapshot,
    StreamingSystems, StreamingTotals, ViewerRank, ViewerSnapshot, WastedWork, WholeFrame,
    chunks_are_ready, chunks_are_settled, mark_changed_chunks, streaming_pool_options,
};
/// All of the crates below this one, so that a game depends on this one alone.
#[cfg(feature = "streaming")]
#[doc(no_inline)]
pub use {chunk_coord::*, chunk_scheduler::*};

/// What most users name, including types of the crates below this one.
pub mod prelude {
    pub use crate::{ApplyBudget, ChunkWriter, SpawnError, Spawner};
    #[cfg(feature = "streaming")]
    pub use crate::{
        ChunkFailed, ChunkIndex, ChunkLoaded, ChunkRoot, ChunkStream, ChunkStreamNow,
        ChunkStreamSystemsPlugin, ChunkStreamingPlugin, ChunkToSave, ChunkUnloaded, ChunkUnloading,
        ChunkViewer, ChunkViewerAt, LoadOrder, Reset, SaveError, StreamingConfig, StreamingSystems,
        chunks_are_ready,
    };
    #[cfg(feature = "streaming")]
    pub use chunk_coord::{ChunkCoord, ChunkGrid, Footprint, ViewRange};
    #[cfg(feature = "streaming")]
    pub use chunk_scheduler::{GenerateError, Generator, Job, Layer, LayerJob, Layers, Verdict};
}
