//! One stream of chunks: its parts, and what its users may ask of it.

use super::{
    backlog::Backlog,
    latency::{Latencies, LatencySummary},
    levels::Leveller,
    messages::{ChunkFailed, ChunkLoaded, ChunkUnloaded},
    place::Place,
    plugin::{BeforeUnload, ChunkStreamingPlugin},
    rank::ViewerRank,
    viewer::Viewers,
    work::WorkTimes,
};
use crate::{
    applier::Applier, budget::ApplyBudget, clock::Clock, host::LoadedChunk, report::ApplyReport,
};
use bevy_ecs::resource::Resource;
use chunk_coord::{Changes, ChunkCoord, ChunkGrid, ViewRange, Viewer, WantedSet};
use chunk_scheduler::{ConfigError, Lane, Scheduler};
use core::fmt;
use std::{sync::Arc, time::Duration};

/// The running stream of the content type `T`: its limits, which may be changed at any time, and
/// its state.
#[derive(Resource)]
pub struct Streaming<T: Send + Sync + 'static> {
    /// What a frame may spend on the `World`.
    pub budget: ApplyBudget,
    /// How far a viewer without a range of its own sees.
    pub range: ViewRange,
    /// Main-thread time a frame may spend on finding out what became wanted.
    pub scan_budget: Duration,
    pub(super) place: Place,
    pub(super) wanted: WantedSet,
    pub(super) changes: Changes,
    pub(super) viewers: Viewers,
    pub(super) rank: ViewerRank,
    pub(super) scheduler: Scheduler<ChunkCoord, T, ViewerRank>,
    pub(super) backlog: Backlog<T>,
    pub(super) applier: Applier<ChunkCoord, T>,
    pub(super) leveller: Option<Leveller>,
    pub(super) before_unload: Option<BeforeUnload>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) latencies: Latencies,
    pub(super) work: WorkTimes,
    /// Chunks that left the index and are to be handed to the applier.
    pub(super) to_unload: Vec<(ChunkCoord, LoadedChunk)>,
    pub(super) loaded: Vec<ChunkLoaded<T>>,
    pub(super) unloaded: Vec<ChunkUnloaded<T>>,
    pub(super) failed: Vec<ChunkFailed<T>>,
    /// Whether everything is to be given up and asked for again.
    pub(super) must_restart: bool,
    /// Whether loaded chunks stand where an earlier origin put them.
    pub(super) must_move_roots: bool,
    pub(super) is_paused: bool,
    pub(super) frame: StreamingFrame,
    pub(super) totals: StreamingTotals,
}

/// Main-thread time of a stream in one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamingFrame {
    /// Finding out which chunks became wanted.
    pub scan: Duration,
    /// Handing over requests and results.
    pub generate: Duration,
    /// All of the work on the `World`, and what it did.
    pub apply: ApplyReport,
}

impl StreamingFrame {
    /// The sum of the three.
    #[must_use]
    pub fn main_thread(&self) -> Duration {
        self.scan + self.generate + self.apply.spent
    }
}

/// Sums since the stream was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamingTotals {
    /// Chunks whose last entity is gone.
    pub unloaded: u64,
    /// Entities spawned below roots.
    pub spawned: u64,
    /// Entities despawned below roots.
    pub despawned: u64,
    /// Viewer positions that were ignored because they have no chunk.
    pub invalid_positions: u64,
    /// Chunks that stopped being wanted before anything of them was shown.
    pub missed: u64,
}

