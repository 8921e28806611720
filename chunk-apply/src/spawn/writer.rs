//! What a spawner writes a chunk with.

use super::batch::{Batch, Bundles, Progress, Step};
use crate::budget::Pacer;
use bevy_ecs::{
    bundle::{Bundle, NoBundleEffect},
    entity::Entity,
    world::World,
};
use core::fmt;
use std::collections::VecDeque;

/// Writes one chunk's entities under its root, within the frame's budget.
///
/// What does not fit in this frame is kept and continues in the next frame where it stopped; the spawner is not called
/// again. The chunk becomes visible when it is whole; until then its root is hidden between two slices. A `Visibility` that
/// you give the root is kept, however many slices the chunk takes.
///
/// ```
/// use bevy_ecs::{name::Name, prelude::*};
/// use chunk_apply::{ChunkWriter, Spawner};
///
/// #[derive(Component)]
/// struct Rock(u8);
///
/// fn write(key: u32, rocks: Vec<u8>, writer: &mut ChunkWriter<'_, '_>) {
///     writer.insert_on_root(Name::new(format!("chunk {key}")));
///     writer.spawn_batch(rocks.into_iter().map(Rock));
///     writer.run(|world, root| {
///         let rocks = world.get::<Children>(root).map_or(0, |rocks| rocks.len());
///         println!("{rocks} rocks lie under {root}");
///     });
/// }
/// let spawner = Spawner::new(write);
/// # let _ = spawner;
/// ```
pub struct ChunkWriter<'w, 'p> {
    world: &'w mut World,
    root: Entity,
    pacer: &'w mut Pacer<'p>,
    rest: &'w mut VecDeque<Box<dyn Batch>>,
    written: &'w mut Written,
}

/// A condition for a chunk to be seen.
pub(super) type Gate = dyn FnMut(&World, Entity) -> bool + Send + Sync;

/// What was written of a chunk.
#[derive(Default)]
pub(super) struct Written {
    /// Entities under the root.
    pub(super) entities: usize,
    /// Uploaded bytes.
    pub(super) bytes: usize,
    /// Those that were not open yet.
    pub(super) gates: Vec<Box<Gate>>,
}

impl<'w, 'p> ChunkWriter<'w, 'p> {
    pub(super) fn new(
        world: &'w mut World,
        root: Entity,
        pacer: &'w mut Pacer<'p>,
        rest: &'w mut VecDeque<Box<dyn Batch>>,
        written: &'w mut Written,
    ) -> Self {
        Self {
            world,
            root,
            pacer,
            rest,
            written,
        }
    }

    /// The chunk's root. Everything written becomes its child, so despawning it removes the chunk.
    #[must_use]
    pub fn root(&self) -> Entity {
        self.root
    }

    /// Spawns one entity for each bundle, as children of the root, in order.
    ///
    /// All bundles of a call have one type, so that they are spawned at the speed of [`World::spawn_batch`]. The
    /// iterator must own what it reads (`vec.into_iter().map(…)`), because it may continue in a later frame.
    pub fn spawn_batch<I>(&mut self, bundles: I)
    where
        I: IntoIterator<IntoIter: Send + Sync + 'static>,
        I::Item: Bundle<Effect: NoBundleEffect>,
    {
        self.write(Bundles::new(bundles.into_iter()));
    }

    /// Inserts components on the chunk's root at once, before any entity of a batch that is still to be spawned.
    pub fn insert_on_root(&mut self, bundle: impl Bundle) {
        if let Ok(mut root) = self.world.get_entity_mut(self.root) {
            root.insert(bundle);
        }
    }

    /// Runs a step of your own with the world and the root, after everything that was written before it.
    ///
    /// The step cannot be divided: it waits for the next frame if it is expected not to fit, and a frame may be too long
    /// by the time of one step. Entities that it spawns outside the root are not removed with the chunk.
    pub fn run(&mut self, step: impl FnOnce(&mut World, Entity) + Send + Sync + 'static) {
        self.write(Step::new(0, step));
    }

    /// The same for a step that hands so many bytes to a collection of assets, such as the vertices of a mesh that is added to
    /// `Assets<Mesh>`. [`ApplyBudget::bytes`](crate::ApplyBudget::bytes) limits how many of them a frame takes, and they count
    /// as the chunk's until it is despawned.
    ///
    /// The number is yours to know, and is not checked. An asset that several chunks share is counted by whichever of them
    /// says so.
    pub fn upload(
        &mut self,
        bytes: usize,
        step: impl FnOnce(&mut World, Entity) + Send + Sync + 'static,
    ) {
        self.write(Step::new(bytes, step));
    }

