//! What a stream knows, and what is on its way between its parts.

use super::{
    backlog::Backlog,
    ceiling::{Candidate, Ceiling, Change},
    departures::Departures,
    gates::Gates,
    hide_queue::HideQueue,
    marks::Mark,
    pending_changes::PendingChanges,
    quarantine::Quarantine,
    root_event::RootEvent,
    save_queue::{Released, Request, SaveQueue},
    swaps::Swaps,
};
#[cfg(feature = "store")]
use crate::streaming::archive_trait::AnyArchive;
use crate::{
    budget::Clock,
    host::{Departing, Held, LoadedChunk, Unsaved},
    spawn::visibility::Hidden,
    streaming::{
        index::ChunkIndex,
        lod::LodTracker,
        messages::{ChunkFailed, ChunkUnloaded, ChunkUnloading},
        order::{LoadOrder, OrderTracker, Prefetch, ViewerRank},
        saving::{SaveHook, SavePolicy, Saving},
        stats::{Frames, Latencies, StreamingTotals},
        viewer::{ViewerFilter, Viewers},
        world_origin::WorldOrigin,
    },
    sync::Arc,
};
use ahash::AHashMap;
use bevy_ecs::entity::Entity;
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange, WantedSet};
use chunk_scheduler::{JobState, Lane, Scheduler, Sources, Version};
use core::{ops::DerefMut, time::Duration};
use std::collections::{BTreeSet, VecDeque};
use tracing::trace;

/// Chunks held back or asked for again between two readings of the clock.
const CHANGES: usize = 8;

/// What a stream knows. Its systems work on the fields, because they borrow several of them at once.
pub(in crate::streaming) struct StreamState<T: Send + Sync + 'static> {
    pub(in crate::streaming) world_origin: WorldOrigin,
    pub(in crate::streaming) wanted: WantedSet,
    /// Changes of `wanted` that were found and not yet acted on.
    pub(in crate::streaming) pending_changes: PendingChanges,
    pub(in crate::streaming) viewers: Viewers,
    pub(in crate::streaming) viewer_filter: ViewerFilter,
    pub(in crate::streaming) order: OrderTracker,
    pub(in crate::streaming) rank: ViewerRank,
    pub(in crate::streaming) prefetch: Prefetch,
    pub(in crate::streaming) scheduler: Scheduler<ChunkCoord, T, ViewerRank>,
    pub(in crate::streaming) backlog: Backlog<T>,
    /// Contents that wait for those of other chunks.
    pub(in crate::streaming) swaps: Swaps<T>,
    /// Chunks that there is no room for.
    pub(in crate::streaming) ceiling: Ceiling,
    /// Chunks that wait to be seen.
    pub(in crate::streaming) gates: Gates,
    pub(in crate::streaming) quarantine: Quarantine,
    pub(in crate::streaming) lod: Option<LodTracker>,
    pub(in crate::streaming) save_hook: Option<SaveHook>,
    pub(in crate::streaming) save_policy: SavePolicy,
    /// Where the save hook puts what it takes.
    #[cfg(feature = "store")]
    pub(in crate::streaming) archive: Option<Arc<dyn AnyArchive>>,
    pub(in crate::streaming) clock: Arc<dyn Clock>,
    pub(in crate::streaming) latencies: Latencies,
    /// What the applier holds.
    pub(in crate::streaming) held: Held<ChunkCoord>,
    /// Chunks that must be saved first.
    pub(in crate::streaming) saves: SaveQueue,
    /// Chunks that left the index and wait to be despawned.
    pub(in crate::streaming) departures: Departures,
    /// Roots that left the index and are still visible.
    pub(in crate::streaming) to_hide: HideQueue,
    /// What the chunks were made from that stand or can return, with the version. Only those that read a layer.
    pub(in crate::streaming) made_from: AHashMap<ChunkCoord, (u64, Sources)>,
    /// What hiding the roots that left has replaced.
    pub(in crate::streaming) hidden: AHashMap<Entity, Hidden>,
    /// Chunks that are not wanted and may still stand, and that are not to be taken back. Only while changes are pending.
    pub(in crate::streaming) outdated: BTreeSet<ChunkCoord>,
    /// Chunks that were taken back and are to be shown.
    pub(in crate::streaming) returned: Vec<(ChunkCoord, LoadedChunk)>,
    /// Chunks that [`ChunkStream::start_saving_all`](super::ChunkStream::start_saving_all) has yet to save.
    pub(super) to_save_standing: VecDeque<ChunkCoord>,
    pub(in crate::streaming) unloaded: Vec<ChunkUnloaded<T>>,
    pub(in crate::streaming) failed: Vec<ChunkFailed<T>>,
    /// Events that happened outside of applying, to be triggered on roots in this order.
    pub(in crate::streaming) root_events: VecDeque<RootEvent<T>>,
    /// The range of viewers without one of their own in the last scan; `None` before the first.
    pub(in crate::streaming) scanned_range: Option<ViewRange>,
    /// Whether the viewers moved since the wanted set was last updated.
    pub(in crate::streaming) must_update: bool,
    /// Whether everything is to be given up and requested again.
    pub(in crate::streaming) must_restart: bool,
    /// Whether it is being given up.
    pub(in crate::streaming) is_restarting: bool,
    /// Whether everything is being saved, so that a hook that asks for it again is answered at once.
    pub(super) is_saving_all: bool,
    /// Whether a failed save was logged since applying began.
    pub(in crate::streaming) has_told_save_failure: bool,
    pub(in crate::streaming) is_paused: bool,
    pub(in crate::streaming) frames: Frames,
    /// When the app's frame began, where that is measured.
    pub(in crate::streaming) frame_began: Option<Duration>,
    pub(in crate::streaming) totals: StreamingTotals,
}

