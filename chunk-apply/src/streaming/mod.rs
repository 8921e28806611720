//! The ready-made Bevy plugin: viewers → wanted set → scheduler → budgeted application.

mod backlog;
mod config;
mod diagnostics;
mod frame;
mod host;
mod index;
mod levels;
mod messages;
mod pending;
mod place;
mod plugin;
mod pool;
mod rank;
#[cfg(feature = "bevy_reflect")]
mod reflect;
mod saving;
mod snapshot;
mod stream;
mod systems;
mod viewer;

pub use config::{StreamingConfig, StreamingConfigError};
pub use diagnostics::StreamingDiagnosticsPlugin;
pub use index::{ChunkIndex, ChunkRoot};
pub use levels::ChunkLevels;
pub use messages::{ChunkFailed, ChunkLoaded, ChunkUnloaded};
pub use plugin::{BeforeUnload, ChunkStreamingPlugin, StreamingRefused, StreamingSystems};
pub use pool::streaming_pool_options;
pub use rank::ViewerRank;
pub use snapshot::StreamingSnapshot;
pub use stream::{Streaming, StreamingFrame, StreamingTotals};
pub use viewer::ChunkViewer;
