//! One frame's work on the `World`: unloading and spawning within one budget.

use crate::{
    budget::{ApplyBudget, ApplyReport, Clock, CostModel, Downstream, MonotonicClock, Pacer},
    host::{Arrival, ChunkHost, Departure, Held, LoadedChunk, SpawnedChunk},
    spawn::{PartialChunk, SliceEnd, SpawnError, Spawner},
    sync::Arc,
    unload::{Unloader, Work},
};
use bevy_ecs::world::World;
use core::{fmt, time::Duration};
use smallvec::SmallVec;

/// Farther than any chunk that stood by itself: what was replaced or half spawned goes before all others.
const FIRST: u64 = u64::MAX;
/// The share of a frame's time that asking gates may take.
const SHARE_OF_GATES: f32 = 0.25;

/// Chunks that are to be seen in the same frame; most often one.
type Group<K> = SmallVec<[PartialChunk<K>; 1]>;

/// Spawns and unloads chunks under a budget. Teams with their own queue call it from an exclusive system of their own;
/// with the feature `streaming`, the plugin does.
///
/// It works on the `World` itself and not through deferred commands, because the clock would then measure the queueing
/// of commands and not the spawning.
///
/// A frame is one call of [`apply`](Self::apply), after [`unload`](Self::unload) for each chunk that is no longer
/// wanted; the example of [`ChunkHost`] shows it with a queue.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{Applier, Spawner};
///
/// let spawner = Spawner::new(|_key: u32, stones: usize, writer| {
///     writer.spawn_batch((0..stones).map(|stone| Name::new(format!("stone {stone}"))));
/// });
/// let applier: Applier<u32, usize> = Applier::new(spawner);
/// assert_eq!((applier.partial(), applier.unloading()), (None, 0));
/// ```
pub struct Applier<K, T> {
    spawner: Spawner<K, T>,
    clock: Arc<dyn Clock>,
    costs: CostModel,
    /// What entities cost the rest of the frame.
    pub(crate) downstream: Downstream,
    /// The chunk of which some entities are spawned and others are not.
    partial: Option<PartialChunk<K>>,
    /// Those of which all entities are spawned and that wait for their gates.
    gated: Vec<Group<K>>,
    /// How many of them were asked since they were last put in order.
    asked: usize,
    /// How many chunks they are.
    gated_chunks: usize,
    /// The bytes of those. So wide that no sum of them is too large, whatever a spawner says.
    gated_bytes: u128,
    unloader: Unloader<K>,
    /// Entities of whole chunks that were not given to the unloader, roots included.
    loaded_entities: usize,
    /// Bytes of all chunks that were not given to the unloader.
    bytes: u128,
    /// Whether the last frame's time was too short for any loading, so that the next frame loads first.
    is_loading_owed: bool,
    /// What the host was last told of.
    told: Held<K>,
}

impl<K: Ord + Copy, T> Applier<K, T> {
    /// An applier that measures with the machine's clock.
    #[must_use]
    pub fn new(spawner: Spawner<K, T>) -> Self {
        Self::with_clock(spawner, Arc::new(MonotonicClock::default()))
    }

    /// An applier that measures with the given clock.
    #[must_use]
    pub fn with_clock(spawner: Spawner<K, T>, clock: Arc<dyn Clock>) -> Self {
        Self {
            spawner,
            clock,
            costs: CostModel::default(),
            downstream: Downstream::default(),
            partial: None,
            gated: Vec::new(),
            asked: 0,
            gated_chunks: 0,
            gated_bytes: 0,
            unloader: Unloader::new(),
            loaded_entities: 0,
            bytes: 0,
            is_loading_owed: false,
            told: Held::default(),
        }
    }

    /// Gives up a loaded chunk: it is hidden at once and despawned within the budgets of the coming frames, the one with
    /// the largest `distance` first.
    pub fn unload(&mut self, world: &mut World, key: K, chunk: LoadedChunk, distance: u64) {
        self.forget(chunk);
        self.unloader.push(world, key, chunk, distance);
    }

