//! The ready-made Bevy plugin: viewers → wanted set → scheduler → budgeted application.

#[cfg(feature = "store")]
mod archive;
#[cfg(feature = "store")]
mod archive_trait;
mod config;
mod explain;
mod frame_meter;
mod index;
mod loaded_chunks;
mod lod;
mod messages;
mod order;
mod plugin;
mod progress;
#[cfg(feature = "bevy_reflect")]
mod reflect;
mod region;
mod saving;
mod stats;
mod stream;
mod stream_now;
mod systems;
mod systems_plugin;
mod task_pool;
mod viewer;
mod world_origin;

pub use config::{DespawnedRoots, StartError, StreamingConfig, StreamingConfigError};
pub use explain::ChunkStatus;
pub use frame_meter::{FrameMeter, WholeFrame};
pub use index::{ChunkIndex, ChunkRoot};
pub use loaded_chunks::LoadedChunks;
pub use lod::{ChunkLevels, NeighbourLevels};
pub use messages::{
    ChunkFailed, ChunkLoaded, ChunkRegionReady, ChunkSaveFailed, ChunkUnloaded, ChunkUnloading,
};
pub use order::{LoadOrder, ViewerRank, ViewerSnapshot};
pub use plugin::ChunkStreamingPlugin;
pub use progress::RegionProgress;
pub use region::ChunkRegion;
pub use saving::{
    ChunkToSave, FailedSave, PendingSave, Reset, RoomForSaves, SaveError, SaveHook, SavePolicy,
    SaveReason, SaveReport, SavedChunks,
};
#[cfg(feature = "metrics")]
pub use stats::StreamingMetricsPlugin;
pub use stats::{
    LatencySummary, RingLatency, StreamingDiagnosticsPlugin, StreamingFrame, StreamingSnapshot,
    StreamingTotals, WastedWork,
};
pub use stream::ChunkStream;
pub use stream_now::{ChunkStreamNow, chunks_are_ready, chunks_are_settled};
pub use systems::mark_changed_chunks;
pub use systems_plugin::{ChunkStreamSystemsPlugin, StreamingSystems};
pub use task_pool::streaming_pool_options;
pub use viewer::{ChunkViewer, ChunkViewerAt};
