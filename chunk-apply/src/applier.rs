//! One frame's work on the `World`: unload, then spawn, all within one budget.

use crate::{
    batch::Batch,
    budget::ApplyBudget,
    clock::{Clock, MonotonicClock},
    error::SpawnError,
    host::{Arrival, ChunkHost, LoadedChunk, WholeChunk},
    pace::{Costs, Kind, Pace},
    report::ApplyReport,
    spawner::Spawner,
    unload::Unloader,
    visibility,
    writer::{ChunkWriter, advance},
};
use bevy_ecs::{entity::Entity, world::World};
use core::{any::TypeId, fmt};
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

/// Spawns and unloads chunks under a budget. Teams with their own queue use it directly, from an
/// exclusive system of theirs; the `streaming` feature does so for everyone else.
///
/// It works on the `World` itself and not through deferred commands, because the clock would
/// measure the queueing of commands and not the spawning.
pub struct Applier<K, T> {
    spawner: Spawner<K, T>,
    clock: Arc<dyn Clock>,
    costs: Costs,
    partial: Option<Partial<K>>,
    unloader: Unloader<K>,
    /// Entities of whole chunks that were not given to the unloader.
    loaded_entities: usize,
}

/// A chunk of which some entities are there.
struct Partial<K> {
    key: K,
    version: u64,
    root: Entity,
    rest: VecDeque<Box<dyn Batch>>,
    spawned: usize,
}

/// Marks the cost of a root, its bookkeeping and the call of the spawner in the cost table.
struct Rooting;