    /// Notes that a user despawned a loaded chunk, so that its entities and bytes no longer count as loaded.
    pub fn forget(&mut self, chunk: LoadedChunk) {
        self.loaded_entities = self.loaded_entities.saturating_sub(chunk.entities + 1);
        self.bytes = self.bytes.saturating_sub(chunk.bytes as u128);
    }

    /// Chunks that are hidden and not yet despawned.
    #[must_use]
    pub fn unloading(&self) -> usize {
        self.unloader.chunks()
    }

    /// The chunk of which some entities are spawned and others are not, and how many are.
    #[must_use]
    pub fn partial(&self) -> Option<(K, usize)> {
        (self.partial.as_ref()).map(|chunk| (chunk.key, chunk.spawned()))
    }

    /// Chunks of which all entities are spawned and that wait, hidden, for their [gates](crate::ChunkWriter::show_when).
    #[must_use]
    pub fn gated(&self) -> usize {
        self.gated_chunks
    }

    /// Bytes that were [uploaded](crate::ChunkWriter::upload) for chunks whose last entity is not gone yet.
    #[must_use]
    pub fn bytes(&self) -> usize {
        narrow(self.bytes + self.unloader.bytes())
    }

    /// All of these.
    #[must_use]
    pub fn held(&self) -> Held<K> {
        Held {
            unloading: self.unloading(),
            partial: self.partial(),
            gated: self.gated(),
            gated_bytes: narrow(self.gated_bytes),
            bytes: self.bytes(),
        }
    }

    /// One frame's work. With nothing to do it does not even read the clock.
    pub fn apply(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        budget: &ApplyBudget,
    ) -> ApplyReport {
        self.apply_part(world, host, budget, 0, true).0
    }

    /// A part of a frame's work, for schedules that run several times in a frame, after others that `uploaded` so many bytes.
    /// With `owes_a_slice` it does one slice however little time is left. Also returns whether it did any.
    pub(crate) fn apply_part(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        budget: &ApplyBudget,
        uploaded: usize,
        mut owes_a_slice: bool,
    ) -> (ApplyReport, bool) {
        let is_loading = self.partial.is_some() || host.has_arrivals(world);
        let departing = host.departing(world);
        let is_unloading = self.unloader.chunks() + departing.chunks > 0;
        let unsaved = host.unsaved(world);
        let has_gates = !self.gated.is_empty();
        if !is_loading && !is_unloading && !has_gates && unsaved.urgent + unsaved.standing == 0 {
            return (ApplyReport::default(), false);
        }
        let clock = Arc::clone(&self.clock);
        let mut costs = core::mem::take(&mut self.costs);
        let mut report = ApplyReport::default();
        let mut pacer = Pacer::start(&*clock, &mut costs);
        pacer.charge_downstream(self.downstream);
        pacer.set_whole_chunks(budget.whole_chunks);
        pacer.limit_bytes(budget.bytes, uploaded);
        pacer.expect_chunks(host.expected(world));
        let mut work = Work {
            world,
            host,
            pacer: &mut pacer,
            budget,
            report: &mut report,
        };
        let mut has_advanced = false;
        if has_gates {
            (work.pacer).begin_phase(budget.part(SHARE_OF_GATES), false);
            self.ask_gates(&mut work);
            has_advanced = work.pacer.has_advanced();
            owes_a_slice &= !has_advanced;
        }
        if is_loading {
            let unloading = self.unloader.entities() + departing.entities;
            let loaded = self.loaded_entities.saturating_sub(departing.entities);
            let share = budget.share_of_unloading(unloading, loaded);
            // A frame owes one slice. If there is time for no more, loading and unloading get it in turn.
            let was_owed = self.is_loading_owed;
            if was_owed {
                (work.pacer).begin_phase(budget.part(1.0 - share), owes_a_slice);
            } else {
                work.pacer.begin_phase(budget.part(share), owes_a_slice);
                self.unload_phase(&mut work);
                let has_unloaded = work.pacer.has_advanced();
                has_advanced |= has_unloaded;
                (work.pacer).begin_phase(budget.time, owes_a_slice && !has_unloaded);
            }
            self.load_phase(&mut work);
            let has_loaded = work.pacer.has_advanced();
            self.is_loading_owed = !has_loaded && (owes_a_slice || was_owed);
            has_advanced |= has_loaded;
            owes_a_slice &= !has_advanced;
        }
        work.pacer.begin_phase(budget.time, owes_a_slice);
        self.unload_phase(&mut work);
        has_advanced |= work.pacer.has_advanced();
        report.bytes = pacer.bytes() - uploaded;
        report.spent = pacer.finish();
        self.costs = costs;
        let over = |time| report.spent.saturating_sub(time);
        report.overshoot = budget.time.map_or(Duration::ZERO, over);
        (report, has_advanced)
    }

