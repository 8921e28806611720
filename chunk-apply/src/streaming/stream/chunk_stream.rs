//! The running stream: its limits, its state, and what users may do with it.

use super::{root_event::RootEvent, state::StreamState};
use crate::{
    budget::ApplyBudget,
    spawn::SpawnError,
    streaming::{
        config::{DespawnedRoots, StreamingConfig},
        explain::ChunkStatus,
        index::ChunkIndex,
        lod::LodTracker,
        order::ViewerRank,
        progress::Found,
        stats::{LatencySummary, StreamingFrame, StreamingSnapshot, StreamingTotals, WastedWork},
        viewer::{ChunkViewer, LiveViewers, Place},
        world_origin::WorldOrigin,
    },
    sync::Arc,
};
#[cfg(feature = "bevy_reflect")]
use bevy_ecs::reflect::ReflectComponent;
use bevy_ecs::{
    change_detection::DetectChangesMut, entity::Entity, query::QueryFilter, resource::Resource,
    world::World,
};
use bevy_math::Vec3;
use chunk_coord::{ChunkCoord, ChunkGrid, PositionError, ViewRange, Viewer, WantedSet};
use chunk_scheduler::{ConfigError, Invalidated, Lane, Scheduler, Status};
use core::{fmt, time::Duration};
use std::collections::BTreeSet;
use tracing::error;

/// The running stream of the content type `T`: its limits, which may be changed at any time, and its state.
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
///     // The old version stays until the new one is whole.
///     stream.refresh(ChunkCoord::planar(3, -1));
/// }
/// fn show(stream: Res<ChunkStream<Rocks>>) {
///     println!("{:?} of this frame's main thread", stream.last_frame().main_thread());
/// }
/// # let _ = (IntoSystem::into_system(enter_loading_screen), IntoSystem::into_system(dig));
/// # let _ = IntoSystem::into_system(show);
/// ```
///
/// [`stop`](Self::stop) ends the stream. Removing the resource does the same without saving: its chunks and the
/// [`ChunkIndex`] go when [`Apply`](crate::StreamingSystems::Apply) or the next frame's `First` runs. One that is put back
/// before that goes on; later it is removed again, with an error in the log.
///
/// With the feature `bevy_reflect` and a content type that has a type path, inspectors show the limits and change them,
/// once the app has called `register_type::<ChunkStream<Rocks>>()`. Reflection cannot make one, so scenes must leave it out.
#[derive(Resource)]
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(Component, from_reflect = false, where T: bevy_reflect::TypePath)
)]
pub struct ChunkStream<T: Send + Sync + 'static> {
    /// What a frame may spend on the `World`.
    pub budget: ApplyBudget,
    /// How far a viewer without a range of its own sees; `None` for what fits the grid,
    /// [`StreamingConfig::default_range`].
    ///
    /// Of a range that does not [fit](ViewRange::fits) a planar grid, the viewer's own layer is used, with a warning.
    pub range: Option<ViewRange>,
    /// Main-thread time a frame may spend on finding out what became wanted.
    pub scan_budget: Duration,
    /// How long a viewer that vanishes still counts; see [`StreamingConfig::linger`](crate::StreamingConfig::linger).
    pub linger: Duration,
    /// How many bytes may be loaded; see [`StreamingConfig::max_loaded_bytes`](crate::StreamingConfig::max_loaded_bytes).
    pub max_loaded_bytes: Option<usize>,
    /// How long a chunk may wait for its gates; see [`StreamingConfig::gate_patience`](crate::StreamingConfig::gate_patience).
    pub gate_patience: Duration,
    /// What becomes of a chunk whose root a user despawns from now on.
    pub despawned_roots: DespawnedRoots,
    #[cfg_attr(feature = "bevy_reflect", reflect(ignore))]
    pub(in crate::streaming) state: StreamState<T>,
}

