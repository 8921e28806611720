//! One frame's work on the `World`: unload, then spawn, all within one budget.

use crate::{
    budget::ApplyBudget,
    clock::{Clock, MonotonicClock},
    costs::Costs,
    host::{ChunkHost, LoadedChunk},
    pace::Pace,
    partial::{Partial, Slice},
    report::ApplyReport,
    spawner::Spawner,
    sync::Arc,
    unload::{Unloader, announcing},
    visibility,
};
use bevy_ecs::world::World;
use core::fmt;

/// Spawns and unloads chunks under a budget. Teams with their own queue use it directly, from an
/// exclusive system of theirs; the `streaming` feature does so for everyone else.
///
/// It works on the `World` itself and not through deferred commands, because the clock would
/// measure the queueing of commands and not the spawning.
///
/// A frame is [`unload`](Self::unload) for what is no longer wanted and [`apply`](Self::apply) for the
/// rest; the example of [`ChunkHost`] shows it with a queue.
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
    costs: Costs,
    /// Chunks of which some entities are there. The last is the one that is worked on; the one
    /// before was overtaken by it.
    partials: Vec<Partial<K>>,
    unloader: Unloader<K>,
    /// Entities of whole chunks that were not given to the unloader, roots included.
    loaded_entities: usize,
    /// Whether the last frame's time was too short for any loading, so that the next frame's first
    /// slice is due to it.
    is_loading_owed: bool,
}