fn rooting() -> Kind {
    TypeId::of::<Rooting>()
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
            costs: Costs::default(),
            partial: None,
            unloader: Unloader::new(),
            loaded_entities: 0,
        }
    }

    /// Gives up a loaded chunk: it is hidden at once and despawned within the budgets of the
    /// coming frames, largest `distance` first.
    pub fn unload(&mut self, world: &mut World, key: K, chunk: LoadedChunk, distance: u64) {
        self.loaded_entities = self.loaded_entities.saturating_sub(chunk.entities);
        self.unloader.push(world, key, chunk, distance);
    }

    /// Chunks hidden and not yet despawned.
    #[must_use]
    pub fn unloading(&self) -> usize {
        self.unloader.chunks()
    }

    /// The chunk of which only some entities are there, and how many.
    #[must_use]
    pub fn partial(&self) -> Option<(K, usize)> {
        (self.partial.as_ref()).map(|partial| (partial.key, partial.spawned))
    }

    /// One frame's work. With nothing to do it does not even read the clock.
    pub fn apply(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        budget: &ApplyBudget,
    ) -> ApplyReport {
        let mut report = ApplyReport::default();
        let is_loading = self.partial.is_some() || host.has_arrivals();
        if !is_loading && self.unloader.chunks() == 0 {
            return report;
        }
        let most = budget.chunks.map_or(usize::MAX, |chunks| chunks as usize);
        let share = if is_loading {
            self.unload_share(budget)
        } else {
            1.0
        };
        let reserved = budget.time.map(|time| time.mul_f32(share));
        self.unload_for(world, host, reserved, true, most, &mut report);
        if is_loading {
            let left = budget.time.map(|time| time.saturating_sub(report.spent));
            self.load_for(world, host, left, most, &mut report);
            let left = budget.time.map(|time| time.saturating_sub(report.spent));
            let most = most - report.unloaded;
            self.unload_for(world, host, left, false, most, &mut report);
        }
        if let Some(time) = budget.time {
            report.overshoot = report.spent.saturating_sub(time);
        }
        report
    }

    /// The share of time that unloading gets first: the reserved one, or more when more entities
    /// wait to go than are loaded.
    fn unload_share(&self, budget: &ApplyBudget) -> f32 {
        let doomed = self.unloader.entities() as f32;
        let pressure = doomed / (doomed + self.loaded_entities as f32).max(1.0);
        budget.reserved_share().max(pressure.min(0.8))
    }

    fn unload_for(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        limit: Option<Duration>,
        must_advance: bool,
        most: usize,
        report: &mut ApplyReport,
    ) {
        if self.unloader.chunks() == 0 || most == 0 {
            return;
        }
        let _span = tracing::debug_span!("chunk_unload").entered();
        let mut pace = Pace::start(&*self.clock, &mut self.costs, limit, must_advance);
        let announce = |world: &mut World, key: &K, chunk| host.before_unload(world, key, chunk);
        let done = (self.unloader).advance(world, &mut pace, most, announce);
        report.unloaded += done.chunks;
        report.despawned += done.entities;
        report.spent += pace.finish();
    }

    fn load_for(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        limit: Option<Duration>,
        most: usize,
        report: &mut ApplyReport,
    ) {
        let _span = tracing::debug_span!("chunk_spawn").entered();
        let clock = Arc::clone(&self.clock);
        let mut costs = core::mem::take(&mut self.costs);
        let mut pace = Pace::start(&*clock, &mut costs, limit, true);
        while report.applied < most {
            let slice = match self.partial.take() {
                Some(partial) => self.go_on(world, host, &mut pace, partial, report),
                None if pace.is_exhausted() => break,
                None => match host.next_arrival() {
                    Some(arrival) => self.begin(world, host, &mut pace, arrival, report),
                    None => break,
                },
            };
            match slice {
                Slice::Whole(whole) => self.finish(world, host, whole, report),
                Slice::Stopped(partial) => {
                    visibility::hide(world, partial.root);
                    self.partial = Some(partial);
                    break;
                }
                Slice::Gone => {}
            }
        }
        report.spent += pace.finish();
        self.costs = costs;
    }

    /// Spawns a root and calls the spawner, which writes as much as fits.
    fn begin(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
        arrival: Arrival<K, T>,
        report: &mut ApplyReport,
    ) -> Slice<K> {
        let root = host.spawn_root(world, &arrival.key);
        pace.spent(rooting(), 1);
        let mut partial = Partial {
            key: arrival.key,
            version: arrival.version,
            root,
            rest: VecDeque::new(),
            spawned: 0,
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            let mut writer =
                ChunkWriter::new(world, root, pace, &mut partial.rest, &mut partial.spawned);
            self.spawner
                .spawn(arrival.key, arrival.content, &mut writer)
        }));
        report.spawned += partial.spawned;
        match outcome {
            Ok(Ok(())) if partial.rest.is_empty() => Slice::Whole(partial),
            Ok(Ok(())) => Slice::Stopped(partial),
            Ok(Err(error)) => self.give_up(world, host, partial, error, report),
            Err(panic) => {
                let error = SpawnError::from_panic(panic);
                self.give_up(world, host, partial, error, report)
            }
        }
    }

    /// Goes on with a chunk that stopped in an earlier frame.
    fn go_on(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
        mut partial: Partial<K>,
        report: &mut ApplyReport,
    ) -> Slice<K> {
        if !host.is_current(&partial.key, partial.version) {
            self.discard(world, partial);
            return Slice::Gone;
        }
        if world.get_entity(partial.root).is_err() {
            let error = SpawnError::new("its root was despawned before it was whole");
            return self.give_up(world, host, partial, error, report);
        }
        let before = partial.spawned;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            while let Some(batch) = partial.rest.front_mut() {
                if !advance(
                    &mut **batch,
                    world,
                    partial.root,
                    pace,
                    &mut partial.spawned,
                ) {
                    return;
                }
                partial.rest.pop_front();
            }
        }));
        report.spawned += partial.spawned - before;
        match outcome {
            Ok(()) if partial.rest.is_empty() => {
                visibility::show(world, partial.root);
                Slice::Whole(partial)
            }
            Ok(()) => Slice::Stopped(partial),
            Err(panic) => {
                let error = SpawnError::from_panic(panic);
                self.give_up(world, host, partial, error, report)
            }
        }
    }

    /// Hands a whole chunk to the host, and unloads the one that it replaces.
    fn finish(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        partial: Partial<K>,
        report: &mut ApplyReport,
    ) {
        let whole = WholeChunk {
            key: partial.key,
            version: partial.version,
            root: partial.root,
            entities: partial.spawned,
        };
        match host.applied(world, whole) {
            Ok(replaced) => {
                report.applied += 1;
                self.loaded_entities += whole.entities;
                if let Some(replaced) = replaced {
                    self.unload(world, partial.key, replaced, u64::MAX);
                }
            }
            Err(_stale) => self.discard(world, partial),
        }
    }

    /// Removes a chunk whose spawner failed, in slices like any other, and tells the host.
    fn give_up(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        partial: Partial<K>,
        error: SpawnError,
        report: &mut ApplyReport,
    ) -> Slice<K> {
        report.failed += 1;
        let (key, version) = (partial.key, partial.version);
        self.discard(world, partial);
        host.failed(&key, version, error);
        Slice::Gone
    }

    /// Removes what was spawned of a chunk that will not be shown.
    fn discard(&mut self, world: &mut World, partial: Partial<K>) {
        let chunk = LoadedChunk {
            root: partial.root,
            entities: partial.spawned,
            version: partial.version,
        };
        self.unloader.discard(world, partial.key, chunk);
    }
}

/// Where one slice left its chunk.
enum Slice<K> {
    /// Everything is spawned.
    Whole(Partial<K>),
    /// The budget ended first.
    Stopped(Partial<K>),
    /// It failed or is no longer wanted.
    Gone,
}

impl<K: fmt::Debug, T> fmt::Debug for Applier<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Applier")
            .field(
                "partial",
                &self.partial.as_ref().map(|partial| &partial.key),
            )
            .field("unloader", &self.unloader)
            .field("loaded_entities", &self.loaded_entities)
            .finish_non_exhaustive()
    }
}
