//! From a coordinate to the root of the loaded chunk.

use crate::host::LoadedChunk;
use ahash::AHashMap;
#[cfg(feature = "bevy_reflect")]
use bevy_ecs::reflect::ReflectComponent;
use bevy_ecs::{
    component::Component, entity::Entity, lifecycle::HookContext, resource::Resource,
    world::DeferredWorld,
};
use chunk_coord::{ChunkCoord, ChunkGrid};
use core::{fmt, marker::PhantomData};

/// On the root entity of every chunk: where it stands. Its `Transform` is the chunk's minimum
/// corner, so children are placed relative to that.
///
/// Along the axis that a planar grid ignores a root stands at 0, and from then on where the game puts it: in a 2-D world z
/// is its to choose, in an observer of [`ChunkLoaded`](crate::ChunkLoaded), so that one layer is drawn before another.
///
/// For reading only. The stream does not depend on it, even if a user removes or replaces it.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(Component, Clone, Debug, PartialEq)
)]
#[component(immutable)]
pub struct ChunkRoot {
    /// Which chunk.
    pub coord: ChunkCoord,
}

/// Finds the root of a loaded chunk by its coordinate. It contains only whole chunks, and is right at any moment, even if
/// a user despawns a root. Change detection reports it only when its content changed.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::ChunkIndex;
/// use chunk_coord::ChunkCoord;
///
/// struct Rocks; // the stream's content type
///
/// /// How many things stand on the ground where the player is.
/// fn count_things(index: Res<ChunkIndex<Rocks>>, children: Query<&Children>) {
///     let here = index.root(ChunkCoord::planar(3, -1));
///     let things = here.and_then(|root| children.get(root).ok());
///     println!("{} things here", things.map_or(0, |things| things.len()));
/// }
///
/// let mut world = World::new();
/// world.init_resource::<ChunkIndex<Rocks>>(); // the plugin does this
/// world.run_system_cached(count_things)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Resource)]
pub struct ChunkIndex<T: Send + Sync + 'static> {
    chunks: AHashMap<ChunkCoord, LoadedChunk>,
    entities: usize,
    /// Chunks whose root was despawned by a user, not yet reported.
    orphaned: Vec<(ChunkCoord, LoadedChunk)>,
    stream: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> ChunkIndex<T> {
    /// The root of the chunk, if it is loaded.
    #[must_use]
    pub fn root(&self, coord: ChunkCoord) -> Option<Entity> {
        self.chunks.get(&coord).map(|chunk| chunk.root)
    }

    /// The root and size of the chunk, if it is loaded.
    #[must_use]
    pub fn chunk(&self, coord: ChunkCoord) -> Option<LoadedChunk> {
        self.chunks.get(&coord).copied()
    }

    /// Whether the chunk is loaded.
    #[must_use]
    pub fn contains(&self, coord: ChunkCoord) -> bool {
        self.chunks.contains_key(&coord)
    }

    /// How many chunks are loaded.
    #[must_use]
    pub fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Whether no chunk is loaded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// Entities spawned under the roots of the loaded chunks, roots not counted.
    #[must_use]
    pub fn entities(&self) -> usize {
        self.entities
    }

    /// All loaded chunks, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (ChunkCoord, LoadedChunk)> {
        self.chunks.iter().map(|(coord, chunk)| (*coord, *chunk))
    }

    /// Inserts a chunk; returns the one that it replaces.
    pub(super) fn insert(&mut self, coord: ChunkCoord, chunk: LoadedChunk) -> Option<LoadedChunk> {
        self.entities += chunk.entities;
        let replaced = self.chunks.insert(coord, chunk);
        self.entities -= replaced.map_or(0, |replaced| replaced.entities);
        replaced
    }

    pub(super) fn remove(&mut self, coord: ChunkCoord) -> Option<LoadedChunk> {
        let removed = self.chunks.remove(&coord)?;
        self.entities -= removed.entities;
        Some(removed)
    }

    pub(super) fn take_orphaned(&mut self) -> Vec<(ChunkCoord, LoadedChunk)> {
        core::mem::take(&mut self.orphaned)
    }

    /// Whether a user despawned the chunk's root, which is yet to be noticed.
    pub(super) fn is_orphaned(&self, coord: ChunkCoord) -> bool {
        self.orphaned.iter().any(|(orphan, _)| *orphan == coord)
    }

    pub(super) fn has_orphaned(&self) -> bool {
        !self.orphaned.is_empty()
    }
}

impl<T: Send + Sync + 'static> Default for ChunkIndex<T> {
    fn default() -> Self {
        Self {
            chunks: AHashMap::new(),
            entities: 0,
            orphaned: Vec::new(),
            stream: PhantomData,
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for ChunkIndex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkIndex")
            .field("chunks", &self.chunks.len())
            .field("entities", &self.entities)
            .finish_non_exhaustive()
    }
}

/// On the same root: which stream it belongs to, and where it stands, also when its [`ChunkRoot`] is changed. Keeps the
/// stream's index right when a user despawns the root.
#[derive(Component, Debug)]
#[component(immutable, on_remove = forget::<T>)]
pub struct RootOf<T: Send + Sync + 'static> {
    pub(super) coord: ChunkCoord,
    /// The grid of the coordinate. The stream may have another grid by now.
    pub(super) grid: ChunkGrid,
    stream: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> RootOf<T> {
    pub(super) fn new(coord: ChunkCoord, grid: ChunkGrid) -> Self {
        Self {
            coord,
            grid,
            stream: PhantomData,
        }
    }
}

fn forget<T: Send + Sync + 'static>(mut world: DeferredWorld<'_>, context: HookContext) {
    let root = context.entity;
    let Some(coord) = world.get::<RootOf<T>>(root).map(|root| root.coord) else {
        return;
    };
    let Some(mut index) = world.get_resource_mut::<ChunkIndex<T>>() else {
        return;
    };
    // A chunk that the stream itself gave up is no longer in the index.
    if index.root(coord) == Some(root)
        && let Some(chunk) = index.remove(coord)
    {
        index.orphaned.push((coord, chunk));
    }
}
