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

/// Stands for asking the gates of a chunk in the cost model.
struct AskingGates;

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
        self.show(world);
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
        if let Err(error) = self.check_root(world) {
            SliceEnd::Failed(error)
        } else if self.rest.is_empty() {
            SliceEnd::Whole
        } else {
            self.hide(world);
            SliceEnd::Stopped
        }
    }

    fn check_root(&self, world: &World) -> Result<(), SpawnError> {
        let message = "its root was despawned before it was whole";
        let root = world.get_entity(self.root);
        root.map(drop).map_err(|_| SpawnError::new(message))
    }

    /// Whether there is time to ask the gates of a chunk.
    pub(crate) fn may_ask(pacer: &mut Pacer<'_>) -> bool {
        pacer.allowance(CostKey::of::<AskingGates>()) > 0
    }

    /// Whether it has gates that were not open when they were last asked.
    pub(crate) fn has_gates(&self) -> bool {
        !self.written.gates.is_empty()
    }

    /// Asks the gates that were not open yet. Returns whether all are.
    ///
    /// # Errors
    ///
    /// When one of them panicked, or a user despawned the root.
    pub(crate) fn ask_gates(
        &mut self,
        world: &World,
        pacer: &mut Pacer<'_>,
    ) -> Result<bool, SpawnError> {
        self.check_root(world)?;
        if self.has_gates() {
            pacer.begin_aside(CostKey::of::<AskingGates>());
            let gates = &mut self.written.gates;
            SpawnError::catch(|| gates.retain_mut(|is_open| !is_open(world, self.root)))?;
            pacer.end_step();
        }
        Ok(!self.has_gates())
    }

    /// Hides it until it is [shown](Self::show).
    pub(crate) fn hide(&mut self, world: &mut World) {
        self.hidden = Some(visibility::hide(world, self.root));
    }

    /// Shows it if it is hidden.
    pub(crate) fn show(&mut self, world: &mut World) {
        if let Some(hidden) = self.hidden.take() {
            hidden.show(world, self.root);
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
        Leftovers::new(self.rest, self.written.gates)
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
