//! A chunk of which some entities are spawned and others are not.

use super::{
    batch::Batch,
    error::SpawnError,
    leftovers::Leftovers,
    spawner::Spawner,
    visibility::{self, Hidden},
    writer::{ChunkWriter, Written, advance},
};
use crate::{
    budget::{CostKey, Pacer},
    contain,
};
use bevy_ecs::{entity::Entity, hierarchy::Children, world::World};
use std::collections::VecDeque;

/// A root, what was spawned under it, and what is still to be spawned.
pub(crate) struct PartialChunk<K> {
    pub(crate) key: K,
    pub(crate) version: u64,
    pub(crate) root: Entity,
    written: Written,
    rest: VecDeque<Box<dyn Batch>>,
    /// Between two slices, while it is hidden.
    hidden: Option<Hidden>,
}

/// How a slice of a chunk ended.
pub(crate) enum SliceEnd {
    /// Everything is spawned.
    Whole,
    /// The budget ended first.
    Stopped,
    /// The spawner failed, or a user despawned the root.
    Failed(SpawnError),
}

/// Stands for a root, its bookkeeping and the call of the spawner in the cost model.
struct BeginChunk;

/// Stands for a chunk that is spawned in one piece in the cost model.
struct WholeChunk;

/// What the first step of a chunk costs is remembered under this key.
fn first_step(pacer: &Pacer<'_>) -> CostKey {
    if pacer.is_in_whole_chunks() {
        CostKey::of::<WholeChunk>()
    } else {
        CostKey::of::<BeginChunk>()
    }
}

impl<K: Copy> PartialChunk<K> {
    /// Whether there is time for a root and a call of the spawner.
    pub(crate) fn may_begin(pacer: &mut Pacer<'_>) -> bool {
        // How many bytes a chunk in one piece has is not known, so it waits if there is room for none.
        let has_room = !pacer.is_in_whole_chunks() || pacer.may_upload(1);
        has_room && pacer.allowance(first_step(pacer)) > 0
    }

    /// Spawns a root and calls the spawner, which writes as much as fits.
    pub(crate) fn begin<T>(
        (key, version, content): (K, u64, T),
        spawner: &Spawner<K, T>,
        world: &mut World,
        spawn_root: impl FnOnce(&mut World) -> Entity,
        pacer: &mut Pacer<'_>,
    ) -> (Self, SliceEnd) {
        pacer.begin_chunk(first_step(pacer));
        let mut chunk = Self {
            key,
            version,
            root: spawn_root(world),
            written: Written::default(),
            rest: VecDeque::new(),
            hidden: None,
        };
        let (root, rest, written) = (chunk.root, &mut chunk.rest, &mut chunk.written);
        let outcome = SpawnError::catch(|| {
            let mut writer = ChunkWriter::new(world, root, pacer, rest, written);
            let outcome = spawner.spawn(key, content, &mut writer);
            if written.entities == 0 && rest.is_empty() {
                pacer.end_step();
                remove_empty_list(world, root);
            }
            outcome
        });
        let end = match outcome.flatten() {
            Ok(()) => {
                pacer.end_step();
                chunk.end_slice(world)
            }
            Err(error) => {
                contain::flush(world);
                SliceEnd::Failed(error)
            }
        };
        (chunk, end)
    }

    /// Continues a chunk that stopped in an earlier frame.
    pub(crate) fn resume(&mut self, world: &mut World, pacer: &mut Pacer<'_>) -> SliceEnd {
        // So that steps find and change what they would in a chunk of one slice. Nothing is drawn meanwhile.
        if let Some(hidden) = self.hidden.take() {
            hidden.show(world, self.root);
        }
        let outcome = SpawnError::catch(|| {
            while let Some(batch) = self.rest.front_mut() {
                if !advance(&mut **batch, world, self.root, pacer, &mut self.written) {
                    return;
                }
                self.rest.pop_front();
            }
            if self.written.entities == 0 {
                pacer.end_step();
                remove_empty_list(world, self.root);
            }
        });
        match outcome {
            Ok(()) => self.end_slice(world),
            Err(error) => {
                contain::flush(world);
                SliceEnd::Failed(error)
            }
        }
    }

    fn end_slice(&mut self, world: &mut World) -> SliceEnd {
        if world.get_entity(self.root).is_err() {
            let message = "its root was despawned before it was whole";
            SliceEnd::Failed(SpawnError::new(message))
        } else if self.rest.is_empty() {
            SliceEnd::Whole
        } else {
            self.hidden = Some(visibility::hide(world, self.root));
            SliceEnd::Stopped
        }
    }

    /// Entities spawned under the root.
    pub(crate) fn spawned(&self) -> usize {
        self.written.entities
    }

    /// Bytes that it has uploaded.
    pub(crate) fn bytes(&self) -> usize {
        self.written.bytes
    }

    /// What was not spawned, if anything.
    pub(crate) fn into_leftovers(self) -> Option<Leftovers> {
        Leftovers::new(self.rest)
    }
}

/// Removes the list of children from a root that was given one and has no child, as Bevy does with the last child.
fn remove_empty_list(world: &mut World, root: Entity) {
    if let Ok(mut root) = world.get_entity_mut(root)
        && root.get::<Children>().is_some_and(|list| list.is_empty())
    {
        root.remove::<Children>();
    }
}
