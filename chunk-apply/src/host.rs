//! Where chunks to apply come from, and who is told the outcome of each.

use crate::spawn::{Leftovers, SpawnError};
use bevy_ecs::{entity::Entity, world::World};

/// Generated content that waits to be spawned.
#[derive(Clone, Debug)]
pub struct Arrival<K, T> {
    /// Which chunk.
    pub key: K,
    /// The version of the request that it answers.
    pub version: u64,
    /// What the generator made.
    pub content: T,
}

/// A chunk whose entities are all spawned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnedChunk<K> {
    /// Which chunk.
    pub key: K,
    /// The version that was applied.
    pub version: u64,
    /// The parent of its entities.
    pub root: Entity,
    /// How many entities were spawned under the root.
    pub entities: usize,
    /// How many bytes were [uploaded](crate::ChunkWriter::upload).
    pub bytes: usize,
}

/// A loaded chunk's root and its size, as the host remembers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadedChunk {
    /// The parent of the chunk's entities.
    pub root: Entity,
    /// How many entities were spawned under the root.
    pub entities: usize,
    /// The version that was applied.
    pub version: u64,
    /// How many bytes were [uploaded](crate::ChunkWriter::upload).
    pub bytes: usize,
}

impl<K> From<SpawnedChunk<K>> for LoadedChunk {
    fn from(chunk: SpawnedChunk<K>) -> Self {
        Self {
            root: chunk.root,
            entities: chunk.entities,
            version: chunk.version,
            bytes: chunk.bytes,
        }
    }
}

/// The chunks that an [`Applier`](crate::Applier) holds, which are in the `World` and not loaded, and the bytes of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held<K> {
    /// Chunks that are hidden and not yet despawned.
    pub unloading: usize,
    /// The chunk of which some entities are spawned and others are not, and how many are. While the first entities of a
    /// chunk are being spawned, it is not counted.
    pub partial: Option<(K, usize)>,
    /// Chunks of which all entities are spawned and that wait, hidden, for their [gates](crate::ChunkWriter::show_when).
    pub gated: usize,
    /// The bytes of those.
    pub gated_bytes: usize,
    /// Bytes that were uploaded for the chunks in the `World`, whether they are loaded, partial or hidden.
    pub bytes: usize,
}

impl<K> Default for Held<K> {
    fn default() -> Self {
        Self {
            unloading: 0,
            partial: None,
            gated: 0,
            gated_bytes: 0,
            bytes: 0,
        }
    }
}

/// A chunk to despawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Departure<K> {
    /// Which chunk.
    pub key: K,
    /// Its root and its size.
    pub chunk: LoadedChunk,
    /// How far away it is.
    pub distance: u64,
}

/// What a [`ChunkHost`] gave up and the applier has not taken yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Departing {
    /// How many chunks.
    pub chunks: usize,
    /// Their entities, roots included.
    pub entities: usize,
}

/// How many chunks a [`ChunkHost`] can save now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unsaved {
    /// Those that something waits for. They are saved before anything is despawned.
    pub urgent: usize,
    /// Those that are despawned when they are saved. They are saved when nothing else is left to despawn.
    pub leaving: usize,
    /// Those that stay. They are saved when there is time for nothing else of these.
    pub standing: usize,
}

/// What an [`Applier`](crate::Applier) works for: it takes chunks from the host, best first, and tells it the outcome
/// of each. The feature `streaming` has one host; a queue of your own is another.
///
/// Every method is given the `World`, so that a host may keep its queue there. Spawners, observers and hooks of components
/// run between the calls and may change whatever is in the `World`: a host that keeps its state there looks it up in each
/// call. The methods are called for chunks, never for single entities.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{Applier, ApplyBudget, Arrival, ChunkHost, LoadedChunk, SpawnError, Spawner, Stale, SpawnedChunk};
///
/// /// A queue without versions, for a world that never unloads.
/// struct Queue(Vec<Arrival<u32, u32>>);
///
/// impl ChunkHost<u32, u32> for Queue {
///     fn next_arrival(&mut self, _: &mut World) -> Option<Arrival<u32, u32>> {
///         self.0.pop()
///     }
///     fn has_arrivals(&self, _: &World) -> bool {
///         !self.0.is_empty()
///     }
///     fn is_current(&self, _: &World, _key: &u32, _version: u64) -> bool {
///         true
///     }
///     fn spawn_root(&mut self, world: &mut World, _key: &u32) -> Entity {
///         world.spawn_empty().id()
///     }
///     fn applied(&mut self, _: &mut World, chunk: SpawnedChunk<u32>) -> Result<Option<LoadedChunk>, Stale> {
///         println!("chunk {} has {} entities", chunk.key, chunk.entities);
///         Ok(None)
///     }
///     fn failed(&mut self, _: &mut World, key: &u32, _version: u64, error: SpawnError) {
///         println!("chunk {key} failed: {error}");
///     }
/// }
///
/// #[derive(Component)]
/// struct Rock(u32);
///
/// let spawner = Spawner::new(|_key, rocks: u32, writer| writer.spawn_batch((0..rocks).map(Rock)));
/// let mut applier = Applier::new(spawner);
/// let mut queue = Queue(vec![Arrival { key: 7, version: 1, content: 50 }]);
/// let mut world = World::new();
/// let mut applied = 0;
/// while applied == 0 {
///     applied = applier.apply(&mut world, &mut queue, &ApplyBudget::default()).applied;
/// }
/// assert_eq!(world.query::<&Rock>().iter(&world).count(), 50);
/// ```
pub trait ChunkHost<K, T> {
    /// The next chunk to apply, best first. Its version must not be out of date.
    fn next_arrival(&mut self, world: &mut World) -> Option<Arrival<K, T>>;