impl<T: Send + Sync + 'static> StreamState<T> {
    pub(in crate::streaming) fn new(
        grid: ChunkGrid,
        scheduler: Scheduler<ChunkCoord, T, ViewerRank>,
        lod: Option<LodTracker>,
        saving: Saving,
        order: LoadOrder,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let saves = match saving.hook {
            Some(_) => SaveQueue::new(&saving.policy, saving.has_room),
            None => SaveQueue::default(),
        };
        let order = OrderTracker::new(order);
        Self {
            world_origin: WorldOrigin::new(grid, ChunkCoord::ORIGIN),
            wanted: WantedSet::new(),
            pending_changes: PendingChanges::default(),
            viewers: Viewers::default(),
            viewer_filter: ViewerFilter::default(),
            rank: ViewerRank::default(),
            prefetch: Prefetch::new(&order),
            order,
            scheduler,
            backlog: Backlog::new(),
            swaps: Swaps::new(),
            ceiling: Ceiling::new(),
            gates: Gates::default(),
            quarantine: Quarantine::default(),
            lod,
            save_hook: saving.hook,
            save_policy: saving.policy,
            #[cfg(feature = "store")]
            archive: saving.archive,
            clock,
            latencies: Latencies::default(),
            held: Held::default(),
            saves,
            departures: Departures::default(),
            to_hide: HideQueue::default(),
            made_from: AHashMap::new(),
            hidden: AHashMap::new(),
            outdated: BTreeSet::new(),
            returned: Vec::new(),
            to_save_standing: VecDeque::new(),
            unloaded: Vec::new(),
            failed: Vec::new(),
            root_events: VecDeque::new(),
            scanned_range: None,
            must_update: false,
            must_restart: false,
            is_restarting: false,
            is_saving_all: false,
            has_told_save_failure: false,
            is_paused: false,
            frames: Frames::default(),
            frame_began: None,
            totals: StreamingTotals::default(),
        }
    }

    /// Requests a wanted chunk anew: now, or when what stands or stood there is saved.
    pub(in crate::streaming) fn renew(&mut self, coord: ChunkCoord, lane: Lane) {
        // Else nothing of the new grid was requested yet.
        let now = self.clock.now();
        if self.saves.has_former() {
            return self.latencies.requested_anew(coord, now);
        }
        if self.is_held_back(coord) {
            return;
        }
        let (scheduler, latencies) = (&mut self.scheduler, &mut self.latencies);
        let saves = &mut self.saves;
        let version = renew(saves, scheduler, latencies, &self.rank, coord, lane, now);
        if let Some(version) = version {
            self.swaps.is_made_as(coord, version);
        }
    }

    /// Requests wanted chunks anew that are to be swapped in the same frame.
    pub(super) fn renew_together(&mut self, mut chunks: BTreeSet<ChunkCoord>) {
        chunks.retain(|coord| !self.is_held_back(*coord));
        if chunks.len() < 2 || self.is_of_another_grid() || self.saves.has_former() {
            for coord in chunks {
                self.renew(coord, Lane::Urgent);
            }
            return;
        }
        self.swaps.add(chunks, self.most_together());
        self.renew_next_together();
    }

    /// Whether a chunk that is to be made anew is held back: then it is when there is room, and not taken back.
    fn is_held_back(&mut self, coord: ChunkCoord) -> bool {
        let is_held_back = self.ceiling.renew(coord);
        if is_held_back {
            self.outdate(coord);
        }
        is_held_back
    }

    /// How many chunks may wait for each other. With more, nothing else would be delivered.
    pub(in crate::streaming) fn most_together(&self) -> usize {
        self.scheduler.config().backlog_capacity / 2
    }

    /// Requests the groups that no other has to be swapped before.
    pub(in crate::streaming) fn renew_next_together(&mut self) {
        let now = self.clock.now();
        while let Some(chunks) = self.swaps.next(now) {
            for coord in chunks {
                self.renew(coord, Lane::Urgent);
            }
        }
    }

    /// Gives up the next few chunks that left the wanted set. Returns whether there were any.
    pub(in crate::streaming) fn give_up_next(
        &mut self,
        index: &mut impl DerefMut<Target = ChunkIndex<T>>,
        must_save: bool,
    ) -> bool {
        let left = self.pending_changes.next_left().to_vec();
        for coord in &left {
            self.latencies.left(*coord);
            self.prefetch.leave(*coord);
            self.ceiling.leave(*coord);
            self.give_up(*coord, index, must_save);
        }
        if left.is_empty() {
            return false;
        }
        if let Some(lod) = &self.lod {
            lod.leave(&left);
        }
        true
    }

    /// Gives up a chunk, whether anything of it stands or not. Returns what was loaded.
    fn give_up(
        &mut self,
        coord: ChunkCoord,
        index: &mut impl DerefMut<Target = ChunkIndex<T>>,
        must_save: bool,
    ) -> Option<LoadedChunk> {
        if !self.swaps.is_empty() {
            let content = self.swaps.leave(coord);
            self.scheduler.discard(Vec::from_iter(content));
        }
        // What stands is out of date if a newer version was to be made.
        let is_outdated = self.outdated.remove(&coord);
        let was_renewed =
            self.scheduler.cancel(coord) || self.quarantine.has_failed(coord) || is_outdated;
        self.quarantine.remove(coord);
        // Checked first, because a mutable access counts as a change of the index.
        let chunk = index.contains(coord).then(|| index.remove(coord)).flatten();
        let Some(chunk) = chunk else {
            self.saves.unwant(coord);
            return None;
        };
        trace!(?coord, "given up");
        let is_reset = !must_save;
        let distance_sq = self.rank.distance_sq(coord);
        // What waits for a save is to be made anew.
        let can_return = !(was_renewed || self.is_restarting || self.saves.waits(coord));
        if let Some(lod) = &mut self.lod {
            lod.depart(coord, chunk.version);
        }
        let must_save = must_save && self.saves.must_save(coord);
        let mark = self.saves.marks.take(coord);
        if must_save {
            let is_former = self.is_restarting;
            (self.saves).leave(coord, chunk, distance_sq, is_former, can_return, mark);
        } else {
            self.saves.unwant(coord);
            (self.departures).push(coord, chunk, distance_sq, can_return);
        }
        let returned = self.returned.iter().position(|(other, _)| *other == coord);
        if let Some(returned) = returned {
            // Nobody was told that it came back.
            self.returned.remove(returned);
        }
        if !self.hidden.contains_key(&chunk.root) {
            let is_former = self.is_restarting || is_reset;
            (self.to_hide).push(coord, chunk, distance_sq, is_former);
        }
        if returned.is_none() {
            let unloading = ChunkUnloading::new(coord, chunk.root);
            self.root_events.push_back(RootEvent::Unloading(unloading));
            self.unloaded.push(ChunkUnloaded::new(coord));
        }
        Some(chunk)
    }

    /// Holds chunks back that there is no room for, and asks for those again that there is room for now, until `end`.
    /// `is_there` says whether a root was despawned by a user.
    pub(in crate::streaming) fn make_room(
        &mut self,
        index: &mut impl DerefMut<Target = ChunkIndex<T>>,
        is_there: impl Fn(Entity) -> bool,
        end: Duration,
    ) {
        let cannot_request = self.is_of_another_grid() || self.saves.has_former();
        if cannot_request && !self.wanted.is_empty() {
            return;
        }
        if self.ceiling.must_choose(self.wanted.len()) {
            let candidate = |coord: ChunkCoord| {
                let loaded = index.chunk(coord).map(|chunk| chunk.bytes);
                (loaded.is_some() || !self.quarantine.is_gone(coord)).then(|| Candidate {
                    coord,
                    distance_sq: self.rank.distance_sq(coord),
                    loaded,
                })
            };
            let candidates = self.wanted.iter().filter_map(candidate);
            self.ceiling.choose(candidates);
        }
        loop {
            for _ in 0..CHANGES {
                let may_be_held_back = |coord| {
                    self.wanted.contains(coord)
                        && (index.contains(coord) || !self.quarantine.is_gone(coord))
                };
                match self.ceiling.next_change(may_be_held_back) {
                    Some(Change::HoldBack(coord)) => {
                        self.latencies.hold_back(coord);
                        if let Some(chunk) = self.give_up(coord, index, true) {
                            self.ceiling.remember(coord, chunk.bytes);
                        }
                    }
                    Some(Change::Release(coord)) => {
                        let now = self.clock.now();
                        self.load(coord, index, &is_there, now);
                    }
                    None => return,
                }
            }
            if self.clock.now() >= end {
                return;
            }
        }
    }

    /// Requests a chunk that is not there, or takes it back. What left may return; else the chunk may be generated from what is
    /// yet to be saved.
    pub(in crate::streaming) fn load(
        &mut self,
        coord: ChunkCoord,
        index: &mut impl DerefMut<Target = ChunkIndex<T>>,
        is_there: impl Fn(Entity) -> bool,
        since: Duration,
    ) {
        let lane = self.prefetch.lane(coord);
        if lane == Lane::Normal {
            self.latencies.wanted(coord, since);
        }
        if !self.take_back(coord, index, is_there) && !self.saves.want(coord) {
            self.scheduler.request_in(coord, lane);
        }
    }

    /// Takes a chunk back that became wanted again and of which nothing was despawned, if `is_there` says so of its root. It
    /// need not be saved. Returns whether there was one.
    pub(in crate::streaming) fn take_back(
        &mut self,
        coord: ChunkCoord,
        index: &mut impl DerefMut<Target = ChunkIndex<T>>,
        is_there: impl FnOnce(Entity) -> bool,
    ) -> bool {
        let departed = self.departures.returnable(coord);
        let Some(chunk) = departed.or_else(|| self.saves.returnable(coord)) else {
            return false;
        };
        if !is_there(chunk.root) {
            return false;
        }
        if departed.is_some() {
            self.departures.take(coord);
        } else {
            self.saves.take_back(coord);
        }
        trace!(?coord, "taken back");
        self.to_hide.take(coord, chunk.root);
        index.insert(coord, chunk);
        if let Some(lod) = &mut self.lod {
            lod.come_back(coord, chunk.version);
        }
        if let Some(untold) = self.unloaded.iter().position(|left| left.coord == coord) {
            // Nobody was told that it left.
            self.unloaded.swap_remove(untold);
            self.root_events
                .retain(|event| !event.is_unloading(chunk.root));
        } else {
            self.returned.push((coord, chunk));
        }
        true
    }

    /// What a chunk that is not wanted would be made from has changed: it is made anew when it is wanted again, although it
    /// may not be despawned yet.
    pub(super) fn outdate(&mut self, coord: ChunkCoord) {
        self.departures.outdate(coord);
        self.saves.outdate(coord);
        if !self.pending_changes.is_empty() {
            self.outdated.insert(coord);
        }
    }

    /// Gives up everything, unsaved, so that all that is wanted is requested anew from the next scan on.
    pub(super) fn give_up_all(&mut self, index: &mut impl DerefMut<Target = ChunkIndex<T>>) {
        self.is_restarting = false;
        let wanted = core::mem::replace(&mut self.wanted, WantedSet::new());
        self.pending_changes.withdraw(wanted.iter());
        self.latencies.restart();
        self.to_save_standing.clear();
        while self.give_up_next(index, false) {}
        self.saves.marks.clear();
        self.outdated.clear();
        self.departures.outdate_all();
        self.to_hide.mark_former();
        self.scheduler.clear_quarantine();
        self.must_update = true;
    }

    /// Notes that a chunk was changed since it was saved: the one with this root, or else the one that stands there or
    /// would be taken back. Returns whether there is one.
    pub(in crate::streaming) fn mark_dirty(
        &mut self,
        index: &ChunkIndex<T>,
        coord: ChunkCoord,
        root: Option<Entity>,
    ) -> bool {
        let now = self.clock.now();
        let is_it = |chunk: &LoadedChunk| root.is_none_or(|root| chunk.root == root);
        if index.chunk(coord).as_ref().is_some_and(is_it) {
            self.saves.marks.mark(coord, now);
            return true;
        }
        let mark = self.saves.marks.made(coord, now);
        if self.saves.mark_left(coord, root, mark) {
            return true;
        }
        let chunk = self.departures.returnable(coord).filter(is_it);
        let Some(chunk) = chunk.filter(|_| self.save_hook.is_some()) else {
            return false;
        };
        // It is saved after all.
        self.departures.take(coord);
        let distance_sq = self.rank.distance_sq(coord);
        let mark = Some(mark);
        (self.saves).leave(coord, chunk, distance_sq, false, true, mark);
        true
    }

    /// Nothing stands there any more.
    pub(in crate::streaming) fn forget_mark(&mut self, coord: ChunkCoord) {
        self.saves.marks.take(coord);
    }

    /// Saving the chunk has failed, which had this mark. Returns whether it is tried again; if not, it is treated as if it
    /// had been saved.
    pub(super) fn has_save_failed(&mut self, coord: ChunkCoord, mark: Option<Mark>) -> bool {
        let failures = self.saves.fail(coord, mark);
        let must_give_up = self.save_policy.gives_up_after(failures);
        if must_give_up {
            self.swaps.cannot_save(coord);
            if let Some(released) = self.saves.release_unsaved(coord) {
                self.release(released);
            }
        } else {
            let wait = self.save_policy.wait_after(failures);
            (self.saves).retry_at(coord, self.clock.now().saturating_add(wait));
        }
        !must_give_up
    }

    /// A chunk needs no saving any more: it may be despawned, and what waited for it is requested.
    pub(super) fn release(&mut self, released: Released) {
        let Released {
            coord,
            left,
            then,
            can_return,
        } = released;
        if let Some((chunk, distance_sq)) = left {
            (self.departures).push(coord, chunk, distance_sq, can_return);
        }
        let requested = match then {
            Some(Request::Load) => (self.scheduler).request_in(coord, self.prefetch.lane(coord)),
            Some(Request::Renew(lane)) => self.scheduler.refresh_in(coord, lane),
            None => return,
        };
        self.latencies.is_made_as(coord, requested.version());
        self.swaps.is_made_as(coord, requested.version());
    }

    /// Whether a version of the chunk is under way that will replace what stands. One that waits to be asked for again may
    /// never come, nor one whose gate has been closed for long.
    pub(super) fn is_replacing(&self, coord: ChunkCoord) -> bool {
        let scheduler = &self.scheduler;
        scheduler.live_versions(coord).count() > 1
            || (scheduler.live_version(coord).is_some()
                && scheduler.state(coord) != Some(JobState::Retrying)
                && !self.gates.is_late(coord))
    }

    /// Requests one more version of a chunk that stands and was just saved, whatever waits for its next save.
    pub(super) fn make_once_more(&mut self, coord: ChunkCoord) {
        self.latencies.requested_anew(coord, self.clock.now());
        let version = self.scheduler.refresh_in(coord, Lane::Urgent).version();
        self.latencies.is_made_as(coord, version);
        self.swaps.is_made_as(coord, version);
    }

    /// Makes due what is to be saved and waited for its time, or for a version that does not come.
    pub(in crate::streaming) fn wake_saves(&mut self, now: Duration) {
        let mut saves = core::mem::take(&mut self.saves);
        saves.wake(now, |coord| self.is_replacing(coord));
        self.saves = saves;
        self.ask_for_room(true);
    }

    /// Asks whether there is room for what is saved.
    pub(super) fn ask_for_room(&mut self, is_new_frame: bool) {
        let is_any_due = !self.to_save_standing.is_empty() || self.saves.marks.due_now() > 0;
        self.saves.ask_for_room(is_new_frame, is_any_due);
    }

    /// This version of the chunk stands now.
    pub(super) fn note_made_from(
        &mut self,
        coord: ChunkCoord,
        version: u64,
        sources: Option<Sources>,
    ) {
        if let Some(sources) = sources {
            self.made_from.insert(coord, (version, sources));
        } else {
            self.made_from.remove(&coord);
        }
    }

    /// This version of the chunk is about to be despawned.
    pub(super) fn forget_made_from(&mut self, coord: ChunkCoord, version: u64) {
        if self
            .made_from
            .get(&coord)
            .is_some_and(|(of, _)| *of == version)
        {
            self.made_from.remove(&coord);
        }
    }

    /// Takes an earlier version of a chunk that left and was not despawned yet, because a newer one is whole.
    pub(super) fn take_departed(&mut self, coord: ChunkCoord) -> Option<LoadedChunk> {
        let chunk = self.departures.take(coord)?;
        self.hidden.remove(&chunk.root);
        self.to_hide.take(coord, chunk.root);
        if let Some(lod) = &mut self.lod {
            lod.forget(coord, chunk.version);
        }
        Some(chunk)
    }

    /// Whether chunks wait to be applied for nothing but time.
    pub(in crate::streaming) fn is_busy(&self) -> bool {
        let depths = self.scheduler.depths();
        depths.completed + depths.backlog > self.held.gated
    }

    /// Chunks that left and are not with the applier.
    pub(super) fn leaving(&self) -> usize {
        self.departures.len() + self.saves.left()
    }

    /// Those of them that can be despawned, or could be if they were saved.
    pub(in crate::streaming) fn departing(&self) -> Departing {
        let unsaved = match self.saves.lacks_room() {
            true => Departing::default(),
            false => self.saves.departing(),
        };
        Departing {
            chunks: self.departures.len() + unsaved.chunks,
            entities: self.departures.entities() + unsaved.entities,
        }
    }

    /// What the save hook took and is not durable.
    pub(super) fn undurable(&self) -> usize {
        #[cfg(feature = "store")]
        return self.archive.as_ref().map_or(0, |it| it.waiting());
        #[cfg(not(feature = "store"))]
        0
    }

    pub(super) fn unsaved(&self) -> Unsaved {
        if self.saves.lacks_room() {
            return Unsaved::default();
        }
        Unsaved {
            urgent: self.saves.urgent() + self.saves.marks.late(),
            leaving: self.saves.leaving(),
            standing: self.to_save_standing.len() + self.saves.marks.due(),
        }
    }

    /// Whether nothing more may be spawned: too many chunks are kept because they cannot be saved, what was given up as a
    /// whole is still seen, or there are too many bytes and no rest of a group that would else be seen in parts.
    pub(super) fn is_full(&self) -> bool {
        let kept = self.saves.kept();
        kept > 0 && kept >= self.save_policy.max_kept
            || self.to_hide.has_former()
            || !self.swaps.has_rest() && self.ceiling.is_exceeded(self.bytes_of_loading())
    }

    /// The bytes of all chunks without those that may be there for long although they are not loaded, of which there are so
    /// many at most: those that wait for their gates, and those that left and cannot be saved.
    fn bytes_of_loading(&self) -> usize {
        let others = (self.held.gated_bytes).saturating_add(self.saves.kept_bytes());
        self.held.bytes.saturating_sub(others)
    }

    /// Orders the backlog by the viewers' new positions, and discards what is out of date.
    pub(in crate::streaming) fn rerank_backlog(&mut self) {
        let scheduler = &self.scheduler;
        let is_live = |coord, version| scheduler.is_live(coord, version);
        let outdated = self.backlog.take_outdated(is_live);
        self.backlog.rerank(&self.rank);
        self.scheduler.discard(outdated);
    }

    /// What was prefetched and came within a load footprint is wanted like all else there.
    pub(in crate::streaming) fn want_reached(&mut self, is_loaded: impl Fn(ChunkCoord) -> bool) {
        let reached = self.prefetch.take_reached(self.viewers.as_slice());
        let now = self.clock.now();
        for coord in &reached {
            if !is_loaded(*coord) && !self.ceiling.holds_back(*coord) {
                self.latencies.wanted(*coord, now);
            }
            if self.scheduler.live_version(*coord).is_some() {
                self.scheduler.request_in(*coord, Lane::Normal);
            }
        }
        self.backlog.promote(&reached);
    }

    /// Whether results on their way were requested by the coordinates of another grid.
    pub(in crate::streaming) fn is_of_another_grid(&self) -> bool {
        self.must_restart || self.is_restarting
    }
}

/// Requests a wanted chunk anew: now, or when what stands or stood there is saved. Returns its version, if that is certain.
pub(in crate::streaming) fn renew<T: Send + Sync + 'static>(
    saves: &mut SaveQueue,
    scheduler: &mut Scheduler<ChunkCoord, T, ViewerRank>,
    latencies: &mut Latencies,
    rank: &ViewerRank,
    coord: ChunkCoord,
    lane: Lane,
    now: Duration,
) -> Option<Version> {
    latencies.requested_anew(coord, now);
    if saves.must_wait(coord) {
        saves.renew(coord, lane, rank.distance_sq(coord));
        return None;
    }
    let version = scheduler.refresh_in(coord, lane).version();
    latencies.is_made_as(coord, version);
    Some(version)
}
