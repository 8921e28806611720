//! Where chunks to apply come from, and who is told what became of them.

use crate::{batch::Batch, error::SpawnError};
use bevy_ecs::{entity::Entity, world::World};
use core::fmt;
use std::collections::VecDeque;

/// Generated content that waits to become entities.
#[derive(Clone, Debug)]
pub struct Arrival<K, T> {
    /// Which chunk.
    pub key: K,
    /// The version of the request that it answers.
    pub version: u64,
    /// What the generator made.
    pub content: T,
}

/// A chunk whose entities are all there.
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
}

/// What an [`Applier`](crate::Applier) works for: it takes chunks from the host, nearest first,
/// and tells it the outcome of each. The `streaming` feature is one host; a user's own queue is
/// another.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{Applier, ApplyBudget, Arrival, ChunkHost, LoadedChunk, SpawnError, Spawner, Stale, SpawnedChunk};
///
/// /// A queue without versions, for a world that never unloads.
/// struct Queue(Vec<Arrival<u32, u32>>);
///
/// impl ChunkHost<u32, u32> for Queue {
///     fn next_arrival(&mut self) -> Option<Arrival<u32, u32>> {
///         self.0.pop()
///     }
///     fn has_arrivals(&self) -> bool {
///         !self.0.is_empty()
///     }
///     fn is_current(&self, _key: &u32, _version: u64) -> bool {
///         true
///     }
///     fn spawn_root(&mut self, world: &mut World, _key: &u32) -> Entity {
///         world.spawn_empty().id()
///     }
///     fn applied(&mut self, _: &mut World, chunk: SpawnedChunk<u32>) -> Result<Option<LoadedChunk>, Stale> {
///         println!("chunk {} has {} entities", chunk.key, chunk.entities);
///         Ok(None)
///     }
///     fn failed(&mut self, key: &u32, _version: u64, error: SpawnError) {
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
    /// The next chunk to apply, best first. Only chunks whose version is still current.
    fn next_arrival(&mut self) -> Option<Arrival<K, T>>;

    /// Whether [`next_arrival`](Self::next_arrival) would return one.
    fn has_arrivals(&self) -> bool;

    /// Whether this version of the chunk is still the one to show. Asked before each slice of a
    /// chunk that takes several frames; when not, what was spawned of it is removed.
    fn is_current(&self, key: &K, version: u64) -> bool;

    /// Whether the next arrival should not wait until this chunk is whole, of which some entities
    /// are there already, but go before it. At most one does at a time. By default none.
    fn overtakes(&self, _partial: &K) -> bool {
        false
    }

    /// Spawns the root under which the chunk's entities will live. One that has an empty list of
    /// [`Children`](bevy_ecs::hierarchy::Children) from the start is spared the move to another table with its first
    /// child; if none comes, the list is taken away again. Whoever looks before the chunk is whole may find it empty.
    fn spawn_root(&mut self, world: &mut World, key: &K) -> Entity;

    /// All entities of the chunk are there and it may be seen. Returns the chunk that it replaces,
    /// which is then unloaded; `Err` when the version was superseded meanwhile, and then the new
    /// chunk itself is removed.
    fn applied(
        &mut self,
        world: &mut World,
        chunk: SpawnedChunk<K>,
    ) -> Result<Option<LoadedChunk>, Stale>;

    /// A chunk that was whole is about to be despawned; its entities are still there. The place
    /// to save what was changed. Called once for each: when its turn to go comes, or in the very
    /// frame in which another chunk takes its place, or when it is [awaited](Self::awaited).
    fn before_unload(&mut self, _world: &mut World, _key: &K, _chunk: LoadedChunk) {}

    /// How many unloading chunks are wanted again, so that somebody waits for their
    /// [`before_unload`](Self::before_unload) to be able to read back what it saves. By default none.
    fn awaited(&self) -> usize {
        0
    }

    /// Whether this is one of them. They are told before all others.
    fn is_awaited(&self, _key: &K) -> bool {
        false
    }

    /// Lets go of what was not spawned of a chunk that is no longer wanted or that failed: the user's
    /// iterators, with all they own. By default it is dropped here; a worker may do it instead.
    fn discard(&mut self, rest: Leftovers) {
        drop(rest);
    }

    /// The spawner failed; what it spawned of the chunk is gone.
    fn failed(&mut self, key: &K, version: u64, error: SpawnError);
}

/// What was not spawned of a chunk. Its drop runs the user's code, and contains a panic in it.
pub struct Leftovers {
    pub(crate) batches: VecDeque<Box<dyn Batch>>,
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        // One by one, because a second panic during the first one's unwinding would abort.
        for batch in self.batches.drain(..) {
            // Nobody can do anything about it any more.
            let _ = SpawnError::catch(move || drop(batch));
        }
    }
}

impl fmt::Debug for Leftovers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Leftovers")
            .field("batches", &self.batches.len())
            .finish()
    }
}

/// The version was superseded or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;
