//! One stream of chunks: its limits, and what its users may ask of it.

pub use super::frame::{StreamingFrame, StreamingTotals};
use super::{
    config::StreamingConfigError, latency::LatencySummary, levels::Leveller, parts::Parts,
    plugin::ChunkStreamingPlugin, rank::ViewerRank,
};
use crate::budget::ApplyBudget;
#[cfg(feature = "bevy_reflect")]
use bevy_ecs::reflect::ReflectComponent;
use bevy_ecs::resource::Resource;
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange, Viewer, WantedSet};
use chunk_scheduler::{ConfigError, Lane, Scheduler};
use core::{fmt, time::Duration};

/// The running stream of the content type `T`: its limits, which may be changed at any time, and
/// its state.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ApplyBudget, ChunkStream};
/// use chunk_coord::ChunkCoord;
///
/// struct Rocks; // the stream's content type
///
/// fn enter_loading_screen(mut stream: ResMut<ChunkStream<Rocks>>) {
///     stream.budget = ApplyBudget::unlimited();
/// }
/// fn dig(mut stream: ResMut<ChunkStream<Rocks>>) {
///     // What stands there stays until the new one is whole.
///     stream.refresh(ChunkCoord::planar(3, -1));
/// }
/// fn show(stream: Res<ChunkStream<Rocks>>) {
///     println!("{:?} of this frame's main thread", stream.last_frame().main_thread());
/// }
/// # let _ = (IntoSystem::into_system(enter_loading_screen), IntoSystem::into_system(dig));
/// # let _ = IntoSystem::into_system(show);
/// ```
///
/// With the feature `bevy_reflect` and a content type that has a type path, inspectors show the limits and change them,
/// once the app has called `register_type::<ChunkStream<Rocks>>()`. None can be made by reflection, so scenes must leave it out.
#[derive(Resource)]
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(Component, from_reflect = false, where T: bevy_reflect::TypePath)
)]
pub struct ChunkStream<T: Send + Sync + 'static> {
    /// What a frame may spend on the `World`.
    pub budget: ApplyBudget,
    /// How far a viewer without a range of its own sees.
    pub range: ViewRange,
    /// Main-thread time a frame may spend on finding out what became wanted.
    pub scan_budget: Duration,
    #[cfg_attr(feature = "bevy_reflect", reflect(ignore))]
    pub(super) parts: Parts<T>,
}

