//! Connects the applier to the scheduler, the backlog and the index.

use super::{
    backlog::Backlog,
    index::{ChunkIndex, ChunkRoot, RootOf},
    latency::Latencies,
    messages::{ChunkFailed, ChunkLoaded},
    parts::Parts,
    place::Place,
    plugin::BeforeUnload,
    rank::ViewerRank,
};
use crate::{
    applier::Applier,
    clock::Clock,
    error::SpawnError,
    host::{Arrival, ChunkHost, Leftovers, LoadedChunk, SpawnedChunk, Stale},
};
use ahash::AHashSet;
use bevy_ecs::{
    entity::Entity, hierarchy::Children, relationship::RelationshipTarget, world::World,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Lane, Rank, Scheduler, Version};
use std::collections::BTreeSet;
use tracing::warn;

/// The stream's parts that an [`Applier`] works for, borrowed for one frame.
pub(super) struct StreamHost<'a, T: Send + Sync + 'static> {
    scheduler: &'a mut Scheduler<ChunkCoord, T, ViewerRank>,
    backlog: &'a mut Backlog<T>,
    begun: &'a mut Vec<(ChunkCoord, Lane)>,
    rank: &'a ViewerRank,
    place: &'a Place,
    latencies: &'a mut Latencies,
    clock: &'a dyn Clock,
    before_unload: Option<&'a BeforeUnload>,
    unsaved: &'a mut AHashSet<ChunkCoord>,
    held: &'a BTreeSet<ChunkCoord>,
    loaded: &'a mut Vec<ChunkLoaded<T>>,
    failed: &'a mut Vec<ChunkFailed<T>>,
    /// Whether what was made is of a grid that is no longer the stream's.
    is_of_another_grid: bool,
    /// Content that turned out to be out of date, to be dropped elsewhere.
    outdated: Vec<T>,
}

impl<'a, T: Send + Sync + 'static> StreamHost<'a, T> {
    /// Borrows a stream's parts, and the applier that works for them.
    pub(super) fn of(parts: &'a mut Parts<T>) -> (&'a mut Applier<ChunkCoord, T>, Self) {
        let host = Self {
            is_of_another_grid: parts.is_of_another_grid(),
            scheduler: &mut parts.scheduler,
            backlog: &mut parts.backlog,
            begun: &mut parts.begun,
            rank: &parts.rank,
            place: &parts.place,
            latencies: &mut parts.latencies,
            clock: &*parts.clock,
            before_unload: parts.before_unload.as_ref(),
            unsaved: &mut parts.unsaved,
            held: &parts.held,
            loaded: &mut parts.loaded,
            failed: &mut parts.failed,
            outdated: Vec::new(),
        };
        (&mut parts.applier, host)
    }

    /// Gives back what was borrowed.
    pub(super) fn end(self) {
        self.scheduler.discard(self.outdated);
    }

    /// The live version of the chunk, if it is the one numbered so.
    fn live(&self, coord: ChunkCoord, version: u64) -> Option<Version> {
        (self.scheduler.live_version(coord)).filter(|live| live.get() == version)
    }

    fn lane(&self, coord: ChunkCoord) -> Lane {
        let begun = self.begun.iter().find(|(begun, _)| *begun == coord);
        begun.map_or(Lane::Normal, |(_, lane)| *lane)
    }
}

/// Chunks remembered as begun before those are sought out that no longer are.
const BEGUN: usize = 8;

impl<T: Send + Sync + 'static> ChunkHost<ChunkCoord, T> for StreamHost<'_, T> {
    fn next_arrival(&mut self) -> Option<Arrival<ChunkCoord, T>> {
        if self.is_of_another_grid {
            return None;
        }
        loop {
            let chunk = self.backlog.pop()?;
            if !self.scheduler.is_current(chunk.key, chunk.version) {
                self.outdated.push(chunk.content);
                continue;
            }
            if self.begun.len() == BEGUN {
                let scheduler = &self.scheduler;
                (self.begun).retain(|(coord, _)| scheduler.live_version(*coord).is_some());
            }
            self.begun.push((chunk.key, chunk.lane));
            return Some(Arrival {
                key: chunk.key,
                version: chunk.version.get(),
                content: chunk.content,
            });
        }
    }

    fn has_arrivals(&self) -> bool {
        !self.is_of_another_grid && !self.backlog.is_empty()
    }

    fn is_current(&self, coord: &ChunkCoord, version: u64) -> bool {
        !self.is_of_another_grid && self.live(*coord, version).is_some()
    }

    /// A more urgent one does, and of the same lane one that is a whole ring nearer.
    fn overtakes(&self, partial: &ChunkCoord) -> bool {
        let Some((lane, distance_sq)) = self.backlog.head() else {
            return false;
        };
        let next = (lane, distance_sq.isqrt());
        next < (self.lane(*partial), self.rank.rank(partial).isqrt())
    }

    fn spawn_root(&mut self, world: &mut World, coord: &ChunkCoord) -> Entity {
        let root = (
            ChunkRoot { coord: *coord },
            RootOf::<T>::new(*coord, self.place.grid),
            self.place.transform(*coord),
            // Else it would move to another table with its first child.
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
        if !self.scheduler.applied(chunk.key, version) {
            return Err(Stale);
        }
        self.begun.retain(|(coord, _)| *coord != chunk.key);
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
        self.unsaved.remove(coord);
        let Some(hook) = self.before_unload else {
            return;
        };
        // There is nothing to save of a root that somebody despawned meanwhile.
        if world.get_entity(chunk.root).is_ok()
            && let Err(error) = SpawnError::catch(|| hook(world, *coord, chunk.root))
        {
            warn!(?coord, "the hook before unloading panicked: {error}");
        }
    }

    fn awaited(&self) -> usize {
        self.held.len()
    }

    fn is_awaited(&self, coord: &ChunkCoord) -> bool {
        self.held.contains(coord)
    }

    fn discard(&mut self, rest: Leftovers) {
        self.scheduler.discard(vec![rest]);
    }

    fn failed(&mut self, coord: &ChunkCoord, version: u64, error: SpawnError) {
        self.begun.retain(|(begun, _)| begun != coord);
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
