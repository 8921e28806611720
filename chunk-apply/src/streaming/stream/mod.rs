//! One stream of chunks: its state, its queues, and its host for the applier.

mod backlog;
mod ceiling;
mod chunk_stream;
mod departures;
mod expected;
mod gates;
mod hide_queue;
mod host;
mod marks;
mod parked_applier;
mod pending_changes;
mod quarantine;
mod root_event;
mod save_queue;
mod saves;
mod state;
mod stop;
mod swaps;

pub use chunk_stream::ChunkStream;
pub(super) use host::StreamHost;
pub(super) use parked_applier::ParkedApplier;
pub(super) use root_event::RootEvent;
pub(super) use state::{StreamState, renew};
