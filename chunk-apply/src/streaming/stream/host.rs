//! Connects the applier to the scheduler, the backlog and the index.

use super::{root_event::RootEvent, state::StreamState};
use crate::{
    host::{Arrival, ChunkHost, LoadedChunk, SpawnedChunk, Stale},
    spawn::{Leftovers, SpawnError},
    streaming::{
        index::{ChunkIndex, ChunkRoot, RootOf},
        messages::{ChunkFailed, ChunkLoaded, ChunkUnloading},
    },
};
use bevy_ecs::{
    entity::Entity, hierarchy::Children, relationship::RelationshipTarget, world::World,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Rank, Version};
use tracing::warn;

/// The state that an [`Applier`](crate::Applier) works for, borrowed for one half of a frame.
pub(in crate::streaming) struct StreamHost<'a, T: Send + Sync + 'static> {
    state: &'a mut StreamState<T>,
    /// Content that turned out to be out of date, which a worker will drop.
    outdated: Vec<T>,
}

impl<'a, T: Send + Sync + 'static> StreamHost<'a, T> {
    pub(in crate::streaming) fn new(state: &'a mut StreamState<T>) -> Self {
        Self {
            state,
            outdated: Vec::new(),
        }
    }

    /// Gives the borrowed state back.
    pub(in crate::streaming) fn end(self) {
        self.state.scheduler.discard(self.outdated);
    }

    /// The live version of the chunk, if it has this number.
    fn live(&self, coord: ChunkCoord, version: u64) -> Option<Version> {
        (self.state.scheduler.live_version(coord)).filter(|live| live.get() == version)
    }
}

impl<T: Send + Sync + 'static> ChunkHost<ChunkCoord, T> for StreamHost<'_, T> {
    fn next_arrival(&mut self) -> Option<Arrival<ChunkCoord, T>> {
        if self.state.is_of_another_grid() {
            return None;
        }
        loop {
            let (key, version, content) = self.state.backlog.pop()?;
            if self.state.scheduler.is_current(key, version) {
                let version = version.get();
                return Some(Arrival {
                    key,
                    version,
                    content,
                });
            }
            self.outdated.push(content);
        }
    }

    fn has_arrivals(&self) -> bool {
        !self.state.is_of_another_grid() && !self.state.backlog.is_empty()
    }

    fn is_current(&self, coord: &ChunkCoord, version: u64) -> bool {
        !self.state.is_of_another_grid() && self.live(*coord, version).is_some()
    }

    fn spawn_root(&mut self, world: &mut World, coord: &ChunkCoord) -> Entity {
        let origin = &self.state.world_origin;
        let root = (
            ChunkRoot { coord: *coord },
            RootOf::<T>::new(*coord, origin.grid),
            origin.transform(*coord),
            // Otherwise the root would move to another table with its first child.
            <Children as RelationshipTarget>::with_capacity(0),
        );
        #[cfg(feature = "visibility")]
        let root = (root, bevy_camera::visibility::Visibility::Inherited);
        world.spawn(root).id()
    }

    fn applied(
        &mut self,
        world: &mut World,
        chunk: SpawnedChunk<ChunkCoord>,
    ) -> Result<Option<LoadedChunk>, Stale> {
        let version = self.live(chunk.key, chunk.version).ok_or(Stale)?;
        let state = &mut *self.state;
        if !state.scheduler.applied(chunk.key, version) {
            return Err(Stale);
        }
        let loaded = LoadedChunk {
            root: chunk.root,
            entities: chunk.entities,
            version: chunk.version,
        };
        let mut index = world.resource_mut::<ChunkIndex<T>>();
        let replaced = index.insert(chunk.key, loaded);
        if let Some(replaced) = replaced {
            let unloading = ChunkUnloading::new(chunk.key, replaced.root);
            state.root_events.push_back(RootEvent::Unloading(unloading));
        }
        let distance_sq = state.rank.rank(&chunk.key);
        let latency = (state.latencies).shown(chunk.key, distance_sq, state.clock.now());
        let loaded = ChunkLoaded::new(chunk.key, chunk.root, chunk.entities, latency);
        state
            .root_events
            .push_back(RootEvent::Loaded(loaded.clone()));
        state.loaded.push(loaded);
        Ok(replaced)
    }

    fn before_unload(&mut self, world: &mut World, coord: &ChunkCoord, chunk: LoadedChunk) {
        self.state.unsaved.remove(coord);
        let Some(hook) = &self.state.before_unload else {
            return;
        };
        // If a user despawned the root meanwhile, there is nothing to save.
        if world.get_entity(chunk.root).is_ok()
            && let Err(error) = SpawnError::catch(|| hook(world, *coord, chunk.root))
        {
            warn!(?coord, "the hook before unloading panicked: {error}");
        }
    }

    fn waiting_for_save(&self) -> usize {
        self.state.waiting_for_save.len()
    }

    fn is_waiting_for_save(&self, coord: &ChunkCoord) -> bool {
        self.state.waiting_for_save.contains(coord)
    }

    fn discard(&mut self, rest: Leftovers) {
        self.state.scheduler.discard(vec![rest]);
    }

    fn failed(&mut self, coord: &ChunkCoord, version: u64, error: SpawnError) {
        // The scheduler reports it among its failures, with the attempts and whether it is retried.
        if let Some(version) = self.live(*coord, version) {
            let scheduler = &mut self.state.scheduler;
            scheduler.apply_failed(*coord, version, error.message());
        } else {
            // Withdrawn in the same frame, so that it is not retried; the failure is reported all the same.
            let message = error.message().to_owned();
            let failed = ChunkFailed::new(*coord, None, message, 1, false);
            self.state.failed.push(failed);
        }
    }
}
