//! Connects the applier to the scheduler, the backlog and the index.

use super::{
    backlog::Backlog,
    index::{ChunkIndex, ChunkRoot, RootOf},
    latency::Latencies,
    messages::{ChunkFailed, ChunkLoaded},
    place::Place,
    plugin::BeforeUnload,
    rank::ViewerRank,
};
use crate::{
    clock::Clock,
    error::SpawnError,
    host::{Arrival, ChunkHost, LoadedChunk, Stale, WholeChunk},
};
use bevy_ecs::{entity::Entity, world::World};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Rank, Scheduler, Version};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing::warn;

/// The stream's parts that an [`Applier`](crate::Applier) works for, borrowed for one frame.
pub(crate) struct StreamHost<'a, T: Send + Sync + 'static> {
    pub(crate) scheduler: &'a mut Scheduler<ChunkCoord, T, ViewerRank>,
    pub(crate) backlog: &'a mut Backlog<T>,
    pub(crate) place: &'a Place,
    pub(crate) rank: &'a ViewerRank,
    pub(crate) latencies: &'a mut Latencies,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) before_unload: Option<&'a BeforeUnload>,
    pub(crate) loaded: &'a mut Vec<ChunkLoaded<T>>,
    pub(crate) failed: &'a mut Vec<ChunkFailed<T>>,
}

impl<T: Send + Sync + 'static> StreamHost<'_, T> {
    /// The live version of the chunk, if it is the one numbered so.
    fn live(&self, coord: ChunkCoord, version: u64) -> Option<Version> {
        (self.scheduler.live_version(coord)).filter(|live| live.get() == version)
    }
}

impl<T: Send + Sync + 'static> ChunkHost<ChunkCoord, T> for StreamHost<'_, T> {
    fn next_arrival(&mut self) -> Option<Arrival<ChunkCoord, T>> {
        loop {
            let chunk = self.backlog.pop()?;
            if self.scheduler.is_current(chunk.key, chunk.version) {
                return Some(Arrival {
                    key: chunk.key,
                    version: chunk.version.get(),
                    content: chunk.content,
                });
            }
            self.scheduler.discard(vec![chunk.content]);
        }
    }

    fn has_arrivals(&self) -> bool {
        !self.backlog.is_empty()
    }

    fn is_current(&self, coord: &ChunkCoord, version: u64) -> bool {
        self.live(*coord, version).is_some()
    }

    fn spawn_root(&mut self, world: &mut World, coord: &ChunkCoord) -> Entity {
        let root = (
            ChunkRoot { coord: *coord },
            RootOf::<T>::new(),
            self.place.transform(*coord),
        );
        #[cfg(feature = "visibility")]
        let root = (root, bevy_camera::visibility::Visibility::Inherited);
        world.spawn(root).id()
    }

    fn applied(
        &mut self,
        world: &mut World,
        chunk: WholeChunk<ChunkCoord>,
    ) -> Result<Option<LoadedChunk>, Stale> {
        let version = self.live(chunk.key, chunk.version).ok_or(Stale)?;
        if !self.scheduler.applied(chunk.key, version) {
            return Err(Stale);
        }
        let distance_sq = self.rank.rank(&chunk.key);
        let latency = (self.latencies).shown(chunk.key, distance_sq, self.clock.now());
        let loaded = ChunkLoaded::new(chunk.key, chunk.root, chunk.entities, latency);
        self.loaded.push(loaded);
        let loaded = LoadedChunk {
            root: chunk.root,
            entities: chunk.entities,
            version: chunk.version,
        };
        Ok(world
            .resource_mut::<ChunkIndex<T>>()
            .insert(chunk.key, loaded))
    }

    fn before_unload(&mut self, world: &mut World, coord: &ChunkCoord, chunk: LoadedChunk) {
        let Some(hook) = self.before_unload else {
            return;
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| hook(world, *coord, chunk.root)));
        if let Err(panic) = outcome {
            let error = SpawnError::from_panic(panic);
            warn!(?coord, "the hook before unloading panicked: {error}");
        }
    }

    fn failed(&mut self, coord: &ChunkCoord, version: u64, error: SpawnError) {
        // The scheduler reports it among its failures, with attempts and what happens next.
        match self.live(*coord, version) {
            Some(version) => {
                self.scheduler
                    .apply_failed(*coord, version, error.message());
            }
            // Withdrawn in the same frame: nobody will try again, yet somebody may want to know.
            None => {
                let message = error.message().to_owned();
                self.failed
                    .push(ChunkFailed::new(*coord, message, 1, false));
            }
        }
    }
}