    /// Whether [`next_arrival`](Self::next_arrival) would return one.
    fn has_arrivals(&self, world: &World) -> bool;

    /// How many of the next arrivals are to be seen in the same frame, as when they have a border that was edited. Each of
    /// them is spawned in one piece, whatever the budget says once the first was begun. By default none.
    fn next_together(&self, _world: &World) -> usize {
        0
    }

    /// How many chunks are still to come, about, of those that arrived and those that did not. When a table of Bevy's is
    /// full, it is given room for the entities of so many, at the rate of the chunks before, so that it need not move its
    /// rows when it is large. By default none, and tables double.
    fn expected(&self, _world: &World) -> usize {
        0
    }

    /// Whether this version of the chunk may still be shown: it was not cancelled, and nothing newer is shown. Asked in
    /// each frame of a chunk that takes several; when it may not, what was spawned of it is removed. A host that gives up
    /// a version because a newer one was requested never shows a chunk that takes longer than the next request.
    fn is_current(&self, world: &World, key: &K, version: u64) -> bool;

    /// Spawns the root under which the chunk's entities will live.
    ///
    /// A root that has an empty list of [`Children`](bevy_ecs::hierarchy::Children) from the start need not move to
    /// another table with its first child. If no child comes, the applier removes the list again; before the chunk is
    /// whole the list may be seen empty.
    fn spawn_root(&mut self, world: &mut World, key: &K) -> Entity;

    /// All entities of the chunk are spawned and it may be seen. Returns the chunk that it replaces, which is then
    /// hidden and unloaded: until this returns, both are there.
    ///
    /// # Errors
    ///
    /// When the version was superseded meanwhile; the new chunk itself is then removed.
    fn applied(
        &mut self,
        world: &mut World,
        chunk: SpawnedChunk<K>,
    ) -> Result<Option<LoadedChunk>, Stale>;

    /// All entities of the chunk are spawned, and from now on it [waits](crate::ChunkWriter::show_when) for its gates or for
    /// those of the chunks that are to be seen with it; or, where `waits` is false, it does so no longer, whatever becomes of
    /// it. By default nobody is told.
    fn waits_at_gate(&mut self, _world: &mut World, _key: &K, _version: u64, _waits: bool) {}

    /// By what the chunks that wait for their gates are asked, the smallest first. By default all ranks are equal; the key
    /// tells equal ones apart.
    fn gate_rank(&self, _world: &World, _key: &K) -> u64 {
        0
    }

    /// The next chunk to despawn of those that the host gave up, instead of a call of
    /// [`Applier::unload`](crate::Applier::unload) for each. Asked when the applier has none. By default none.
    fn next_departure(&mut self, _world: &mut World) -> Option<Departure<K>> {
        None
    }

    /// How much the host gave up and can be despawned, or could be if it were saved. By default nothing.
    fn departing(&self, _world: &World) -> Departing {
        Departing::default()
    }

    /// How many chunks the host can save now: steps of user code that the applier has it take one by one, as far as there
    /// is time. By default none.
    fn unsaved(&self, _world: &World) -> Unsaved {
        Unsaved::default()
    }

    /// Saves the next chunk, urgent ones first. Called only when there is one.
    fn save_next(&mut self, _world: &mut World) {}

    /// What the applier holds from now on; called after each change of it. It is out of everybody's reach while it works,
    /// so that code that runs meanwhile can be told only by the host.
    fn holds(&mut self, _world: &mut World, _held: Held<K>) {}

    /// An observer or a hook of a component panicked while the chunk was despawned. What Bevy could not despawn because of
    /// that stays, hidden and without a parent. By default nobody is told.
    fn panicked(&mut self, _world: &mut World, _key: &K, _error: SpawnError) {}

    /// Drops what was not spawned of a chunk that is no longer wanted or that failed: the user's iterators and all they
    /// own. By default it is dropped here; a host may have a worker drop it.
    fn discard(&mut self, _world: &mut World, rest: Leftovers) {
        drop(rest);
    }

    /// The spawner failed; what it spawned of the chunk is gone.
    fn failed(&mut self, world: &mut World, key: &K, version: u64, error: SpawnError);
}

/// The version was superseded or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;
