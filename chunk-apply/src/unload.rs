//! Takes chunks out of the world in slices, the farthest first.

use crate::{
    costs::Kind,
    host::{ChunkHost, LoadedChunk},
    pace::Pace,
    visibility,
};
use bevy_ecs::{entity::Entity, hierarchy::Children, world::World};
use core::{
    any::TypeId,
    cmp::{Ordering, Reverse},
};
use std::collections::BinaryHeap;

/// Marks the cost of despawning in the cost table.
struct Despawning;

fn despawning() -> Kind {
    TypeId::of::<Despawning>()
}

/// Marks the cost of telling the host that a chunk goes.
struct Announcing;

/// The kind of work that [`ChunkHost::before_unload`](crate::ChunkHost::before_unload) is.
pub(crate) fn announcing() -> Kind {
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

impl<K: Ord> Doomed<K> {
    /// Of two versions of one chunk the older goes first, so that it is saved first.
    fn order(&self) -> impl Ord + '_ {
        (self.distance, &self.key, Reverse(self.chunk.version))
    }

    /// What it weighs among what waits: its entities and its root.
    fn weight(&self) -> usize {
        self.chunk.entities + 1
    }
}

impl<K: Ord> Ord for Doomed<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
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

impl<K: Ord + Copy> Unloader<K> {
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

    /// The same for a chunk of which nobody needs to be told any more that it goes, as soon as may be.
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
        let doomed = Doomed {
            distance,
            key,
            chunk,
            is_announced,
        };
        self.entities += doomed.weight();
        self.queue.push(doomed);
    }

    pub(crate) fn chunks(&self) -> usize {
        self.queue.len() + usize::from(self.current.is_some())
    }

    /// Entities that were spawned as the waiting roots and under them, and not yet despawned.
    pub(crate) fn entities(&self) -> usize {
        self.entities
    }

    /// Despawns until the pace is exhausted or `most` chunks are gone. The host is told before the
    /// first entity of a chunk goes.
    pub(crate) fn advance<T>(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
        most: usize,
    ) -> Unloaded {
        let mut done = Unloaded::default();
        while done.chunks < most {
            let Some(mut doomed) = self.current.take().or_else(|| self.queue.pop()) else {
                break;
            };
            let is_gone = doomed.announce(world, host, pace)
                && doomed.despawn(world, pace, &mut done.entities, &mut self.entities);
            if !is_gone {
                self.current = Some(doomed);
                break;
            }
            done.chunks += 1;
        }
        done
    }

    /// Tells the host of the chunks that somebody waits for, out of their turn and the nearest first, as
    /// far as the pace allows.
    pub(crate) fn announce_awaited<T>(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
    ) {
        // Whether a chunk was announced is no part of the order.
        let mut queue = core::mem::take(&mut self.queue).into_vec();
        let mut awaited: Vec<&mut Doomed<K>> = (queue.iter_mut())
            .chain(&mut self.current)
            .filter(|doomed| !doomed.is_announced && host.is_awaited(&doomed.key))
            .collect();
        awaited.sort_by_key(|doomed| (doomed.distance, doomed.key, doomed.chunk.version));
        for doomed in awaited {
            if !doomed.announce(world, host, pace) {
                break;
            }
        }
        self.queue = BinaryHeap::from(queue);
    }

    /// Tells the host of every chunk that it was not told of, whatever that takes.
    pub(crate) fn announce_all<T>(&mut self, world: &mut World, host: &mut impl ChunkHost<K, T>) {
        let mut queue = core::mem::take(&mut self.queue).into_sorted_vec();
        for doomed in self.current.iter_mut().chain(queue.iter_mut().rev()) {
            if !core::mem::replace(&mut doomed.is_announced, true) {
                host.before_unload(world, &doomed.key, doomed.chunk);
            }
        }
        self.queue = BinaryHeap::from(queue);
    }
}

impl<K: Ord + Copy> Doomed<K> {
    /// Whether the host knows; tells it if the pace allows.
    fn announce<T>(
        &mut self,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
    ) -> bool {
        if !self.is_announced && pace.allowance(announcing()) > 0 {
            pace.begin_step(announcing());
            host.before_unload(world, &self.key, self.chunk);
            self.is_announced = true;
            pace.end_step();
        }
        self.is_announced
    }

    /// Despawns as much below the root as the pace allows, and the root when all of it fits. Returns
    /// whether the root is gone; counts in `despawned` what went, and takes it from `waiting`.
    fn despawn(
        &mut self,
        world: &mut World,
        pace: &mut Pace<'_>,
        despawned: &mut usize,
        waiting: &mut usize,
    ) -> bool {
        let root = self.chunk.root;
        loop {
            if world.get_entity(root).is_err() {
                *waiting -= self.weight();
                return true;
            }
            let allowance = pace.allowance(despawning());
            if allowance == 0 {
                return false;
            }
            let children = world
                .get::<Children>(root)
                .map_or(0, |children| children.len());
            if children < allowance {
                // The root was just seen, so this cannot fail.
                let _ = world.try_despawn(root);
                pace.spent(despawning(), children + 1);
                // However much there was below the children, it went at once.
                pace.look();
                *despawned += children;
                *waiting -= self.weight();
                return true;
            }
            // From the end, where Bevy looks first when a child leaves its parent.
            let tail: Vec<Entity> = world
                .get::<Children>(root)
                .map(|children| children.iter().rev().take(allowance).copied().collect())
                .unwrap_or_default();
            for child in &tail {
                let _ = world.try_despawn(*child);
            }
            pace.spent(despawning(), tail.len());
            *despawned += tail.len();
            // Somebody may have added children that were never counted.
            let counted = tail.len().min(self.chunk.entities);
            self.chunk.entities -= counted;
            *waiting -= counted;
        }
    }
}

/// What one call of [`Unloader::advance`] removed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Unloaded {
    pub(crate) chunks: usize,
    pub(crate) entities: usize,
}
