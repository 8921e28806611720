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
}

impl<K: Ord + Copy> Unloader<K> {
    pub(crate) fn new() -> Self {
        Self {
            queue: BTreeMap::new(),
            pushed: 0,
            entities: 0,
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
    pub(crate) fn advance<H>(&mut self, work: &mut Work<'_, '_, H>) -> bool {
        let Some(mut entry) = self.queue.last_entry() else {
            return false;
        };
        let chunk = entry.get_mut();
        let before = chunk.entities;
        let is_gone = despawn(chunk, work);
        self.entities -= before - chunk.entities;
        if is_gone {
            self.entities -= chunk.entities + 1;
            entry.remove();
            work.report.unloaded += 1;
        }
        is_gone
    }
}

/// Despawns as many entities under the root as the pacer allows, and the root when all of them fit. Returns whether
/// the root is gone.
fn despawn<H>(chunk: &mut LoadedChunk, work: &mut Work<'_, '_, H>) -> bool {
    let Work {
        world,
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
        chunk.entities = chunk.entities.saturating_sub(last.len());
    }
}
