//! One stream of chunks: its parts, and what its users may ask of it.

pub use super::frame::{StreamingFrame, StreamingTotals};
use super::{
    backlog::Backlog,
    config::StreamingConfigError,
    frame::Frames,
    latency::{Latencies, LatencySummary},
    levels::Leveller,
    messages::{ChunkFailed, ChunkLoaded, ChunkUnloaded},
    pending::Pending,
    place::Place,
    plugin::{BeforeUnload, ChunkStreamingPlugin},
    rank::ViewerRank,
    viewer::Viewers,
};
use crate::{applier::Applier, budget::ApplyBudget, clock::Clock, host::LoadedChunk, sync::Arc};
use ahash::AHashSet;
use bevy_ecs::{resource::Resource, world::World};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange, Viewer, WantedSet};
use chunk_scheduler::{ConfigError, Lane, Rank, Scheduler};
use core::{fmt, time::Duration};
use std::collections::BTreeSet;

/// The running stream of the content type `T`: its limits, which may be changed at any time, and
/// its state.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ApplyBudget, Streaming};
/// use chunk_coord::ChunkCoord;
///
/// struct Rocks; // the stream's content type
///
/// fn enter_loading_screen(mut stream: ResMut<Streaming<Rocks>>) {
///     stream.budget = ApplyBudget::unlimited();
/// }
/// fn dig(mut stream: ResMut<Streaming<Rocks>>) {
///     // What stands there stays until the new one is whole.
///     stream.refresh(ChunkCoord::planar(3, -1));
/// }
/// fn show(stream: Res<Streaming<Rocks>>) {
///     println!("{:?} of this frame's main thread", stream.last_frame().main_thread());
/// }
/// # let _ = (IntoSystem::into_system(enter_loading_screen), IntoSystem::into_system(dig));
/// # let _ = IntoSystem::into_system(show);
/// ```
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

impl<T: Send + Sync + 'static> Streaming<T> {
    pub(super) fn new(plugin: &ChunkStreamingPlugin<T>) -> Result<Self, StreamingConfigError> {
        let rank = ViewerRank::default();
        let config = plugin.config.clone();
        config.validate()?;
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
        self.scheduler.depths().backlog
    }

    /// Chunks that are hidden and not yet despawned.
    #[must_use]
    pub fn unloading(&self) -> usize {
        self.applier.unloading() + self.to_unload.len()
    }

    /// The chunk that is being spawned, of which only some entities are there, and how many.
    #[must_use]
    pub fn partial(&self) -> Option<(ChunkCoord, usize)> {
        self.applier.partial()
    }

    /// What the latest frame of the app cost and did: read it after [`Apply`], best in `Last`, because
    /// in between it is of the frame under way. Where the app's `First` schedule never runs, each
    /// turn of [`Apply`] ends a frame.
    ///
    /// [`Apply`]: crate::StreamingSystems::Apply
    #[must_use]
    pub fn last_frame(&self) -> StreamingFrame {
        self.frames.now
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
            && self.partial().is_none()
            && self.pending.is_empty()
            && self.held.is_empty()
            && !(self.must_update || self.must_restart)
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
        // One that is held back until it is saved will be made anew as it is.
        if is_wanted && !self.held.contains(&coord) {
            self.scheduler.refresh_in(coord, lane);
            self.latencies.asked_anew(coord, self.clock.now());
        }
        is_wanted
    }

    /// Asks again for every wanted chunk that failed too often, and forgets those that nobody wants
    /// any more. Returns how many were asked for.
    pub fn retry_quarantined(&mut self) -> usize {
        let quarantined = self.scheduler.quarantined();
        let keys: Vec<ChunkCoord> = quarantined.map(|chunk| chunk.key).collect();
        self.scheduler.clear_quarantine();
        let now = self.clock.now();
        let mut asked = 0;
        for coord in keys {
            if self.wanted.contains(coord) {
                self.scheduler.request(coord);
                self.latencies.asked_anew(coord, now);
                asked += 1;
            }
        }
        asked
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

    /// Changes the grid. Everything loaded is unloaded and everything wanted is asked for again,
    /// within the budgets; until all of the old is given up nothing is spawned.
    ///
    /// Coordinates are of the new grid from the next scan on, except that of a chunk that is yet to go:
    /// the hook before unloading sees it under its old coordinate and its root where it stood.
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
    /// frame, also while the stream is paused; move your viewers and everything else yourself, by as
    /// much, before the next scan.
    ///
    /// Positions far from the origin lose precision, so that a world of more than a few kilometres
    /// looks shaky without this.
    pub fn set_origin(&mut self, origin: ChunkCoord) {
        self.must_move_roots |= self.place.origin != origin;
        self.place.origin = origin;
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
