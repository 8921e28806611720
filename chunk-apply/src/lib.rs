#![cfg_attr(feature = "streaming", doc = include_str!("../README.md"))]
#![cfg_attr(
    not(feature = "streaming"),
    doc = "Applies chunks of a queue of your own to a Bevy `World` under one time budget, in slices."
)]
#![forbid(unsafe_code)]

mod applier;
mod batch;
mod budget;
mod clock;
mod costs;
mod error;
mod growth;
mod host;
mod indices;
mod pace;
mod partial;
mod report;
mod spawner;
#[cfg(feature = "streaming")]
mod streaming;
mod sync;
mod unload;
mod visibility;
mod writer;

pub use applier::Applier;
pub use budget::ApplyBudget;
pub use clock::{Clock, ManualClock, MonotonicClock};
pub use error::SpawnError;
pub use host::{Arrival, ChunkHost, Leftovers, LoadedChunk, SpawnedChunk, Stale};
pub use report::ApplyReport;
pub use spawner::Spawner;
#[cfg(feature = "metrics")]
pub use streaming::StreamingMetricsPlugin;
#[cfg(feature = "streaming")]
pub use streaming::{
    BeforeUnload, ChunkFailed, ChunkIndex, ChunkLevels, ChunkLoaded, ChunkRoot, ChunkStream,
    ChunkStreamingPlugin, ChunkUnloaded, ChunkViewer, LatencySummary, RingLatency, StreamingConfig,
    StreamingConfigError, StreamingDiagnosticsPlugin, StreamingFrame, StreamingRefused,
    StreamingSnapshot, StreamingSystems, StreamingTotals, ViewerRank, WastedWork,
    streaming_pool_options,
};
pub use writer::ChunkWriter;

/// What most users name, of the crates below this one as well: one `use` is enough for a world.
pub mod prelude {
    pub use crate::{ApplyBudget, ChunkWriter, SpawnError, Spawner};
    #[cfg(feature = "streaming")]
    pub use crate::{
        ChunkFailed, ChunkIndex, ChunkLoaded, ChunkRoot, ChunkStream, ChunkStreamingPlugin,
        ChunkUnloaded, ChunkViewer, StreamingConfig, StreamingSystems,
    };
    #[cfg(feature = "streaming")]
    pub use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
    #[cfg(feature = "streaming")]
    pub use chunk_scheduler::{Generator, Job};
}