    /// Adds a gate: the whole chunk stays hidden, and what it replaces stays as it is, until `is_open` says true, such as when
    /// its mesh can be drawn or its collider is baked. With several gates, until each has said so once.
    ///
    /// Gates are asked from when everything is spawned, once each time that chunks are applied, the nearest first; they may
    /// take a quarter of the budget's time, and what does not fit is asked in the next frame. Other chunks go on meanwhile. A
    /// chunk that waits is not loaded: no event has told of it, and `LoadedChunks`, of the feature `streaming`, tells its entities,
    /// which queries find, from those of loaded chunks, also with
    /// [`ApplyBudget::whole_chunks`](crate::ApplyBudget::whole_chunks). Chunks that are refreshed together are shown in one
    /// frame when the gates of all of them are open.
    ///
    /// A gate that panics is a failure of the chunk, as a panic of the spawner. A chunk that is superseded or not wanted any
    /// more while it waits is removed. In a stream, a newer version is not spawned before the gates of the one before are
    /// open, so that something is shown at any rate of edits, or before
    /// `StreamingConfig::gate_patience` is over; chunks that wait count as backlog, so that when
    /// `SchedulerConfig::backlog_capacity` of them wait nothing more is taken over until
    /// one is shown or leaves.
    ///
    /// ```
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::Spawner;
    ///
    /// #[derive(Component)]
    /// struct ColliderIsBaked;
    ///
    /// let spawner = Spawner::new(|_key: u32, _rocks: Vec<u8>, writer| {
    ///     writer.show_when(|world, root| world.get::<ColliderIsBaked>(root).is_some());
    /// });
    /// # let _ = spawner;
    /// ```
    pub fn show_when(
        &mut self,
        is_open: impl FnMut(&World, Entity) -> bool + Send + Sync + 'static,
    ) {
        self.written.gates.push(Box::new(is_open));
    }

    fn write(&mut self, mut batch: impl Batch + 'static) {
        if !self.pacer.is_in_whole_chunks() {
            // What the spawner did until now is not part of what this batch costs.
            self.pacer.end_step_early();
        }
        if !self.rest.is_empty()
            || !advance(&mut batch, self.world, self.root, self.pacer, self.written)
        {
            self.rest.push_back(Box::new(batch));
        }
    }
}

impl fmt::Debug for ChunkWriter<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkWriter")
            .field("root", &self.root)
            .field("spawned", &self.written.entities)
            .field("waiting", &self.rest.len())
            .finish_non_exhaustive()
    }
}

/// The longest slice, in entities, also where time is no limit: the room that is reserved for an iterator that promises
/// more than it has must be bounded.
const LONGEST_SLICE: usize = 4096;

/// Spawns as much of the batch as the pacer allows. Returns whether it is finished.
pub(super) fn advance(
    batch: &mut (impl Batch + ?Sized),
    world: &mut World,
    root: Entity,
    pacer: &mut Pacer<'_>,
    written: &mut Written,
) -> bool {
    let bytes = batch.bytes();
    let Written {
        entities: spawned,
        bytes: uploaded,
        ..
    } = written;
    let mut upload = |pacer: &mut Pacer<'_>| {
        // Also if the step panics: nobody knows how far it came.
        pacer.uploads(bytes);
        *uploaded = uploaded.saturating_add(bytes);
    };
    if pacer.is_in_whole_chunks() {
        upload(pacer);
        let before = *spawned;
        // Without a root the rest would have no parent.
        while world.get_entity(root).is_ok()
            && !batch
                .advance(world, root, LONGEST_SLICE, spawned)
                .is_finished
        {}
        pacer.spawned_in_step(*spawned - before);
        return true;
    }
    let key = batch.key();
    loop {
        if world.get_entity(root).is_err() {
            // Without a root the rest would have no parent. The caller finds out as well.
            return true;
        }
        let allowance = if batch.is_step() {
            pacer.allowance(key).min(1)
        } else {
            pacer.spawn_allowance(key, world).min(LONGEST_SLICE)
        };
        if allowance == 0 || !pacer.may_upload(bytes) {
            return false;
        }
        if !batch.is_step()
            && let Some(entities) = pacer.missing_room(key, world)
        {
            batch.make_room(world, entities);
            // That is not what an entity costs.
            pacer.break_off();
        }
        let before = *spawned;
        if batch.is_step() {
            upload(pacer);
            pacer.begin_step(key);
        }
        let Progress { is_finished, last } = batch.advance(world, root, allowance, spawned);
        if batch.is_step() {
            pacer.end_step();
        } else {
            // A batch that turned out to be empty has a cost, too.
            pacer.spawned(key, (*spawned - before).max(1), last, world);
        }
        if is_finished {
            return true;
        }
    }
}