impl<T: Send + Sync + 'static> Streaming<T> {
    pub(super) fn new(plugin: &ChunkStreamingPlugin<T>) -> Result<Self, ConfigError> {
        let rank = ViewerRank::default();
        let config = plugin.config.clone();
        let scheduler = Scheduler::new(
            config.scheduler,
            plugin.generator.clone(),
            plugin.runtime.clone(),
            rank.clone(),
        )?;
        let clock = Arc::clone(&plugin.clock);
        Ok(Self {
            budget: config.budget,
            range: config.range,
            scan_budget: config.scan_budget,
            place: Place::new(plugin.grid),
            wanted: WantedSet::new(),
            changes: Changes::new(),
            viewers: Viewers::default(),
            rank,
            scheduler,
            backlog: Backlog::new(),
            applier: Applier::with_clock(plugin.spawner.clone(), Arc::clone(&clock)),
            before_unload: plugin.before_unload.clone(),
            leveller: plugin.levels.clone().map(Leveller::new),
            clock,
            latencies: Latencies::default(),
            work: WorkTimes::default(),
            to_unload: Vec::new(),
            loaded: Vec::new(),
            unloaded: Vec::new(),
            failed: Vec::new(),
            must_restart: false,
            must_move_roots: false,
            is_paused: false,
            frame: StreamingFrame::default(),
            totals: StreamingTotals::default(),
        })
    }

    /// The chunks that are wanted, as of the last scan.
    #[must_use]
    pub fn wanted(&self) -> &WantedSet {
        &self.wanted
    }

    /// The viewers' chunks and ranges, as of the last scan.
    #[must_use]
    pub fn viewers(&self) -> &[Viewer] {
        self.viewers.as_slice()
    }

    /// The scheduler: its counters, depths and ledger, and why a chunk is not there.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler<ChunkCoord, T, ViewerRank> {
        &self.scheduler
    }

    /// Chunks that are generated and wait for the main thread's time.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.backlog.len()
    }

    /// Chunks that are hidden and not yet despawned.
    #[must_use]
    pub fn unloading(&self) -> usize {
        self.applier.unloading() + self.to_unload.len()
    }

    /// The chunk of which only some entities are there, and how many.
    #[must_use]
    pub fn partial(&self) -> Option<(ChunkCoord, usize)> {
        self.applier.partial()
    }

    /// What the last frame cost and did.
    #[must_use]
    pub fn last_frame(&self) -> StreamingFrame {
        self.frame
    }

    /// Sums since the stream was made.
    #[must_use]
    pub fn totals(&self) -> StreamingTotals {
        StreamingTotals {
            missed: self.latencies.missed(),
            ..self.totals
        }
    }

    /// How long chunks took to become visible, since the stream was made.
    #[must_use]
    pub fn latencies(&self) -> LatencySummary {
        self.latencies.summary()
    }

    /// Whether everything wanted is there, or given up, and everything else is gone.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.wanted.is_settled()
            && (self.leveller.as_ref()).is_none_or(Leveller::is_settled)
            && self.scheduler.depths().live() == 0
            && self.unloading() == 0
            && !self.must_restart
    }

    /// Stops the stream's work on the main thread. Chunks stay; workers go on until their results
    /// have no more room.
    pub fn pause(&mut self) {
        self.is_paused = true;
    }

    /// Goes on after a [`pause`](Self::pause).
    pub fn resume(&mut self) {
        self.is_paused = false;
    }

    /// Whether the stream is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Makes a wanted chunk anew, because what it is made from has changed. What stands there
    /// stays until the new one is whole, and is replaced within one frame. Returns whether the
    /// chunk is wanted; if not, nothing happens.
    ///
    /// It is an edit, and overtakes loading; see [`Self::refresh_in`] for other lanes.
    pub fn refresh(&mut self, coord: ChunkCoord) -> bool {
        self.refresh_in(coord, Lane::Urgent)
    }

    /// The same as [`Self::refresh`] in a lane of your choice.
    pub fn refresh_in(&mut self, coord: ChunkCoord, lane: Lane) -> bool {
        let is_wanted = self.wanted.contains(coord);
        if is_wanted {
            self.scheduler.refresh_in(coord, lane);
            self.latencies.asked_anew(coord, self.clock.now());
        }
        is_wanted
    }

    /// Asks again for every chunk that failed too often. Returns how many there were.
    pub fn retry_quarantined(&mut self) -> usize {
        self.scheduler.retry_quarantined()
    }

    /// Changes how many jobs may be in flight.
    ///
    /// # Errors
    ///
    /// When `max_in_flight` is 0 or absurdly large.
    pub fn set_max_in_flight(&mut self, max_in_flight: usize) -> Result<(), ConfigError> {
        self.scheduler.set_max_in_flight(max_in_flight)
    }

    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &ChunkGrid {
        &self.place.grid
    }

    /// Changes the grid. Everything loaded is unloaded and everything wanted is asked for again.
    pub fn set_grid(&mut self, grid: ChunkGrid) {
        self.place.grid = grid;
        self.must_restart = true;
    }

    /// The chunk whose minimum corner is at the world's origin.
    #[must_use]
    pub fn origin(&self) -> ChunkCoord {
        self.place.origin
    }

    /// Moves the world's origin to the minimum corner of another chunk. Roots follow in the same
    /// frame; move your viewers and everything else yourself, by as much, before the next scan.
    ///
    /// Positions far from the origin lose precision, so that a world of more than a few kilometres
    /// looks shaky without this.
    pub fn set_origin(&mut self, origin: ChunkCoord) {
        self.must_move_roots |= self.place.origin != origin;
        self.place.origin = origin;
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming")
            .field("viewers", &self.viewers.as_slice().len())
            .field("wanted", &self.wanted.len())
            .field("depths", &self.scheduler.depths())
            .field("applier", &self.applier)
            .field("is_paused", &self.is_paused)
            .finish_non_exhaustive()
    }
}
