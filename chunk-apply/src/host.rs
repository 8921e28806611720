//! Where chunks to apply come from, and who is told what became of them.

use crate::error::SpawnError;
use bevy_ecs::{entity::Entity, world::World};

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
pub struct WholeChunk<K> {
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
pub trait ChunkHost<K, T> {
    /// The next chunk to apply, best first. Only chunks whose version is still current.
    fn next_arrival(&mut self) -> Option<Arrival<K, T>>;

    /// Whether [`next_arrival`](Self::next_arrival) would return one.
    fn has_arrivals(&self) -> bool;

    /// Whether this version of the chunk is still the one to show. Asked before each slice of a
    /// chunk that takes several frames; when not, what was spawned of it is removed.
    fn is_current(&self, key: &K, version: u64) -> bool;

    /// Spawns the root under which the chunk's entities will live.
    fn spawn_root(&mut self, world: &mut World, key: &K) -> Entity;

    /// All entities of the chunk are there and it may be seen. Returns the chunk that it replaces,
    /// which is then unloaded; `Err` when the version was superseded meanwhile, and then the new
    /// chunk itself is removed.
    fn applied(
        &mut self,
        world: &mut World,
        chunk: WholeChunk<K>,
    ) -> Result<Option<LoadedChunk>, Stale>;

    /// A chunk that was whole is about to be despawned; its entities are still there. The place
    /// to save what was changed. Called once, when the chunk's turn comes.
    fn before_unload(&mut self, _world: &mut World, _key: &K, _chunk: LoadedChunk) {}

    /// The spawner failed; what it spawned of the chunk is gone.
    fn failed(&mut self, key: &K, version: u64, error: SpawnError);
}

/// The version was superseded or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale;
