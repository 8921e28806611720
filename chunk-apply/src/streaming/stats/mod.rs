//! What a stream says about itself: costs, latencies, and the plugins that pass them on.

mod diagnostics;
mod frame;
mod latency;
mod metric_table;
#[cfg(feature = "metrics")]
mod metrics;
mod snapshot;

pub use diagnostics::StreamingDiagnosticsPlugin;
pub(super) use frame::Frames;
pub use frame::{StreamingFrame, StreamingTotals};
pub(super) use latency::Latencies;
pub use latency::{LatencySummary, RingLatency};
#[cfg(feature = "metrics")]
pub use metrics::StreamingMetricsPlugin;
pub use snapshot::{StreamingSnapshot, WastedWork};
