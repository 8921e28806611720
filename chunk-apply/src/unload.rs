//! Takes chunks out of the world in slices, the farthest first.

use crate::{
    host::LoadedChunk,
    pace::{Kind, Pace},
    visibility,
};
use bevy_ecs::{entity::Entity, hierarchy::Children, world::World};
use core::{any::TypeId, cmp::Ordering};
use std::collections::BinaryHeap;

/// Marks the cost of despawning in the cost table.
struct Despawning;

fn despawning() -> Kind {
    TypeId::of::<Despawning>()
}

/// Marks the cost of telling the host that a chunk goes.
struct Announcing;

fn announcing() -> Kind {
    TypeId::of::<Announcing>()
}

/// A hidden chunk that waits to be despawned.
#[derive(Debug)]
struct Doomed<K> {
    distance: u64,
    key: K,
    chunk: LoadedChunk,
    /// Whether the host is to be told before the first entity goes.
    is_announced: bool,
}

impl<K: Ord> Ord for Doomed<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.distance, &self.key, self.chunk.version).cmp(&(
            other.distance,
            &other.key,
            other.chunk.version,
        ))
    }
}

impl<K: Ord> PartialOrd for Doomed<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord> PartialEq for Doomed<K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<K: Ord> Eq for Doomed<K> {}

/// Chunks that are no longer wanted, until their last entity is gone.
#[derive(Debug)]
pub(crate) struct Unloader<K> {
    queue: BinaryHeap<Doomed<K>>,
    current: Option<Doomed<K>>,
    entities: usize,
}

impl<K: Ord> Unloader<K> {
    pub(crate) fn new() -> Self {
        Self {
            queue: BinaryHeap::new(),
            current: None,
            entities: 0,
        }
    }

    /// Hides a chunk that was whole and despawns it when its turn comes. The one with the largest
    /// `distance` goes first.
    pub(crate) fn push(&mut self, world: &mut World, key: K, chunk: LoadedChunk, distance: u64) {
        self.doom(world, key, chunk, distance, false);
    }

    /// The same for a chunk that never was whole: nobody needs to know that it goes.
    pub(crate) fn discard(&mut self, world: &mut World, key: K, chunk: LoadedChunk) {
        self.doom(world, key, chunk, u64::MAX, true);
    }

    fn doom(
        &mut self,
        world: &mut World,
        key: K,
        chunk: LoadedChunk,
        distance: u64,
        is_announced: bool,
    ) {
        visibility::hide(world, chunk.root);
        self.entities += chunk.entities;
        self.queue.push(Doomed {
            distance,
            key,
            chunk,
            is_announced,
        });
    }

    pub(crate) fn chunks(&self) -> usize {
        self.queue.len() + usize::from(self.current.is_some())
    }

    /// Entities that were spawned under the waiting roots and not yet despawned.
    pub(crate) fn entities(&self) -> usize {
        self.entities
    }

    /// Despawns until the pace is exhausted or `most` chunks are gone. `announce` is called before
    /// the first entity of a chunk goes.
    pub(crate) fn advance(
        &mut self,
        world: &mut World,
        pace: &mut Pace<'_>,
        most: usize,
        mut announce: impl FnMut(&mut World, &K, LoadedChunk),
    ) -> Unloaded {
        let mut done = Unloaded::default();
        while done.chunks < most {
            let Some(mut doomed) = self.current.take().or_else(|| self.queue.pop()) else {
                break;
            };
            if !doomed.is_announced {
                if pace.allowance(announcing()) == 0 {
                    self.current = Some(doomed);
                    break;
                }
                announce(world, &doomed.key, doomed.chunk);
                doomed.is_announced = true;
                pace.spent(announcing(), 1);
            }
            let (entities, is_gone) = despawn_slice(world, doomed.chunk.root, pace);
            done.entities += entities;
            if is_gone {
                self.entities -= doomed.chunk.entities;
                done.chunks += 1;
            } else {
                self.current = Some(doomed);
                break;
            }
        }
        done
    }
}

/// What one call of [`Unloader::advance`] removed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unloaded {
    pub(crate) chunks: usize,
    pub(crate) entities: usize,
}

/// Despawns as much below the root as the pace allows, and the root when all of it fits.
/// Returns how many entities went, and whether the root is gone.
fn despawn_slice(world: &mut World, root: Entity, pace: &mut Pace<'_>) -> (usize, bool) {
    let mut despawned = 0;
    loop {
        if world.get_entity(root).is_err() {
            return (despawned, true);
        }
        let allowance = pace.allowance(despawning());
        if allowance == 0 {
            return (despawned, false);
        }
        let children = world
            .get::<Children>(root)
            .map_or(0, |children| children.len());
        if children < allowance {
            // The root was just seen, so this cannot fail.
            let _ = world.try_despawn(root);
            pace.spent(despawning(), children + 1);
            return (despawned + children, true);
        }
        // From the end, where Bevy looks first when a child leaves its parent.
        let tail: Vec<Entity> = world
            .get::<Children>(root)
            .map(|children| children.iter().rev().take(allowance).copied().collect())
            .unwrap_or_default();
        for child in &tail {
            let _ = world.try_despawn(*child);
        }
        despawned += tail.len();
        pace.spent(despawning(), tail.len());
    }
}
