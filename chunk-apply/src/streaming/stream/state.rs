//! What a stream knows, and what is on its way between its parts.

use super::{
    backlog::Backlog, pending_changes::PendingChanges, quarantine::Quarantine,
    root_event::RootEvent,
};
use crate::{
    budget::Clock,
    host::{Held, LoadedChunk},
    streaming::{
        config::BeforeUnload,
        load_order::ViewerRank,
        lod::{ChunkLevels, LodTracker},
        messages::{ChunkFailed, ChunkUnloaded},
        stats::{Frames, Latencies, StreamingTotals},
        viewer::Viewers,
        world_origin::WorldOrigin,
    },
    sync::Arc,
};
use ahash::AHashSet;
use chunk_coord::{ChunkCoord, ChunkGrid, WantedSet};
use chunk_scheduler::Scheduler;
use std::collections::{BTreeSet, VecDeque};

/// What a stream knows. Its systems work on the fields, because they borrow several of them at once.
pub(in crate::streaming) struct StreamState<T: Send + Sync + 'static> {
    pub(in crate::streaming) world_origin: WorldOrigin,
    pub(in crate::streaming) wanted: WantedSet,
    /// Changes of `wanted` that were found and not yet acted on.
    pub(in crate::streaming) pending_changes: PendingChanges,
    pub(in crate::streaming) viewers: Viewers,
    pub(in crate::streaming) rank: ViewerRank,
    pub(in crate::streaming) scheduler: Scheduler<ChunkCoord, T, ViewerRank>,
    pub(in crate::streaming) backlog: Backlog<T>,
    pub(in crate::streaming) quarantine: Quarantine,
    pub(in crate::streaming) lod: Option<LodTracker>,
    pub(in crate::streaming) before_unload: Option<BeforeUnload>,
    pub(in crate::streaming) clock: Arc<dyn Clock>,
    pub(in crate::streaming) latencies: Latencies,
    /// What the applier holds.
    pub(in crate::streaming) held: Held<ChunkCoord>,
    /// Chunks that left the index and are to be handed to the applier.
    pub(in crate::streaming) to_unload: Vec<(ChunkCoord, LoadedChunk)>,
    /// Chunks that left the index and were not given to the hook yet; empty without a hook.
    pub(in crate::streaming) unsaved: AHashSet<ChunkCoord>,
    /// Those of the unsaved chunks that are wanted again, and requested once they are saved.
    pub(in crate::streaming) waiting_for_save: BTreeSet<ChunkCoord>,
    pub(in crate::streaming) unloaded: Vec<ChunkUnloaded<T>>,
    pub(in crate::streaming) failed: Vec<ChunkFailed<T>>,
    /// Events that happened outside of applying, to be triggered on roots in this order.
    pub(in crate::streaming) root_events: VecDeque<RootEvent<T>>,
    /// Whether the viewers moved since the wanted set was last updated.
    pub(in crate::streaming) must_update: bool,
    /// Whether everything is to be given up and requested again.
    pub(in crate::streaming) must_restart: bool,
    /// Whether it is being given up.
    pub(in crate::streaming) is_restarting: bool,
    /// Whether [`ChunkStream::save_all`](super::ChunkStream::save_all) was called by code that runs during applying.
    pub(in crate::streaming) must_save_all: bool,
    /// Whether loaded chunks stand where an earlier origin put them.
    pub(in crate::streaming) must_move_roots: bool,
    pub(in crate::streaming) is_paused: bool,
    pub(in crate::streaming) frames: Frames,
    pub(in crate::streaming) totals: StreamingTotals,
}

impl<T: Send + Sync + 'static> StreamState<T> {
    pub(in crate::streaming) fn new(
        grid: ChunkGrid,
        scheduler: Scheduler<ChunkCoord, T, ViewerRank>,
        levels: Option<ChunkLevels>,
        before_unload: Option<BeforeUnload>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            world_origin: WorldOrigin::new(grid),
            wanted: WantedSet::new(),
            pending_changes: PendingChanges::default(),
            viewers: Viewers::default(),
            rank: ViewerRank::default(),
            scheduler,
            backlog: Backlog::new(),
            quarantine: Quarantine::default(),
            lod: levels.map(LodTracker::new),
            before_unload,
            clock,
            latencies: Latencies::default(),
            held: Held::default(),
            to_unload: Vec::new(),
            unsaved: AHashSet::new(),
            waiting_for_save: BTreeSet::new(),
            unloaded: Vec::new(),
            failed: Vec::new(),
            root_events: VecDeque::new(),
            must_update: false,
            must_restart: false,
            is_restarting: false,
            must_save_all: false,
            must_move_roots: false,
            is_paused: false,
            frames: Frames::default(),
            totals: StreamingTotals::default(),
        }
    }

    /// Orders the backlog by the viewers' new positions, and discards what is out of date.
    pub(in crate::streaming) fn rerank_backlog(&mut self) {
        let scheduler = &self.scheduler;
        let is_current = |coord, version| scheduler.is_current(coord, version);
        let outdated = self.backlog.take_outdated(is_current);
        self.backlog.rerank(&self.rank);
        self.scheduler.discard(outdated);
    }

    /// Whether results on their way were requested by the coordinates of another grid.
    pub(in crate::streaming) fn is_of_another_grid(&self) -> bool {
        self.must_restart || self.is_restarting
    }
}
