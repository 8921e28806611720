//! Takes chunks out of the world in slices, the farthest first.

use crate::{
    budget::{ApplyBudget, ApplyReport, CostKey, Pacer},
    host::{ChunkHost, LoadedChunk},
    spawn::visibility,
};
use bevy_ecs::{entity::Entity, hierarchy::Children, world::World};
use core::cmp::Reverse;
use std::collections::BTreeMap;

/// Stands for despawning in the cost model.
struct Despawning;

/// Stands for [`ChunkHost::before_unload`] in the cost model.
struct Announcing;

/// What a frame's work on the `World` needs.
pub(crate) struct Work<'a, 'p, H> {
    pub(crate) world: &'a mut World,
    pub(crate) host: &'a mut H,
    pub(crate) pacer: &'a mut Pacer<'p>,
    pub(crate) budget: &'a ApplyBudget,
    pub(crate) report: &'a mut ApplyReport,
}

impl<H> Work<'_, '_, H> {
    /// Whether there is time to tell the host that a chunk is unloaded.
    fn may_announce(&mut self) -> bool {
        self.pacer.allowance(CostKey::of::<Announcing>()) > 0
    }

    /// Tells the host that a chunk is unloaded.
    fn announce<K, T>(&mut self, key: &K, chunk: LoadedChunk)
    where
        H: ChunkHost<K, T>,
    {
        self.pacer.begin_step(CostKey::of::<Announcing>());
        self.host.before_unload(self.world, key, chunk);
        self.pacer.end_step();
    }
}

/// What the queue is ordered by. The last is despawned first: the farthest chunk, and of two versions of one chunk the
/// older, so that it is saved first. The number tells chunks of one version apart.
type Position<K> = (u64, K, Reverse<u64>, Reverse<u64>);

/// A hidden chunk that waits to be despawned.
#[derive(Debug)]
struct PendingUnload {
    chunk: LoadedChunk,
    /// Whether the host was told, or need not be.
    is_announced: bool,
}

/// Chunks that were given up, until their last entity is gone.
#[derive(Debug)]
pub(crate) struct Unloader<K> {
    queue: BTreeMap<Position<K>, PendingUnload>,
    pushed: u64,
    entities: usize,
}

impl<K: Ord + Copy> Unloader<K> {
    pub(crate) fn new() -> Self {
        Self {
            queue: BTreeMap::new(),
            pushed: 0,
            entities: 0,
        }
    }

    /// Hides a chunk that was whole, and despawns it later. The one with the largest `distance` goes first.
    pub(crate) fn push(&mut self, world: &mut World, key: K, chunk: LoadedChunk, distance: u64) {
        self.queue_up(world, key, chunk, distance, false);
    }

    /// The same for a chunk that the host need not be told of, before all others.
    pub(crate) fn discard(&mut self, world: &mut World, key: K, chunk: LoadedChunk) {
        self.queue_up(world, key, chunk, u64::MAX, true);
    }

    fn queue_up(
        &mut self,
        world: &mut World,
        key: K,
        chunk: LoadedChunk,
        distance: u64,
        is_announced: bool,
    ) {
        let _ = visibility::hide(world, chunk.root);
        self.entities += chunk.entities + 1;
        self.pushed += 1;
        let position = (distance, key, Reverse(chunk.version), Reverse(self.pushed));
        let pending = PendingUnload {
            chunk,
            is_announced,
        };
        self.queue.insert(position, pending);
    }

    pub(crate) fn chunks(&self) -> usize {
        self.queue.len()
    }

    /// Entities that were spawned as the waiting roots and under them, and are not yet despawned.
    pub(crate) fn entities(&self) -> usize {
        self.entities
    }

    /// Continues with the next chunk, as far as the pacer allows. The host is told before the first of its entities is
    /// despawned. Returns whether the chunk is gone.
    pub(crate) fn advance<T, H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) -> bool {
        let Some(mut entry) = self.queue.last_entry() else {
            return false;
        };
        let (_, key, ..) = *entry.key();
        let pending = entry.get_mut();
        if !pending.announce(&key, work) {
            return false;
        }
        let before = pending.chunk.entities;
        let is_gone = pending.despawn(work);
        self.entities -= before - pending.chunk.entities;
        if is_gone {
            self.entities -= pending.chunk.entities + 1;
            entry.remove();
            work.report.unloaded += 1;
        }
        is_gone
    }

    /// Tells the host of the chunks that are waited for, the nearest first, as far as the pacer allows.
    pub(crate) fn announce_waiting<T, H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) {
        let (host, world) = (&*work.host, &*work.world);
        let mut waiting: Vec<_> = (self.queue.iter_mut())
            .filter(|((_, key, ..), pending)| {
                !pending.is_announced && host.is_waiting_for_save(world, key)
            })
            .collect();
        // The older of two versions first, here as well.
        waiting.sort_by_key(|((distance, key, version, _), _)| (*distance, *key, version.0));
        for ((_, key, ..), pending) in waiting {
            if !pending.announce(key, work) {
                return;
            }
        }
    }

    /// Every chunk that the host was not told of, in the order in which it would be. It need not be told again.
    pub(crate) fn take_unannounced(&mut self) -> Vec<(K, LoadedChunk)> {
        let mut chunks = Vec::new();
        for ((_, key, ..), pending) in self.queue.iter_mut().rev() {
            if !core::mem::replace(&mut pending.is_announced, true) {
                chunks.push((*key, pending.chunk));
            }
        }
        chunks
    }
}

impl PendingUnload {
    /// Tells the host, if it does not know and the pacer allows. Returns whether it knows.
    fn announce<K, T, H: ChunkHost<K, T>>(&mut self, key: &K, work: &mut Work<'_, '_, H>) -> bool {
        if !self.is_announced && work.may_announce() {
            work.announce(key, self.chunk);
            self.is_announced = true;
        }
        self.is_announced
    }

    /// Despawns as many entities under the root as the pacer allows, and the root when all of them fit. Returns whether
    /// the root is gone.
    fn despawn<H>(&mut self, work: &mut Work<'_, '_, H>) -> bool {
        let Work {
            world,
            pacer,
            report,
            ..
        } = work;
        let (root, cost_key) = (self.chunk.root, CostKey::of::<Despawning>());
        loop {
            if world.get_entity(root).is_err() {
                return true;
            }
            let allowance = pacer.allowance(cost_key);
            if allowance == 0 {
                return false;
            }
            let children = world
                .get::<Children>(root)
                .map_or(0, |children| children.len());
            if children < allowance {
                // The root was just seen, so this cannot fail.
                let _ = world.try_despawn(root);
                pacer.spent(cost_key, children + 1);
                // The children may have had any number of descendants, all despawned at once.
                pacer.read_clock();
                report.despawned += children;
                return true;
            }
            // From the end, where Bevy looks first for a child that leaves its parent.
            let last: Vec<Entity> = world
                .get::<Children>(root)
                .map(|children| children.iter().rev().take(allowance).copied().collect())
                .unwrap_or_default();
            for child in &last {
                let _ = world.try_despawn(*child);
            }
            pacer.spent(cost_key, last.len());
            report.despawned += last.len();
            // A user may have added children, which were never counted.
            self.chunk.entities = self.chunk.entities.saturating_sub(last.len());
        }
    }
}