impl<T: Send + Sync + 'static> ChunkStream<T> {
    pub(super) fn new(plugin: &ChunkStreamingPlugin<T>) -> Result<Self, StreamingConfigError> {
        plugin.config.validate()?;
        let config = &plugin.config;
        Ok(Self {
            budget: config.budget,
            range: config.range,
            scan_budget: config.scan_budget,
            parts: Parts::new(plugin)?,
        })
    }

    /// The chunks that are wanted, as of the last scan.
    #[must_use]
    pub fn wanted(&self) -> &WantedSet {
        &self.parts.wanted
    }

    /// The viewers' chunks and ranges, as of the last scan.
    #[must_use]
    pub fn viewers(&self) -> &[Viewer] {
        self.parts.viewers.as_slice()
    }

    /// The scheduler: its counters, depths and ledger, and why a chunk is not there.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler<ChunkCoord, T, ViewerRank> {
        &self.parts.scheduler
    }

    /// Chunks that are generated and wait for the main thread's time.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.parts.scheduler.depths().backlog
    }

    /// Chunks that are hidden and not yet despawned.
    #[must_use]
    pub fn unloading(&self) -> usize {
        self.parts.unloading()
    }

    /// The chunk that is being spawned, of which only some entities are there, and how many.
    #[must_use]
    pub fn partial(&self) -> Option<(ChunkCoord, usize)> {
        self.parts.applier.partial()
    }

    /// What the latest frame of the app cost and did: read it after [`Apply`], best in `Last`, because
    /// in between it is of the frame under way. Where the app's `First` schedule never runs, each
    /// turn of [`Apply`] ends a frame.
    ///
    /// [`Apply`]: crate::StreamingSystems::Apply
    #[must_use]
    pub fn last_frame(&self) -> StreamingFrame {
        self.parts.frames.now
    }

    /// Sums since the stream was made.
    #[must_use]
    pub fn totals(&self) -> StreamingTotals {
        StreamingTotals {
            missed: self.parts.latencies.missed(),
            ..self.parts.totals
        }
    }

    /// How long chunks took to become visible, since the stream was made.
    #[must_use]
    pub fn latencies(&self) -> LatencySummary {
        self.parts.latencies.summary()
    }

    /// Whether everything wanted is there, or given up, and everything else is gone.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.parts.wanted.is_settled()
            && (self.parts.leveller.as_ref()).is_none_or(Leveller::is_settled)
            && self.parts.scheduler.depths().live() == 0
            && self.unloading() == 0
            && self.partial().is_none()
            && self.parts.pending.is_empty()
            && self.parts.held.is_empty()
            && !(self.parts.must_update || self.parts.must_restart)
    }

    /// Stops the stream's work on the main thread. Chunks stay; workers go on until their results
    /// have no more room.
    pub fn pause(&mut self) {
        self.parts.is_paused = true;
    }

    /// Goes on after a [`pause`](Self::pause).
    pub fn resume(&mut self) {
        self.parts.is_paused = false;
    }

    /// Whether the stream is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.parts.is_paused
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
        let is_wanted = self.parts.wanted.contains(coord);
        // One that is held back until it is saved will be made anew as it is.
        if is_wanted && !self.parts.held.contains(&coord) {
            self.parts.scheduler.refresh_in(coord, lane);
            self.parts
                .latencies
                .asked_anew(coord, self.parts.clock.now());
        }
        is_wanted
    }

    /// Asks again for every wanted chunk that failed too often, and forgets those that nobody wants
    /// any more. Returns how many were asked for.
    pub fn retry_quarantined(&mut self) -> usize {
        let quarantined = self.parts.scheduler.quarantined();
        let keys: Vec<ChunkCoord> = quarantined.map(|chunk| chunk.key).collect();
        self.parts.scheduler.clear_quarantine();
        let now = self.parts.clock.now();
        let mut asked = 0;
        for coord in keys {
            if self.parts.wanted.contains(coord) {
                self.parts.scheduler.request(coord);
                self.parts.latencies.asked_anew(coord, now);
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
        self.parts.scheduler.set_max_in_flight(max_in_flight)
    }

    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &ChunkGrid {
        &self.parts.place.grid
    }

    /// Changes the grid. Everything loaded is unloaded and everything wanted is asked for again,
    /// within the budgets; until all of the old is given up nothing is spawned.
    ///
    /// Coordinates are of the new grid from the next scan on, except that of a chunk that is yet to go:
    /// the hook before unloading sees it under its old coordinate and its root where it stood.
    pub fn set_grid(&mut self, grid: ChunkGrid) {
        self.parts.place.grid = grid;
        self.parts.must_restart = true;
    }

    /// The chunk whose minimum corner is at the world's origin.
    #[must_use]
    pub fn origin(&self) -> ChunkCoord {
        self.parts.place.origin
    }

    /// Moves the world's origin to the minimum corner of another chunk. Roots follow in the same
    /// frame, also while the stream is paused; move your viewers and everything else yourself, by as
    /// much, before the next scan.
    ///
    /// Positions far from the origin lose precision, so that a world of more than a few kilometres
    /// looks shaky without this.
    pub fn set_origin(&mut self, origin: ChunkCoord) {
        self.parts.must_move_roots |= self.parts.place.origin != origin;
        self.parts.place.origin = origin;
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for ChunkStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStream")
            .field("viewers", &self.parts.viewers.as_slice().len())
            .field("wanted", &self.parts.wanted.len())
            .field("depths", &self.parts.scheduler.depths())
            .field("applier", &self.parts.applier)
            .field("is_paused", &self.parts.is_paused)
            .finish_non_exhaustive()
    }
}
