//! A chunk of which some entities are there.

use crate::{
    batch::Batch,
    costs::Kind,
    error::SpawnError,
    host::{Arrival, ChunkHost, Leftovers, LoadedChunk, SpawnedChunk},
    pace::Pace,
    report::ApplyReport,
    spawner::Spawner,
    visibility,
    writer::{ChunkWriter, advance},
};
use bevy_ecs::{entity::Entity, hierarchy::Children, world::World};
use core::{any::TypeId, fmt};
use std::collections::VecDeque;

/// A root, what was spawned below it, and what is still to be.
pub(crate) struct Partial<K> {
    pub(crate) key: K,
    pub(crate) version: u64,
    pub(crate) root: Entity,
    pub(crate) spawned: usize,
    rest: VecDeque<Box<dyn Batch>>,
}

/// Where one slice left its chunk.
pub(crate) enum Slice<K> {
    /// Everything is spawned.
    Whole(Partial<K>),
    /// The budget ended first.
    Stopped(Partial<K>),
    /// The spawner failed, or somebody despawned the root.
    Failed(Partial<K>, SpawnError),
}

/// Marks the cost of a root, its bookkeeping and the call of the spawner in the cost table.
struct Rooting;

fn rooting() -> Kind {
    TypeId::of::<Rooting>()
}

impl<K: Copy> Partial<K> {
    /// Whether there is time for a root and a call of the spawner.
    pub(crate) fn may_begin(world: &World, pace: &mut Pace<'_>) -> bool {
        pace.may_begin_chunk(rooting(), world)
    }

    /// Spawns a root and calls the spawner, which writes as much as fits.
    pub(crate) fn begin<T>(
        arrival: Arrival<K, T>,
        spawner: &Spawner<K, T>,
        world: &mut World,
        host: &mut impl ChunkHost<K, T>,
        pace: &mut Pace<'_>,
        report: &mut ApplyReport,
    ) -> Slice<K> {
        pace.begin_chunk(rooting());
        let mut partial = Self {
            key: arrival.key,
            version: arrival.version,
            root: host.spawn_root(world, &arrival.key),
            spawned: 0,
            rest: VecDeque::new(),
        };
        pace.rooted(rooting(), partial.root, world);
        let outcome = SpawnError::catch(|| {
            let Self {
                root,
                rest,
                spawned,
                ..
            } = &mut partial;
            let mut writer = ChunkWriter::new(world, *root, pace, rest, spawned);
            let outcome = spawner.spawn(arrival.key, arrival.content, &mut writer);
            if *spawned == 0 && rest.is_empty() {
                pace.end_step();
                drop_empty_list(world, *root);
            }
            outcome
        });
        report.spawned += partial.spawned;
        match outcome.and_then(|outcome| outcome) {
            Ok(()) => {
                pace.end_step();
                partial.settle(world)
            }
            Err(error) => Slice::Failed(partial, error),
        }
    }

    /// Goes on with a chunk that stopped earlier.
    pub(crate) fn go_on(
        mut self,
        world: &mut World,
        pace: &mut Pace<'_>,
        report: &mut ApplyReport,
    ) -> Slice<K> {
        let before = self.spawned;
        let outcome = SpawnError::catch(|| {
            while let Some(batch) = self.rest.front_mut() {
                if !advance(&mut **batch, world, self.root, pace, &mut self.spawned) {
                    return;
                }
                self.rest.pop_front();
            }
            if self.spawned == 0 {
                pace.end_step();
                drop_empty_list(world, self.root);
            }
        });
        report.spawned += self.spawned - before;
        match outcome {
            Ok(()) => {
                if self.rest.is_empty() {
                    visibility::show(world, self.root);
                }
                self.settle(world)
            }
            Err(error) => Slice::Failed(self, error),
        }
    }

    /// Says what a slice that went well left.
    fn settle(self, world: &World) -> Slice<K> {
        if world.get_entity(self.root).is_err() {
            let error = SpawnError::new("its root was despawned before it was whole");
            Slice::Failed(self, error)
        } else if self.rest.is_empty() {
            Slice::Whole(self)
        } else {
            Slice::Stopped(self)
        }
    }

    /// What the host is told once everything is there.
    pub(crate) fn whole(&self) -> SpawnedChunk<K> {
        SpawnedChunk {
            key: self.key,
            version: self.version,
            root: self.root,
            entities: self.spawned,
        }
    }

    /// What is there, and what is not.
    pub(crate) fn into_parts(self) -> (K, LoadedChunk, Option<Leftovers>) {
        let chunk = LoadedChunk {
            root: self.root,
            entities: self.spawned,
            version: self.version,
        };
        let rest = (!self.rest.is_empty()).then_some(Leftovers { batches: self.rest });
        (self.key, chunk, rest)
    }
}

/// Takes the list of children from a root that was given one and has no child, as Bevy does with the last of them.
fn drop_empty_list(world: &mut World, root: Entity) {
    if let Ok(mut root) = world.get_entity_mut(root)
        && root.get::<Children>().is_some_and(|list| list.is_empty())
    {
        root.remove::<Children>();
    }
}

impl<K: fmt::Debug> fmt::Debug for Partial<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Partial")
            .field("key", &self.key)
            .field("version", &self.version)
            .field("spawned", &self.spawned)
            .field("waiting", &self.rest.len())
            .finish_non_exhaustive()
    }
}