    fn unload_phase<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) {
        let most = work.budget.most_chunks();
        if work.report.unloaded >= most {
            return;
        }
        let _span = tracing::debug_span!("chunk_unload").entered();
        while work.host.unsaved(work.world).urgent > 0 && work.save() {}
        while work.report.unloaded < most
            && (self.unloader.chunks() > 0 || self.take_departure(work))
            && self.unloader.advance(work)
        {
            self.tell(work);
        }
        while work.host.unsaved(work.world).standing > 0 && work.save() {}
    }

    /// Takes over a chunk that the host gave up, which saves it first if it must. Returns whether there was one and time
    /// for it.
    fn take_departure<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) -> bool {
        loop {
            if let Some(departure) = work.host.next_departure(work.world) {
                let Departure {
                    key,
                    chunk,
                    distance,
                } = departure;
                self.unload(work.world, key, chunk, distance);
                self.tell(work);
                return true;
            }
            if work.host.unsaved(work.world).leaving == 0 || !work.save() {
                return false;
            }
        }
    }

    fn load_phase<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) {
        let _span = tracing::debug_span!("chunk_spawn").entered();
        let (host, world) = (&*work.host, &*work.world);
        let is_outdated =
            |chunk: &mut PartialChunk<K>| !host.is_current(world, &chunk.key, chunk.version);
        if let Some(chunk) = self.partial.take_if(is_outdated) {
            self.discard(work, chunk);
            self.tell(work);
        }
        // Every chunk counts that is done with, also one that failed or was superseded.
        let mut done = work.report.applied + work.report.failed;
        // How many follow in this frame, whatever the budget says.
        let mut together = 0_usize;
        let mut group = Group::new();
        while together > 0 || done < work.budget.most_chunks() {
            let is_owed = together > 0;
            if !is_owed && self.partial.is_none() {
                together = work.host.next_together(work.world);
                let in_whole_chunks = work.budget.whole_chunks || together > 0;
                work.pacer.set_whole_chunks(in_whole_chunks);
            }
            let Some((chunk, end)) = self.next_slice(work, is_owed) else {
                break;
            };
            done += 1;
            together = together.saturating_sub(1);
            match end {
                SliceEnd::Whole => {
                    self.tell(work);
                    group.push(chunk);
                }
                SliceEnd::Stopped => {
                    self.partial = Some(chunk);
                    return self.tell(work);
                }
                SliceEnd::Failed(error) => {
                    self.fail(work, chunk, error);
                }
            }
            if together == 0 {
                self.finish_group(work, core::mem::take(&mut group));
            }
            self.tell(work);
        }
        // Some of them may have been withdrawn.
        self.finish_group(work, group);
        self.tell(work);
        work.pacer.set_whole_chunks(work.budget.whole_chunks);
    }

    /// Continues the partial chunk, or else begins the next one. `None` when there is none, or no time for it unless it
    /// `is_owed`.
    fn next_slice<H: ChunkHost<K, T>>(
        &mut self,
        work: &mut Work<'_, '_, H>,
        is_owed: bool,
    ) -> Option<(PartialChunk<K>, SliceEnd)> {
        if let Some(mut chunk) = self.partial.take() {
            let (entities, bytes) = (chunk.spawned(), chunk.bytes());
            let end = chunk.resume(work.world, work.pacer);
            work.report.spawned += chunk.spawned() - entities;
            self.bytes += (chunk.bytes() - bytes) as u128;
            return Some((chunk, end));
        }
        if !is_owed && !PartialChunk::<K>::may_begin(work.pacer) {
            return None;
        }
        let Arrival {
            key,
            version,
            content,
        } = work.host.next_arrival(work.world)?;
        let host = &mut *work.host;
        let (chunk, end) = PartialChunk::begin(
            (key, version, content),
            &self.spawner,
            work.world,
            |world| host.spawn_root(world, &key),
            work.pacer,
        );
        work.report.spawned += chunk.spawned();
        self.bytes += chunk.bytes() as u128;
        Some((chunk, end))
    }

    /// What was spawned of a chunk whose spawner or gate failed is removed.
    fn fail<H: ChunkHost<K, T>>(
        &mut self,
        work: &mut Work<'_, '_, H>,
        chunk: PartialChunk<K>,
        error: SpawnError,
    ) {
        work.report.failed += 1;
        let (key, version) = (chunk.key, chunk.version);
        self.discard(work, chunk);
        work.host.failed(work.world, &key, version, error);
        work.pacer.break_off();
    }

    /// Asks the gates of the chunks that wait, one at least, in rounds in which each is asked once.
    fn ask_gates<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) {
        let _span = tracing::debug_span!("chunk_gates").entered();
        self.discard_outdated(work);
        if self.asked >= self.gated.len() {
            self.asked = 0;
            let (host, world) = (&*work.host, &*work.world);
            let rank = |group: &Group<K>| {
                let ranks =
                    (group.iter()).map(|chunk| (host.gate_rank(world, &chunk.key), chunk.key));
                ranks.min()
            };
            self.gated.sort_by_cached_key(rank);
        }
        let first = self.asked;
        let most = work.budget.most_chunks();
        while self.asked < self.gated.len()
            && work.report.applied + work.report.failed < most
            && (self.asked == first || PartialChunk::<K>::may_ask(work.pacer))
        {
            let group = core::mem::take(&mut self.gated[self.asked]);
            self.count_gated(&group, false);
            let (group, is_open) = self.ask_group(work, group);
            if is_open {
                self.gated.remove(self.asked);
                work.pacer.advanced();
                for mut chunk in group {
                    (work.host).waits_at_gate(work.world, &chunk.key, chunk.version, false);
                    chunk.show(work.world);
                    self.finish(work, chunk);
                }
            } else {
                self.count_gated(&group, true);
                self.gated[self.asked] = group;
                self.asked += 1;
            }
            self.tell(work);
        }
    }

    /// Counts chunks that wait for their gates, or do so no longer.
    fn count_gated(&mut self, group: &[PartialChunk<K>], are_waiting: bool) {
        let bytes: u128 = (group.iter()).map(|chunk| chunk.bytes() as u128).sum();
        if are_waiting {
            self.gated_chunks += group.len();
            self.gated_bytes += bytes;
        } else {
            self.gated_chunks -= group.len();
            self.gated_bytes -= bytes;
        }
    }

    /// Removes those that wait for their gates in vain.
    fn discard_outdated<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) {
        let (host, world) = (&*work.host, &*work.world);
        let mut outdated = Group::new();
        for group in &mut self.gated {
            let is_outdated =
                |chunk: &mut PartialChunk<K>| !host.is_current(world, &chunk.key, chunk.version);
            let mut at = 0;
            while let Some(chunk) = group.get_mut(at) {
                if is_outdated(chunk) {
                    outdated.push(group.remove(at));
                } else {
                    at += 1;
                }
            }
        }
        if outdated.is_empty() {
            return;
        }
        let asked = &self.gated[..self.asked.min(self.gated.len())];
        self.asked = asked.iter().filter(|group| !group.is_empty()).count();
        self.gated.retain(|group| !group.is_empty());
        self.count_gated(&outdated, false);
        for chunk in outdated {
            (work.host).waits_at_gate(work.world, &chunk.key, chunk.version, false);
            self.discard(work, chunk);
        }
        self.tell(work);
    }

    /// Asks the gates of chunks that are to be seen together. Returns those that did not fail, and whether all gates are open.
    fn ask_group<H: ChunkHost<K, T>>(
        &mut self,
        work: &mut Work<'_, '_, H>,
        group: Group<K>,
    ) -> (Group<K>, bool) {
        let (mut left, mut are_open) = (Group::new(), true);
        for mut chunk in group {
            match chunk.ask_gates(work.world, work.pacer) {
                Ok(is_open) => {
                    are_open &= is_open;
                    left.push(chunk);
                }
                Err(error) => {
                    (work.host).waits_at_gate(work.world, &chunk.key, chunk.version, false);
                    self.fail(work, chunk, error);
                }
            }
        }
        (left, are_open)
    }

    /// Hands whole chunks that are to be seen together to the host, or has them wait for their gates.
    fn finish_group<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>, group: Group<K>) {
        let (group, are_open) = if group.iter().any(PartialChunk::has_gates) {
            self.ask_group(work, group)
        } else {
            (group, true)
        };
        if are_open {
            return group.into_iter().for_each(|chunk| self.finish(work, chunk));
        }
        let mut group = group;
        for chunk in &mut group {
            chunk.hide(work.world);
            (work.host).waits_at_gate(work.world, &chunk.key, chunk.version, true);
        }
        self.count_gated(&group, true);
        self.gated.push(group);
    }

    /// Hands a whole chunk to the host, and unloads the one that it replaces.
    fn finish<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>, chunk: PartialChunk<K>) {
        let whole = SpawnedChunk {
            key: chunk.key,
            version: chunk.version,
            root: chunk.root,
            entities: chunk.spawned(),
            bytes: chunk.bytes(),
        };
        let Ok(replaced) = work.host.applied(work.world, whole) else {
            return self.discard(work, chunk);
        };
        work.report.applied += 1;
        self.loaded_entities += whole.entities + 1;
        if let Some(replaced) = replaced {
            self.forget(replaced);
            self.remove(work, whole.key, replaced);
        }
    }

    /// Tells the host what is held, if that has changed.
    fn tell<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) {
        let held = self.held();
        if held != self.told {
            self.told = held;
            work.host.holds(work.world, held);
        }
    }

    /// Despawns a chunk before all others, or at once where chunks are not divided.
    fn remove<H: ChunkHost<K, T>>(
        &mut self,
        work: &mut Work<'_, '_, H>,
        key: K,
        chunk: LoadedChunk,
    ) {
        if work.budget.whole_chunks {
            self.unloader.despawn_whole(key, chunk, work);
        } else {
            self.unloader.push(work.world, key, chunk, FIRST);
        }
    }

    /// Removes what was spawned of a chunk that will not be shown, within the budgets of the coming frames.
    fn discard<H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>, chunk: PartialChunk<K>) {
        let spawned = LoadedChunk {
            root: chunk.root,
            entities: chunk.spawned(),
            version: chunk.version,
            bytes: chunk.bytes(),
        };
        self.bytes -= chunk.bytes() as u128;
        self.remove(work, chunk.key, spawned);
        if let Some(leftovers) = chunk.into_leftovers() {
            work.host.discard(work.world, leftovers);
        }
    }
}

/// A sum of bytes, or the largest number where it is larger.
fn narrow(bytes: u128) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

impl<K: fmt::Debug + Ord + Copy, T> fmt::Debug for Applier<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier")
            .field("partial", &self.partial())
            .field("gated", &self.gated_chunks)
            .field("unloader", &self.unloader)
            .field("loaded_entities", &self.loaded_entities)
            .finish_non_exhaustive()
    }
}
