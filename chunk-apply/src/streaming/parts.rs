//! What a stream works with.

use super::{
    backlog::Backlog,
    frame::{Frames, StreamingTotals},
    latency::Latencies,
    levels::Leveller,
    messages::{ChunkFailed, ChunkLoaded, ChunkUnloaded},
    pending::Pending,
    place::Place,
    plugin::{BeforeUnload, ChunkStreamingPlugin},
    rank::ViewerRank,
    viewer::Viewers,
};
use crate::{applier::Applier, clock::Clock, host::LoadedChunk, sync::Arc};
use ahash::AHashSet;
use bevy_ecs::world::World;
use chunk_coord::{ChunkCoord, WantedSet};
use chunk_scheduler::{ConfigError, Lane, Rank, Scheduler};
use std::collections::BTreeSet;

/// The parts of a stream, and what is on its way between them.
pub(super) struct Parts<T: Send + Sync + 'static> {
    pub(super) place: Place,
    pub(super) wanted: WantedSet,
    /// What `wanted` says and was not acted on yet.
    pub(super) pending: Pending,
    pub(super) viewers: Viewers,
    pub(super) rank: ViewerRank,
    pub(super) scheduler: Scheduler<ChunkCoord, T, ViewerRank>,
    pub(super) backlog: Backlog<T>,
    pub(super) applier: Applier<ChunkCoord, T>,
    pub(super) leveller: Option<Leveller>,
    pub(super) before_unload: Option<BeforeUnload>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) latencies: Latencies,
    /// Chunks that left the index and are to be handed to the applier.
    pub(super) to_unload: Vec<(ChunkCoord, LoadedChunk)>,
    /// The lanes of chunks that are being spawned.
    pub(super) begun: Vec<(ChunkCoord, Lane)>,
    /// Chunks that left the index and were not given to the hook yet; empty without a hook.
    pub(super) unsaved: AHashSet<ChunkCoord>,
    /// Those of them that are wanted again, and asked for once they are saved.
    pub(super) held: BTreeSet<ChunkCoord>,
    pub(super) loaded: Vec<ChunkLoaded<T>>,
    pub(super) unloaded: Vec<ChunkUnloaded<T>>,
    pub(super) failed: Vec<ChunkFailed<T>>,
    /// Whether the viewers moved since the wanted set was brought up to date.
    pub(super) must_update: bool,
    /// Whether everything is to be given up and asked for again.
    pub(super) must_restart: bool,
    /// Whether it is being given up.
    pub(super) is_restarting: bool,
    /// Whether loaded chunks stand where an earlier origin put them.
    pub(super) must_move_roots: bool,
    pub(super) is_paused: bool,
    pub(super) frames: Frames,
    pub(super) totals: StreamingTotals,
}

impl<T: Send + Sync + 'static> Parts<T> {
    /// The parts of a stream that a plugin describes.
    ///
    /// # Errors
    ///
    /// When the scheduler's configuration makes no sense.
    pub(super) fn new(plugin: &ChunkStreamingPlugin<T>) -> Result<Self, ConfigError> {
        let rank = ViewerRank::default();
        let scheduler = Scheduler::new(
            plugin.config.scheduler.clone(),
            plugin.generator.clone(),
            plugin.runtime.clone(),
            rank.clone(),
        )?;
        let clock = Arc::clone(&plugin.clock);
        Ok(Self {
            place: Place::new(plugin.grid),
            wanted: WantedSet::new(),
            pending: Pending::default(),
            viewers: Viewers::default(),
            rank,
            scheduler,
            backlog: Backlog::new(),
            applier: Applier::with_clock(plugin.spawner.clone(), Arc::clone(&clock)),
            before_unload: plugin.before_unload.clone(),
            leveller: plugin.levels.clone().map(Leveller::new),
            clock,
            latencies: Latencies::default(),
            to_unload: Vec::new(),
            begun: Vec::new(),
            unsaved: AHashSet::new(),
            held: BTreeSet::new(),
            loaded: Vec::new(),
            unloaded: Vec::new(),
            failed: Vec::new(),
            must_update: false,
            must_restart: false,
            is_restarting: false,
            must_move_roots: false,
            is_paused: false,
            frames: Frames::default(),
            totals: StreamingTotals::default(),
        })
    }

    /// Chunks hidden and not yet despawned.
    pub(super) fn unloading(&self) -> usize {
        self.applier.unloading() + self.to_unload.len()
    }

    /// Puts what waits to be applied in the viewers' order, and lets go of what is out of date.
    pub(super) fn order_backlog(&mut self) {
        let scheduler = &self.scheduler;
        let outdated = (self.backlog).rerank(&self.rank, |chunk| {
            scheduler.is_current(chunk.key, chunk.version)
        });
        self.scheduler.discard(outdated);
    }

    /// Whether what is on its way was asked for by the coordinates of another grid.
    pub(super) fn is_of_another_grid(&self) -> bool {
        self.must_restart || self.is_restarting
    }

    /// Hides what left the index and has it despawned.
    pub(super) fn hand_to_applier(&mut self, world: &mut World) {
        for (coord, chunk) in self.to_unload.drain(..) {
            let distance = self.rank.rank(&coord);
            self.applier.unload(world, coord, chunk, distance);
        }
    }
}
