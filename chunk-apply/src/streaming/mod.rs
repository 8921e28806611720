//! The ready-made Bevy plugin: viewers → wanted set → scheduler → budgeted application.

mod apply;
mod backlog;
mod config;
mod diagnostics;
mod figures;
mod frame;
mod generate;
mod host;
mod index;
mod latency;
mod levels;
mod messages;
#[cfg(feature = "metrics")]
mod metrics;
mod parts;
mod pending;
mod place;
mod plugin;
mod pool;
mod rank;
#[cfg(feature = "bevy_reflect")]
mod reflect;
mod saving;
mod scan;
mod snapshot;
mod stream;
mod viewer;
mod work;

pub use config::{StreamingConfig, StreamingConfigError};
pub use diagnostics::StreamingDiagnosticsPlugin;
pub use index::{ChunkIndex, ChunkRoot};
pub use latency::{LatencySummary, RingLatency};
pub use levels::ChunkLevels;
pub use messages::{ChunkFailed, ChunkLoaded, ChunkUnloaded};
#[cfg(feature = "metrics")]
pub use metrics::StreamingMetricsPlugin;
pub use plugin::{BeforeUnload, ChunkStreamingPlugin, StreamingRefused, StreamingSystems};
pub use pool::streaming_pool_options;
pub use rank::ViewerRank;
pub use snapshot::{StreamingSnapshot, WastedWork};
pub use stream::{ChunkStream, StreamingFrame, StreamingTotals};
pub use viewer::ChunkViewer;