impl<T: Send + Sync + 'static> ChunkStream<T> {
    pub(in crate::streaming) fn new(config: &StreamingConfig, state: StreamState<T>) -> Self {
        Self {
            budget: config.budget,
            range: config.range,
            scan_budget: config.scan_budget,
            linger: config.linger,
            max_loaded_bytes: config.max_loaded_bytes,
            gate_patience: config.gate_patience,
            despawned_roots: config.despawned_roots,
            state,
        }
    }

    /// The chunks that are wanted, as of the last scan; with those that are [prefetched](crate::LoadOrder::Motion).
    #[must_use]
    pub fn wanted(&self) -> &WantedSet {
        &self.state.wanted
    }

    /// The viewers' chunks and ranges, as of the last scan; those that [linger](Self::lingering) come last.
    #[must_use]
    pub fn viewers(&self) -> &[Viewer] {
        self.state.viewers.as_slice()
    }

    /// The viewers that vanished and still count, as of the last scan.
    #[must_use]
    pub fn lingering(&self) -> &[Viewer] {
        self.state.viewers.lingering()
    }

    /// How far a viewer is asked to see: by its own range, or else by the stream's, or else by the default of the grid.
    /// [`viewers`](Self::viewers) tells what was used, which is one layer of a range that does not fit the grid.
    #[must_use]
    pub fn range_of(&self, viewer: &ChunkViewer) -> ViewRange {
        (viewer.range.or(self.range)).unwrap_or_else(|| StreamingConfig::default_range(self.grid()))
    }

    /// The scheduler: its counters and depths, and why a chunk is not there.
    #[must_use]
    pub fn scheduler(&self) -> &Scheduler<ChunkCoord, T, ViewerRank> {
        &self.state.scheduler
    }

    /// Chunks that are generated and wait for the main thread's time.
    #[must_use]
    pub fn backlog(&self) -> usize {
        self.state.scheduler.depths().backlog
    }

    /// Chunks that were given up and are not yet despawned.
    #[must_use]
    pub fn unloading(&self) -> usize {
        self.state.held.unloading + self.state.leaving()
    }

    /// The chunk of which some entities are spawned and others are not, and how many are.
    #[must_use]
    pub fn partial(&self) -> Option<(ChunkCoord, usize)> {
        self.state.held.partial
    }

    /// The wanted chunks that are not loaded because [`max_loaded_bytes`](Self::max_loaded_bytes) has no room for them, in their
    /// order.
    pub fn held_back(&self) -> impl ExactSizeIterator<Item = ChunkCoord> + '_ {
        self.state.ceiling.held_back()
    }

    /// Chunks of which all entities are spawned and that wait, hidden, for their [gates](crate::ChunkWriter::show_when).
    #[must_use]
    pub fn gated(&self) -> usize {
        self.state.held.gated
    }

    /// Those of them that have waited for longer than [`gate_patience`](Self::gate_patience), in their order.
    pub fn late_gates(&self) -> impl Iterator<Item = ChunkCoord> + '_ {
        self.state.gates.late()
    }

    /// Bytes that were [uploaded](crate::ChunkWriter::upload) for chunks that are in the `World`: loaded, partly spawned,
    /// waiting for their gates, or given up and not yet despawned.
    #[must_use]
    pub fn loaded_bytes(&self) -> usize {
        self.state.held.bytes
    }

    /// What the latest frame of the app cost and did. Read it after [`Apply`], best in `Last`: before that, it is the
    /// unfinished sum of the current frame. Where the app's `First` schedule never runs, each run of [`Apply`] ends a
    /// frame.
    ///
    /// [`Apply`]: crate::StreamingSystems::Apply
    #[must_use]
    pub fn last_frame(&self) -> StreamingFrame {
        self.state.frames.now
    }

    /// Sums since the stream was made.
    #[must_use]
    pub fn totals(&self) -> StreamingTotals {
        StreamingTotals {
            missed: self.state.latencies.missed(),
            ..self.state.totals
        }
    }

    /// How long chunks took to become visible, since the stream was made.
    #[must_use]
    pub fn latencies(&self) -> LatencySummary {
        self.state.latencies.summary()
    }

    /// The wanted chunks whose root a user despawned and that [stay gone](DespawnedRoots::StayGone), in their order.
    #[must_use]
    pub fn despawned(&self) -> impl ExactSizeIterator<Item = ChunkCoord> + '_ {
        self.state.quarantine.despawned()
    }

    /// Where a chunk is, and what it waits for. `index` is the index of this stream. For people and not for every frame,
    /// as [`Scheduler::explain`] is.
    #[must_use]
    pub fn explain(&self, index: &ChunkIndex<T>, coord: ChunkCoord) -> ChunkStatus {
        let state = &self.state;
        if !state.wanted.contains(coord) {
            let pending = self.pending_save(coord);
            return pending.map_or(ChunkStatus::NotWanted, ChunkStatus::Unsaved);
        }
        if let Some((_, entities)) = self.partial().filter(|(partial, _)| *partial == coord) {
            return ChunkStatus::Spawning { entities };
        }
        if let Some((since, is_late)) = state.gates.find(coord) {
            let waited = state.clock.now().saturating_sub(since);
            return ChunkStatus::Gated { waited, is_late };
        }
        if let Some((bytes, limit)) = state.ceiling.explain(coord) {
            return ChunkStatus::HeldBack { bytes, limit };
        }
        let job = state.scheduler.explain(coord);
        if job.status != Status::Unknown {
            ChunkStatus::Job(job)
        } else if let Some(pending) = self.pending_save(coord) {
            ChunkStatus::Unsaved(pending)
        } else if index.contains(coord) {
            ChunkStatus::Loaded
        } else if state.quarantine.is_despawned(coord) {
            ChunkStatus::Despawned
        } else if state.quarantine.has_failed(coord) {
            ChunkStatus::GivenUp
        } else {
            ChunkStatus::NotRequested
        }
    }

    /// Whether the viewers are those of the last scan, in the same chunks.
    pub(in crate::streaming) fn has_seen<F: QueryFilter + 'static>(
        &self,
        viewers: &LiveViewers<'_, '_, F>,
    ) -> bool {
        let (state, range) = (&self.state, self.range_of(&ChunkViewer::default()));
        state.viewer_filter.is::<F>()
            && (state.viewers).are_up_to_date(viewers.iter(), &state.world_origin, range)
    }

    /// Whether no scan has picked the viewers by another filter than `F`.
    pub(in crate::streaming) fn may_pick_by<F: 'static>(&self) -> bool {
        self.state.scanned_range.is_none() || self.state.viewer_filter.is::<F>()
    }

    /// The chunk of a place, if it has one.
    pub(in crate::streaming) fn coord_of(&self, place: Place) -> Option<ChunkCoord> {
        place.coord(&self.state.world_origin).ok()
    }

    /// The chunk that a viewer was in when the last scan saw it.
    pub(in crate::streaming) fn last_known(&self, viewer: Entity) -> Option<ChunkCoord> {
        self.state.viewers.last_known(viewer)
    }

    /// What has become of a chunk.
    pub(in crate::streaming) fn find(&self, index: &ChunkIndex<T>, coord: ChunkCoord) -> Found {
        let (state, quarantine) = (&self.state, &self.state.quarantine);
        // What stands may be of another grid.
        if state.is_of_another_grid() || !state.wanted.contains(coord) {
            Found::Unwanted
        } else if index.contains(coord) {
            Found::Loaded
        } else if quarantine.is_given_up(coord) {
            Found::Failed
        } else if quarantine.is_despawned(coord) {
            Found::Despawned
        } else if state.ceiling.holds_back(coord) {
            Found::HeldBack
        } else {
            Found::Missing
        }
    }

    /// Whether nothing is left to do: every wanted chunk is loaded, or [quarantined](Self::quarantined), or
    /// [held back](Self::held_back), or its root was despawned by a user; and everything else is gone. A chunk that cannot be made yet
    /// ([`NotYet`](chunk_scheduler::GenerateError::NotYet)) is still to be made, and what a viewer wanted that
    /// [lingers](Self::lingering) is still to be given up.
    ///
    /// This is as of the last scan, because a stream sees no viewers between scans: false before the first, and true in a
    /// frame in which a viewer was moved after the scan, or before it in a schedule that runs earlier. What is asked of the
    /// stream itself, such as [`refresh`](Self::refresh) or another range, counts at once. [`ChunkStreamNow::is_settled`]
    /// and the run condition [`chunks_are_settled`] see the viewers as they are now.
    ///
    /// [`ChunkStreamNow::is_settled`]: crate::ChunkStreamNow::is_settled
    /// [`chunks_are_settled`]: crate::chunks_are_settled
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.state.scanned_range == Some(self.range_of(&ChunkViewer::default()))
            && self.state.viewers.lingering().is_empty()
            && self.state.wanted.is_settled()
            && (self.state.lod.as_ref()).is_none_or(LodTracker::is_settled)
            && self.state.scheduler.depths().live() == 0
            && self.unloading() == 0
            && self.partial().is_none()
            && self.gated() == 0
            && self.state.returned.is_empty()
            && self.saving_all() == 0
            && self.state.pending_changes.is_empty()
            && self.state.quarantine.is_settled()
            && self.state.swaps.is_empty()
            && self.state.ceiling.is_settled(self.max_loaded_bytes)
            && self.state.saves.is_empty()
            && !(self.state.must_update || self.state.must_restart)
    }

    /// Stops the stream's work on the main thread. Chunks stay; workers continue until there is no more room for results.
    pub fn pause(&mut self) {
        self.state.is_paused = true;
    }

    /// Continues after a [`pause`](Self::pause).
    pub fn resume(&mut self) {
        self.state.is_paused = false;
    }

    /// Whether the stream is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.state.is_paused
    }

    /// Makes a wanted chunk anew, because what it is made from has changed. The old version stays until the new one is
    /// whole, and is replaced within one frame. Returns whether the chunk is wanted. If not, it is made
    /// anew when it is wanted again, also where it is not despawned yet.
    ///
    /// With a [save hook](crate::SaveHook) it is saved first, so that what it is made from is up to date, and a version of
    /// it that is under way is shown first.
    ///
    /// A wanted chunk whose root a user despawned is made again.
    ///
    /// The request takes the urgent lane, before all loading; see [`Self::refresh_in`] for other lanes. On the main
    /// thread it waits for a chunk that is partly spawned already.
    ///
    /// It may be called at any rate, also several times in each frame. A version that is being generated or spawned is
    /// shown although it is out of date by then, and one more is made afterwards, so a change is shown after at most
    /// twice the time that generating takes, twice the time that spawning takes, and two frames. That holds while no more
    /// chunks are refreshed at the same time than workers and budgets keep up with.
    pub fn refresh(&mut self, coord: ChunkCoord) -> bool {
        self.refresh_in(coord, Lane::Urgent)
    }

    /// The same as [`Self::refresh`] in a lane of your choice.
    pub fn refresh_in(&mut self, coord: ChunkCoord, lane: Lane) -> bool {
        let is_wanted = self.state.wanted.contains(coord);
        if is_wanted {
            self.state.quarantine.forget_despawned(coord);
            self.state.renew(coord, lane);
        } else {
            self.state.outdate(coord);
        }
        is_wanted
    }

    /// [Refreshes](Self::refresh) chunks whose new versions are to be seen in the same frame, as when a border between them
    /// was edited. Returns how many of them are wanted; of the others the next version is made from what is there now.
    ///
    /// What is generated first waits for the rest. Then all are spawned in one frame and each in one piece, whatever the
    /// [`budget`](Self::budget) says once there is time for the first, so this is for a few chunks and not for a
    /// region. One that fails for good, whose save is given up, or that is no longer wanted, is not waited for. One that is
    /// tried again, or cannot be made yet, is waited for as long as [`gate_patience`](Self::gate_patience) says: then what is
    /// made is swapped without the others, with a warning. When more than half of
    /// [`backlog_capacity`](chunk_scheduler::SchedulerConfig::backlog_capacity) wait for others, of all groups, the group of which
    /// most wait is swapped without the others, with a warning.
    ///
    /// Calls that have a chunk in common with a group under way wait for it, and those of them that overlap become one group
    /// of up to half of the backlog's capacity: calls for each of many neighbours end in a region that is swapped in one frame.
    /// Of a call that would make it larger, what is in such a group already is swapped with that one.
    ///
    /// A chunk that is in a group which is not swapped yet is refreshed after that, so this may be called at any rate. If
    /// what the generator reads changes while a group is being made, those that are made later have read it and the others
    /// have not: let it read a copy of the time of the call, or edit when the group was swapped
    /// ([`is_swapping`](Self::is_swapping)).
    pub fn refresh_together(&mut self, chunks: impl IntoIterator<Item = ChunkCoord>) -> usize {
        let state = &mut self.state;
        let mut wanted = BTreeSet::new();
        for coord in chunks {
            if state.wanted.contains(coord) {
                state.quarantine.forget_despawned(coord);
                wanted.insert(coord);
            } else {
                state.outdate(coord);
            }
        }
        let count = wanted.len();
        state.renew_together(wanted);
        count
    }

    /// [Refreshes](Self::refresh_together) a chunk and all around it, up to `distance` chunks away along each axis of the
    /// grid: with 1, that is 9 chunks of a plane and 27 of a volume. Returns how many of them are wanted.
    ///
    /// To call it for each chunk that is loaded, ask [`ChunkLoaded::is_first`](crate::ChunkLoaded::is_first): the
    /// replacements that it causes are loaded as well.
    pub fn refresh_around(&mut self, coord: ChunkCoord, distance: u8) -> usize {
        let distance = i32::from(distance);
        let along = |at: i32, has_axis: bool| {
            let distance = if has_axis { distance } else { 0 };
            at.saturating_sub(distance)..=at.saturating_add(distance)
        };
        let size = self.grid().size();
        let (xs, ys, zs) = (
            along(coord.x, size.x > 0.0),
            along(coord.y, size.y > 0.0),
            along(coord.z, size.z > 0.0),
        );
        let around = xs.flat_map(|x| {
            let zs = zs.clone();
            let column = move |y| zs.clone().map(move |z| ChunkCoord::new(x, y, z));
            ys.clone().flat_map(column)
        });
        self.refresh_together(around)
    }

    /// [Refreshes together](Self::refresh_together) exactly the chunks that were made from values of layers which were
    /// [invalidated](chunk_scheduler::Layer::invalidate): those that stand, and those that are under way. Returns how many of
    /// them are wanted. See [`Layers`](chunk_scheduler::Layers).
    pub fn refresh_made_from(&mut self, invalidated: &Invalidated) -> usize {
        let mut chunks = self.state.scheduler.made_from(invalidated);
        let standing = self.state.made_from.iter();
        let standing = standing.filter(|(_, (_, sources))| invalidated.reaches(sources));
        chunks.extend(standing.map(|(coord, _)| *coord));
        self.refresh_together(chunks)
    }

    /// Whether the chunk is in a group that was [refreshed together](Self::refresh_together) and not swapped yet.
    #[must_use]
    pub fn is_swapping(&self, coord: ChunkCoord) -> bool {
        self.state.swaps.contains(coord)
    }

    /// The wanted chunks that were given up because their last permitted attempt failed, or said that no other could do
    /// better, and that were not loaded since; in their order. A chunk whose newer version was given up is one of them,
    /// although its older version stands. None is forgotten before it leaves, however many they are; the scheduler explains
    /// the newest of them, [`quarantine_capacity`](chunk_scheduler::SchedulerConfig::quarantine_capacity) by default
    /// 4096.
    pub fn quarantined(&self) -> impl ExactSizeIterator<Item = ChunkCoord> + '_ {
        self.state.quarantine.iter()
    }

    /// Requests every chunk again that is [quarantined](Self::quarantined), within the scan budgets of the coming frames.
    /// Returns how many they are. To request a single one, [`refresh`](Self::refresh) it.
    pub fn retry_quarantined(&mut self) -> usize {
        self.state.quarantine.retry()
    }

    /// Changes how many jobs may be in flight.
    ///
    /// # Errors
    ///
    /// When `max_in_flight` is 0 or absurdly large.
    pub fn set_max_in_flight(&mut self, max_in_flight: usize) -> Result<(), ConfigError> {
        self.state.scheduler.set_max_in_flight(max_in_flight)
    }

    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &ChunkGrid {
        &self.state.world_origin.grid
    }

    /// Changes the grid. Everything loaded is unloaded and everything wanted is requested again, within the budgets;
    /// nothing is spawned until all old chunks are given up. With the grid that it has, nothing happens; to make everything
    /// anew, [`reset`](Self::reset).
    ///
    /// Coordinates are of the new grid from the next scan on, except those of chunks that are yet to be unloaded: the
    /// [save hook](crate::SaveHook) gets the old coordinate, and the root where it stood. Nothing of the new grid is
    /// requested until all of them are saved, or given up.
    ///
    /// A stream whose [`range`](Self::range) is `None` takes the default range of the new grid. A range that does not fit
    /// a new planar grid is cut to the viewer's own layer, with a warning.
    pub fn set_grid(&mut self, grid: ChunkGrid) {
        self.state.must_restart |= *self.grid() != grid;
        self.state.world_origin = WorldOrigin::new(grid, self.origin());
    }

    /// The chunk whose minimum corner is at the world's origin.
    #[must_use]
    pub fn origin(&self) -> ChunkCoord {
        self.state.world_origin.origin
    }

    /// Moves the world's origin to the minimum corner of another chunk, and the `Transform` of every root with it, at once:
    /// also of chunks that are partly spawned, hidden or on their way out, and while the stream is paused. Returns by how much,
    /// in world units; `None` where there is no stream. Move your viewers and everything else by as much in the same system,
    /// and no other system sees one without the other. From a system with parameters, queue it as a command.
    ///
    /// Positions far from the origin lose precision, so that things jitter in a world of more than a few kilometres
    /// without this.
    ///
    /// ```
    /// use bevy_ecs::prelude::*;
    /// use bevy_transform::components::Transform;
    /// use chunk_apply::{ChunkStream, ChunkViewer};
    ///
    /// struct Rocks; // the stream's content type
    ///
    /// /// What the game moves together with its viewers.
    /// #[derive(Component)]
    /// struct Moves;
    ///
    /// fn follow_the_viewer(world: &mut World) {
    ///     let mut viewers = world.query_filtered::<&Transform, With<ChunkViewer>>();
    ///     let Ok(position) = viewers.single(world).map(|viewer| viewer.translation) else {
    ///         return;
    ///     };
    ///     let here = world.resource::<ChunkStream<Rocks>>().coord_at(position);
    ///     if let Ok(here) = here
    ///         && position.length() > 1_000.0
    ///         && let Some(shift) = ChunkStream::<Rocks>::move_origin(world, here)
    ///     {
    ///         let mut others = world.query_filtered::<&mut Transform, With<Moves>>();
    ///         for mut other in others.iter_mut(world) {
    ///             other.translation += shift;
    ///         }
    ///     }
    /// }
    /// # let _ = IntoSystem::into_system(follow_the_viewer);
    /// ```
    ///
    /// # With physics
    ///
    /// Move the origin where nothing has looked at the places of this step yet: in `FixedPreUpdate` for physics that
    /// steps in `FixedUpdate` or `FixedPostUpdate`. `Transform`s are right from then on. `GlobalTransform`s, of chunks and
    /// of all else that moved, are those of before until Bevy propagates the next time: physics that reads them propagates
    /// before each step, as avian and rapier do, or reads nothing but `GlobalTransform`s, which are of one moment. Positions
    /// of its own that an engine keeps outside of transforms are yours to move, too.
    ///
    /// A planar grid has one layer, so the origin has 0 along the axis that it ignores, and roots keep their place there.
    /// Chunks of a former grid, which are about to go, move along by as much.
    pub fn move_origin(world: &mut World, origin: ChunkCoord) -> Option<Vec3> {
        let (before, now, clock) = Self::with_state(world, |state| {
            state.frames.resume();
            let now = WorldOrigin::new(state.world_origin.grid, origin);
            let before = core::mem::replace(&mut state.world_origin, now.clone());
            (before, now, Arc::clone(&state.clock))
        })?;
        if before.origin == now.origin {
            return Some(Vec3::ZERO);
        }
        let start = clock.now();
        let shift = now.transform(before.origin).translation;
        now.move_roots::<T>(world, shift);
        let spent = clock.now().saturating_sub(start);
        Self::with_state(world, |state| state.frames.now.apply.spent += spent);
        Some(shift)
    }

    /// The chunk at a position in the world, which is measured from the [origin](Self::origin) as it is now. As long as the
    /// origin was not moved, [`ChunkGrid::coord_at`] says the same.
    ///
    /// # Errors
    ///
    /// When the position is not finite along an axis of the grid, or its chunk is outside the `i32` range.
    pub fn coord_at(&self, position: Vec3) -> Result<ChunkCoord, PositionError> {
        self.state.world_origin.coord_at(position)
    }

    /// The stream's state now. Costs a few microseconds. `index` is the index of this stream.
    #[must_use]
    pub fn snapshot(&self, index: &ChunkIndex<T>) -> StreamingSnapshot {
        let scheduler = self.scheduler();
        let counters = scheduler.counters();
        StreamingSnapshot {
            depths: scheduler.depths(),
            counters,
            generation_times: scheduler.generation_times(),
            cancel_latencies: scheduler.cancel_latencies(),
            latencies: self.latencies(),
            wasted: WastedWork {
                chunks: counters.wasted,
                time: counters.wasted_time,
            },
            concurrency: scheduler.concurrency(),
            pool_threads: scheduler.pool_threads(),
            wanted_chunks: self.wanted().len(),
            loaded_chunks: index.len(),
            loaded_entities: index.entities(),
            loaded_bytes: self.loaded_bytes(),
            unloading_chunks: self.unloading(),
            unsaved_chunks: self.state.saves.kept(),
            dirty_chunks: self.dirty(),
            undurable_chunks: self.state.undurable(),
            gated_chunks: self.gated(),
            held_back_chunks: self.state.ceiling.held_back_chunks(),
            quarantined_chunks: self.quarantined().len(),
            frame: self.last_frame(),
            apply_times: self.state.frames.apply_times(),
            overshoots: self.state.frames.overshoots(),
            totals: self.totals(),
        }
    }

    /// Triggers the events on roots that happened outside of applying since the last call.
    pub(in crate::streaming) fn trigger_root_events(world: &mut World) {
        while let Some(Some(event)) = Self::with_state(world, |state| state.root_events.pop_front())
        {
            Self::trigger(world, event);
        }
    }

    /// Triggers an event on a root.
    pub(super) fn trigger(world: &mut World, event: RootEvent<T>) {
        let coord = event.coord();
        if let Err(panic) = event.trigger(world) {
            Self::note_panic(world, coord, &panic);
        }
    }

    /// Tells that an observer or a hook of the user panicked at a chunk.
    pub(in crate::streaming) fn note_panic(
        world: &mut World,
        coord: ChunkCoord,
        panic: &SpawnError,
    ) {
        error!(?coord, "an observer or a hook panicked: {panic}");
        Self::with_state(world, |state| state.totals.panics += 1);
    }

    /// Works on the state of the stream in the `World`, without a note that the stream has changed. `None` when it was
    /// removed. What user code may run after is looked up anew.
    pub(in crate::streaming) fn with_state<R>(
        world: &mut World,
        work: impl FnOnce(&mut StreamState<T>) -> R,
    ) -> Option<R> {
        Self::with_stream(world, |stream| work(&mut stream.state))
    }

    /// The same for the stream and its limits.
    pub(in crate::streaming) fn with_stream<R>(
        world: &mut World,
        work: impl FnOnce(&mut Self) -> R,
    ) -> Option<R> {
        let mut stream = world.get_resource_mut::<Self>()?;
        Some(work(stream.bypass_change_detection()))
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for ChunkStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStream")
            .field("viewers", &self.state.viewers.as_slice().len())
            .field("wanted", &self.state.wanted.len())
            .field("depths", &self.state.scheduler.depths())
            .field("held", &self.state.held)
            .field("is_paused", &self.state.is_paused)
            .finish_non_exhaustive()
    }
}
