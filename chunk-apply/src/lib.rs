//! Puts generated chunks into a Bevy [`World`](bevy_ecs::world::World) under one time budget, in
//! slices, and takes them out the same way, so that no frame is late.
//!
//! | type | what it is |
//! |---|---|
//! | [`Spawner`], [`ChunkWriter`] | your recipe from content to entities, and what it writes with |
//! | [`ApplyBudget`] | time and chunks a frame may spend |
//! | [`Applier`], [`ChunkHost`] | the engine, for a queue of your own |
//! | `ChunkStreamingPlugin`, `ChunkViewer` | everything composed, with the feature `streaming` |
//! | `Streaming`, `ChunkIndex` | the running stream, and from coordinate to root |
//!
//! ```
//! use bevy_ecs::prelude::*;
//! use chunk_apply::{Applier, ApplyBudget, Arrival, ChunkHost, LoadedChunk, SpawnError, Spawner, Stale, WholeChunk};
//!
//! /// A queue without versions, for a world that never unloads.
//! struct Queue(Vec<Arrival<u32, u32>>);
//!
//! impl ChunkHost<u32, u32> for Queue {
//!     fn next_arrival(&mut self) -> Option<Arrival<u32, u32>> {
//!         self.0.pop()
//!     }
//!     fn has_arrivals(&self) -> bool {
//!         !self.0.is_empty()
//!     }
//!     fn is_current(&self, _key: &u32, _version: u64) -> bool {
//!         true
//!     }
//!     fn spawn_root(&mut self, world: &mut World, _key: &u32) -> Entity {
//!         world.spawn_empty().id()
//!     }
//!     fn applied(&mut self, _: &mut World, chunk: WholeChunk<u32>) -> Result<Option<LoadedChunk>, Stale> {
//!         println!("chunk {} has {} entities", chunk.key, chunk.entities);
//!         Ok(None)
//!     }
//!     fn failed(&mut self, key: &u32, _version: u64, error: SpawnError) {
//!         println!("chunk {key} failed: {error}");
//!     }
//! }
//!
//! #[derive(Component)]
//! struct Rock(u32);
//!
//! let spawner = Spawner::new(|_key, rocks: u32, writer| writer.spawn_batch((0..rocks).map(Rock)));
//! let mut applier = Applier::new(spawner);
//! let mut queue = Queue(vec![Arrival { key: 7, version: 1, content: 50 }]);
//! let mut world = World::new();
//! let mut applied = 0;
//! while applied == 0 {
//!     applied = applier.apply(&mut world, &mut queue, &ApplyBudget::default()).applied;
//! }
//! assert_eq!(world.query::<&Rock>().iter(&world).count(), 50);
//! ```
//!
//! It does not know what a chunk contains, holds no asset, and generates nothing.
#![forbid(unsafe_code)]

mod applier;
mod batch;
mod budget;
mod clock;
mod error;
mod host;
mod pace;
mod report;
mod spawner;
#[cfg(feature = "streaming")]
mod streaming;
mod unload;
mod visibility;
mod writer;

pub use applier::Applier;
pub use budget::ApplyBudget;
pub use clock::{Clock, ManualClock, MonotonicClock};
pub use error::SpawnError;
pub use host::{Arrival, ChunkHost, LoadedChunk, Stale, WholeChunk};
pub use report::ApplyReport;
pub use spawner::Spawner;
#[cfg(feature = "metrics")]
pub use streaming::StreamingMetricsPlugin;
#[cfg(feature = "streaming")]
pub use streaming::{
    BeforeUnload, ChunkFailed, ChunkIndex, ChunkLevels, ChunkLoaded, ChunkRoot,
    ChunkStreamingPlugin, ChunkUnloaded, ChunkViewer, LatencySummary, RingLatency, Streaming,
    StreamingConfig, StreamingDiagnosticsPlugin, StreamingFrame, StreamingRefused,
    StreamingSnapshot, StreamingSystems, StreamingTotals, ViewerRank, WastedWork,
};
pub use writer::ChunkWriter;

/// What most users name.
pub mod prelude {
    pub use crate::{ApplyBudget, ChunkWriter, SpawnError, Spawner};
    #[cfg(feature = "streaming")]
    pub use crate::{
        ChunkFailed, ChunkIndex, ChunkLoaded, ChunkRoot, ChunkStreamingPlugin, ChunkUnloaded,
        ChunkViewer, Streaming, StreamingConfig, StreamingSystems,
    };
}

/// Compiles and runs the example of this crate's README.
#[cfg(all(doctest, feature = "streaming"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Compiles and runs the quick start of the workspace's README.
#[cfg(all(doctest, feature = "streaming"))]
#[doc = include_str!("../../README.md")]
struct QuickStart;
