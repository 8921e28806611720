//! Takes chunks out of the world in slices, the farthest first.

use crate::{
    budget::{ApplyBudget, ApplyReport, CostKey, Pacer},
    contain,
    host::{ChunkHost, LoadedChunk},
    spawn::visibility,
};
use bevy_ecs::{entity::Entity, hierarchy::Children, world::World};
use core::cmp::Reverse;
use std::collections::BTreeMap;

/// Stands for despawning in the cost model.
struct Despawning;

/// Stands for despawning a chunk in one piece in the cost model.
struct DespawningWhole;

/// Stands for [`ChunkHost::save_next`] in the cost model.
struct Saving;

/// What a frame's work on the `World` needs.
pub(crate) struct Work<'a, 'p, H> {
    pub(crate) world: &'a mut World,
    pub(crate) host: &'a mut H,
    pub(crate) pacer: &'a mut Pacer<'p>,
    pub(crate) budget: &'a ApplyBudget,
    pub(crate) report: &'a mut ApplyReport,
}

impl<H> Work<'_, '_, H> {
    /// Has the host save a chunk, if there is time. Returns whether there was.
    pub(crate) fn save<K, T>(&mut self) -> bool
    where
        H: ChunkHost<K, T>,
    {
        let key = CostKey::of::<Saving>();
        if self.pacer.allowance(key) == 0 {
            return false;
        }
        self.pacer.begin_step(key);
        self.host.save_next(self.world);
        self.pacer.end_step();
        true
    }
}

/// What the queue is ordered by. The last is despawned first: the farthest chunk, and of two versions of one chunk the
/// older. The number tells chunks of one version apart.
type Position<K> = (u64, K, Reverse<u64>, Reverse<u64>);

/// Chunks that were given up, until their last entity is gone.
#[derive(Debug)]
pub(crate) struct Unloader<K> {
    queue: BTreeMap<Position<K>, LoadedChunk>,
    pushed: u64,
    entities: usize,
    /// The children that are being despawned. Kept for its memory.
    children: Vec<Entity>,
}

impl<K: Ord + Copy> Unloader<K> {
    pub(crate) fn new() -> Self {
        Self {
            queue: BTreeMap::new(),
            pushed: 0,
            entities: 0,
            children: Vec::new(),
        }
    }

    /// Hides a chunk, and despawns it later. The one with the largest `distance` goes first.
    pub(crate) fn push(&mut self, world: &mut World, key: K, chunk: LoadedChunk, distance: u64) {
        let _ = visibility::hide(world, chunk.root);
        self.entities += chunk.entities + 1;
        self.pushed += 1;
        let position = (distance, key, Reverse(chunk.version), Reverse(self.pushed));
        self.queue.insert(position, chunk);
    }

    pub(crate) fn chunks(&self) -> usize {
        self.queue.len()
    }

    /// Entities that were spawned as the waiting roots and under them, and are not yet despawned.
    pub(crate) fn entities(&self) -> usize {
        self.entities
    }

    /// Continues with the next chunk, as far as the pacer allows. Returns whether the chunk is gone.
    pub(crate) fn advance<T, H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) -> bool {
        let Some(mut entry) = self.queue.last_entry() else {
            return false;
        };
        let (_, key, ..) = *entry.key();
        let chunk = entry.get_mut();
        let before = chunk.entities;
        let is_gone = despawn(&key, chunk, &mut self.children, work);
        self.entities -= before - chunk.entities;
        if is_gone {
            self.entities -= chunk.entities + 1;
            entry.remove();
            work.report.unloaded += 1;
        }
        is_gone
    }

    /// Despawns a chunk in one piece, whatever time that takes.
    pub(crate) fn despawn_whole<T, H: ChunkHost<K, T>>(
        &mut self,
        key: K,
        chunk: LoadedChunk,
        work: &mut Work<'_, '_, H>,
    ) {
        despawn_whole(&key, chunk.root, &mut self.children, work);
        work.report.unloaded += 1;
    }
}

fn despawn_whole<K, T, H: ChunkHost<K, T>>(
    key: &K,
    root: Entity,
    children: &mut Vec<Entity>,
    work: &mut Work<'_, '_, H>,
) {
    work.pacer.begin_step(CostKey::of::<DespawningWhole>());
    children.clear();
    if let Some(list) = work.world.get::<Children>(root) {
        children.extend(list.iter());
    }
    if let Err(panic) = contain::despawn(work.world, root, children) {
        work.host.panicked(work.world, key, panic);
    }
    work.report.despawned += children.len();
    work.pacer.end_step();
}

/// Despawns as many entities under the root as the pacer allows, and the root when all of them fit. Returns whether
/// the root is gone.
fn despawn<K, T, H: ChunkHost<K, T>>(
    key: &K,
    chunk: &mut LoadedChunk,
    children: &mut Vec<Entity>,
    work: &mut Work<'_, '_, H>,
) -> bool {
    if work.pacer.is_in_whole_chunks() {
        let has_time = work.pacer.allowance(CostKey::of::<DespawningWhole>()) > 0;
        if has_time {
            despawn_whole(key, chunk.root, children, work);
        }
        return has_time;
    }
    let Work {
        world,
        host,
        pacer,
        report,
        ..
    } = work;
    let (root, cost_key) = (chunk.root, CostKey::of::<Despawning>());
    loop {
        if world.get_entity(root).is_err() {
            return true;
        }
        let allowance = pacer.allowance(cost_key);
        if allowance == 0 {
            return false;
        }
        children.clear();
        if let Some(list) = world.get::<Children>(root) {
            // From the end, where Bevy looks first for a child that leaves its parent.
            children.extend(list.iter().rev().take(allowance));
        }
        if children.len() < allowance {
            if let Err(panic) = contain::despawn(world, root, children) {
                host.panicked(world, key, panic);
            }
            pacer.spent(cost_key, children.len() + 1);
            // The children may have had any number of descendants, all despawned at once.
            pacer.read_clock();
            report.despawned += children.len();
            return true;
        }
        let mut rest = &children[..];
        while !rest.is_empty() {
            let mut tried = 0;
            let despawned = contain::contain(world, |world| {
                for child in rest {
                    tried += 1;
                    let _ = world.try_despawn(*child);
                }
            });
            if let Err(panic) = despawned {
                let is_out = contain::abandon(world, rest[tried - 1]);
                host.panicked(world, key, panic);
                if !is_out {
                    // It would be tried for ever.
                    return true;
                }
            }
            rest = &rest[tried..];
        }
        pacer.spent(cost_key, children.len());
        report.despawned += children.len();
        // A user may have added children, which were never counted.
        chunk.entities = chunk.entities.saturating_sub(children.len());
    }
}
