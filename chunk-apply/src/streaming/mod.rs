//! The ready-made Bevy plugin: viewers → wanted set → scheduler → budgeted application.

mod backlog;
mod config;
mod diagnostics;
mod figures;
mod host;
mod index;
mod latency;
mod levels;
mod messages;
#[cfg(feature = "metrics")]
mod metrics;
mod place;
mod plugin;
mod rank;
mod snapshot;
mod stream;
mod systems;
mod viewer;
mod work;

pub use config::StreamingConfig;
pub use diagnostics::StreamingDiagnosticsPlugin;
pub use index::{ChunkIndex, ChunkRoot};
pub use latency::{LatencySummary, RingLatency};
pub use levels::ChunkLevels;
pub use messages::{ChunkFailed, ChunkLoaded, ChunkUnloaded};
#[cfg(feature = "metrics")]
pub use metrics::StreamingMetricsPlugin;
pub use plugin::{BeforeUnload, ChunkStreamingPlugin, StreamingRefused, StreamingSystems};
pub use rank::ViewerRank;
pub use snapshot::{StreamingSnapshot, WastedWork};
pub use stream::{Streaming, StreamingFrame, StreamingTotals};
pub use viewer::ChunkViewer;