/// Chunks that are spawned over several frames at the same time: one, and one that overtook it.
const MOST_PARTIALS: usize = 2;

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
            costs: Costs::default(),
            partials: Vec::new(),
            unloader: Unloader::new(),
            loaded_entities: 0,
            is_loading_owed: false,
        }
    }

    /// Gives up a loaded chunk: it is hidden at once and despawned within the budgets of the
    /// coming frames, largest `distance` first.
    pub fn unload(&mut self, world: &mut World, key: K, chunk: LoadedChunk, distance: u64) {
        self.forget(chunk);
        self.unloader.push(world, key, chunk, distance);
    }

    /// Notes that somebody else despawned a loaded chunk, which weighs no more among what is loaded.
    pub fn forget(&mut self, chunk: LoadedChunk) {
        self.loaded_entities = self.loaded_entities.saturating_sub(chunk.entities + 1);
    }

    /// Chunks hidden and not yet despawned.
    #[must_use]
    pub fn unloading(&self) -> usize {
        self.unloader.chunks()
    }

    /// The chunk that is being spawned, of which only some entities are there, and how many.
    #[must_use]
    pub fn partial(&self) -> Option<(K, usize)> {
        (self.partials.last()).map(|partial| (partial.key, partial.spawned))
    }

    /// One frame's work. With nothing to do it does not even read the clock.
    pub fn apply(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        budget: &ApplyBudget,
    ) -> ApplyReport {
        let mut report = ApplyReport::default();
        let is_loading = !self.partials.is_empty() || host.has_arrivals();
        if !is_loading && self.unloader.chunks() == 0 {
            return report;
        }
        let most = budget.chunks.map_or(usize::MAX, |chunks| chunks as usize);
        let clock = Arc::clone(&self.clock);
        let mut costs = core::mem::take(&mut self.costs);
        let mut pace = Pace::start(&*clock, &mut costs);
        let share = self.unload_share(budget);
        if !is_loading {
            pace.stretch(budget.time, true);
            self.unload_for(world, host, &mut pace, most, &mut report);
        } else if self.is_loading_owed {
            // A frame owes one slice. Where there is time for no more, both have it in turn.
            pace.stretch(budget.part(1.0 - share), true);
            self.load_for(world, host, &mut pace, most, &mut report);
            self.is_loading_owed = !pace.has_advanced();
            pace.stretch(budget.time, self.is_loading_owed);
            self.unload_for(world, host, &mut pace, most, &mut report);
        } else {
            pace.stretch(budget.part(share), true);
            self.unload_for(world, host, &mut pace, most, &mut report);
            let has_unloaded = pace.has_advanced();
            pace.stretch(budget.time, !has_unloaded);
            self.load_for(world, host, &mut pace, most, &mut report);
            self.is_loading_owed = !pace.has_advanced();
            pace.stretch(budget.time, false);
            let most = most - report.unloaded;
            self.unload_for(world, host, &mut pace, most, &mut report);
        }
        report.spent = pace.finish();
        self.costs = costs;
        if let Some(time) = budget.time {
            report.overshoot = report.spent.saturating_sub(time);
        }
        report
    }

    /// Calls [`ChunkHost::before_unload`] at once for every chunk that waits for it, in the order in
    /// which they would go: for the moment before the app exits. No budget holds this back.
    pub fn announce_all(&mut self, world: &mut World, host: &mut impl ChunkHost<K, T>) {
        self.unloader.announce_all(world, host);
    }

    /// The share of time that unloading gets first: the reserved one, or what waits to go of all
    /// entities, roots included.
    fn unload_share(&self, budget: &ApplyBudget) -> f32 {
        let doomed = self.unloader.entities() as f32;
        let pressure = doomed / (doomed + self.loaded_entities as f32).max(1.0);
        budget.reserved_share().max(pressure.min(0.8))
    }

    fn unload_for(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
        most: usize,
        report: &mut ApplyReport,
    ) {
        if self.unloader.chunks() == 0 || most == 0 {
            return;
        }
        let _span = tracing::debug_span!("chunk_unload").entered();
        if host.awaited() > 0 {
            self.unloader.announce_awaited(world, host, pace);
        }
        let done = self.unloader.advance(world, host, pace, most);
        report.unloaded += done.chunks;
        report.despawned += done.entities;
    }

    fn load_for(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
        most: usize,
        report: &mut ApplyReport,
    ) {
        let _span = tracing::debug_span!("chunk_spawn").entered();
        // One that nobody wants any more must not wait for its turn to give back its memory.
        let outdated = |partial: &mut Partial<K>| !host.is_current(&partial.key, partial.version);
        let outdated: Vec<Partial<K>> = self.partials.extract_if(.., outdated).collect();
        for partial in outdated {
            self.discard(world, host, partial);
        }
        // Every chunk counts that is done with, also one that is given up.
        let mut done = 0;
        while done < most {
            let Some(slice) = self.next_slice(world, host, pace, report) else {
                break;
            };
            match slice {
                Slice::Whole(partial) => self.finish(world, host, pace, partial, report),
                Slice::Stopped(partial) => {
                    visibility::hide(world, partial.root);
                    self.partials.push(partial);
                    break;
                }
                Slice::Failed(partial, error) => {
                    report.failed += 1;
                    let (key, version) = (partial.key, partial.version);
                    self.discard(world, host, partial);
                    host.failed(&key, version, error);
                    pace.break_off();
                }
            }
            done += 1;
        }
    }

    /// Works on the chunk whose turn it is. `None` when there is none, or no time for it.
    fn next_slice(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
        report: &mut ApplyReport,
    ) -> Option<Slice<K>> {
        let must_go_on = self.partials.last().is_some_and(|partial| {
            self.partials.len() >= MOST_PARTIALS
                || !host.has_arrivals()
                || !host.overtakes(&partial.key)
        });
        if must_go_on {
            let partial = self.partials.pop()?;
            return Some(partial.go_on(world, pace, report));
        }
        if !Partial::<K>::may_begin(world, pace) {
            return None;
        }
        match host.next_arrival() {
            Some(arrival) => Some(Partial::begin(
                arrival,
                &self.spawner,
                world,
                host,
                pace,
                report,
            )),
            // What was to overtake turned out to be out of date.
            None => Some(self.partials.pop()?.go_on(world, pace, report)),
        }
    }

    /// Hands a whole chunk to the host, and unloads the one that it replaces.
    fn finish(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
        partial: Partial<K>,
        report: &mut ApplyReport,
    ) {
        let whole = partial.whole();
        let Ok(replaced) = host.applied(world, whole) else {
            return self.discard(world, host, partial);
        };
        report.applied += 1;
        self.loaded_entities += whole.entities + 1;
        if let Some(replaced) = replaced {
            // At once, so that what it saves is there before anybody sees the new one.
            pace.begin_step(announcing());
            host.before_unload(world, &whole.key, replaced);
            pace.end_step();
            self.forget(replaced);
            self.unloader.discard(world, whole.key, replaced);
        }
    }

    /// Removes what was spawned of a chunk that will not be shown, in slices like any other.
    fn discard(&mut self, world: &mut World, host: &mut impl ChunkHost<K, T>, partial: Partial<K>) {
        let (key, chunk, rest) = partial.into_parts();
        self.unloader.discard(world, key, chunk);
        if let Some(rest) = rest {
            host.discard(rest);
        }
    }
}

impl<K: fmt::Debug, T> fmt::Debug for Applier<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier")
            .field("partials", &self.partials)
            .field("unloader", &self.unloader)
            .field("loaded_entities", &self.loaded_entities)
            .finish_non_exhaustive()
    }
}
