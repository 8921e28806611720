//! Takes chunks out of the world in slices, the farthest first.

use crate::{
    budget::{ApplyBudget, ApplyReport, CostKey, Pacer},
    contain,
    host::{ChunkHost, LoadedChunk},
    spawn::visibility,
};
use bevy_ecs::{
    entity::Entity,
    hierarchy::{ChildOf, Children},
    world::World,
};
use core::cmp::Reverse;
use smallvec::SmallVec;
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
    bytes: u128,
    /// Where despawning has stopped.
    place: Place,
}

impl<K: Ord + Copy> Unloader<K> {
    pub(crate) fn new() -> Self {
        Self {
            queue: BTreeMap::new(),
            pushed: 0,
            entities: 0,
            bytes: 0,
            place: Place::default(),
        }
    }

    /// Hides a chunk, and despawns it later. The one with the largest `distance` goes first.
    pub(crate) fn push(&mut self, world: &mut World, key: K, chunk: LoadedChunk, distance: u64) {
        let _ = visibility::hide(world, chunk.root);
        self.entities += chunk.entities + 1;
        self.bytes += chunk.bytes as u128;
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

    /// Bytes that were uploaded for the waiting chunks.
    pub(crate) fn bytes(&self) -> u128 {
        self.bytes
    }

    /// Continues with the next chunk, as far as the pacer allows. Returns whether the chunk is gone.
    pub(crate) fn advance<T, H: ChunkHost<K, T>>(&mut self, work: &mut Work<'_, '_, H>) -> bool {
        let Some(mut entry) = self.queue.last_entry() else {
            return false;
        };
        let (_, key, ..) = *entry.key();
        let chunk = entry.get_mut();
        let before = chunk.entities;
        let is_gone = despawn(&key, chunk, &mut self.place, work);
        self.entities -= before - chunk.entities;
        if is_gone {
            self.entities -= chunk.entities + 1;
            self.bytes -= chunk.bytes as u128;
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
        despawn_whole(&key, chunk.root, &mut self.place.next, work);
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
    work.pacer.despawned_in_step(children.len());
    work.pacer.end_step();
}

/// Where despawning has stopped in the tree under a root, so that a slice in a deep tree does not begin at the top.
#[derive(Debug, Default)]
struct Place {
    /// From the root down.
    path: Vec<Entity>,
    /// What is despawned next. Kept for its memory.
    next: Vec<Entity>,
}

/// Despawns as many entities under the root as the pacer allows, and the root when all of them fit. Returns whether
/// the root is gone.
fn despawn<K, T, H: ChunkHost<K, T>>(
    key: &K,
    chunk: &mut LoadedChunk,
    place: &mut Place,
    work: &mut Work<'_, '_, H>,
) -> bool {
    if work.pacer.is_in_whole_chunks() {
        let has_time = work.pacer.allowance(CostKey::of::<DespawningWhole>()) > 0;
        if has_time {
            despawn_whole(key, chunk.root, &mut place.next, work);
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
        let allowance = pacer.despawn_allowance(cost_key);
        if allowance == 0 {
            return false;
        }
        if let Some(below) = count_below(world, root, allowance) {
            place.next.clear();
            let children = world.get::<Children>(root);
            place.next.extend(children.into_iter().flatten().copied());
            if let Err(panic) = contain::despawn(world, root, &place.next) {
                host.panicked(world, key, panic);
            }
            pacer.despawned(cost_key, below + 1);
            // Observers of the root may have taken any time.
            pacer.read_clock();
            report.despawned += below;
            return true;
        }
        place.follow(world, root);
        let mut gone = 0;
        while gone < allowance && place.find(world, allowance - gone) {
            let mut rest = &place.next[..];
            while !rest.is_empty() {
                let mut tried = 0;
                let despawned = contain::contain(world, |world| {
                    for entity in rest {
                        tried += 1;
                        let _ = world.try_despawn(*entity);
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
            gone += place.next.len();
        }
        pacer.despawned(cost_key, gone);
        report.despawned += gone;
        // A user may have added entities, which were never counted.
        chunk.entities = chunk.entities.saturating_sub(gone);
    }
}

/// How many entities there are under this one, if they are fewer than `most`.
fn count_below(world: &World, entity: Entity, most: usize) -> Option<usize> {
    let mut count = 0;
    let mut parents: SmallVec<[Entity; 8]> = SmallVec::from_slice(&[entity]);
    while let Some(parent) = parents.pop() {
        let Some(children) = world.get::<Children>(parent) else {
            continue;
        };
        count += children.len();
        if count >= most {
            return None;
        }
        let children = children.iter().copied();
        parents.extend(children.filter(|child| has_children(world, *child)));
    }
    Some(count)
}

fn has_children(world: &World, entity: Entity) -> bool {
    (world.get_entity(entity)).is_ok_and(|entity| entity.contains::<Children>())
}

impl Place {
    /// Shortens the path to what is still a path down from the root: users may have moved entities since it was made.
    fn follow(&mut self, world: &World, root: Entity) {
        if self.path.first() != Some(&root) {
            self.path.clear();
            self.path.push(root);
        }
        let is_below = |pair: &&[Entity]| {
            let child = world.get::<ChildOf>(pair[1]);
            child.is_some_and(|child| child.parent() == pair[0])
        };
        let valid = self.path.windows(2).take_while(is_below).count();
        self.path.truncate(1 + valid);
    }

    /// Finds up to `most` entities that have nothing under them. False where only the root is left.
    fn find(&mut self, world: &World, most: usize) -> bool {
        self.next.clear();
        while let Some(parent) = self.path.last().copied() {
            let children = world.get::<Children>(parent);
            // From the end, where Bevy looks first for a child that leaves its parent.
            let mut children = children.into_iter().flatten().rev().copied().peekable();
            let Some(last) = children.peek().copied() else {
                if self.path.len() == 1 {
                    return false;
                }
                self.path.pop();
                self.next.push(parent);
                return true;
            };
            let leaves = children.take_while(|child| !has_children(world, *child));
            self.next.extend(leaves.take(most));
            if !self.next.is_empty() {
                return true;
            }
            self.path.push(last);
        }
        false
    }
}
