//! Tells what belongs to a loaded chunk from what belongs to one that is not whole yet or was given up.

use super::index::{ChunkIndex, RootOf};
use bevy_ecs::{
    entity::Entity,
    hierarchy::ChildOf,
    system::{Query, Res, SystemParam},
};
use core::fmt;

/// For systems that act on what chunks contain: whether an entity belongs to a chunk that is loaded. Entities of a chunk that
/// is not whole yet, of an older version that was replaced, and of a chunk that was given up are in the `World` until their
/// turn to be despawned comes, and ordinary queries find them.
///
/// It costs a system that asks about 10 ns for each entity that is a child of its root, and the stream and all others
/// nothing. With [`ApplyBudget::whole_chunks`](crate::ApplyBudget::whole_chunks) only chunks that were given up are left to be
/// told apart.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ChunkIndex, LoadedChunks};
///
/// struct Rocks; // the stream's content type
///
/// #[derive(Component)]
/// struct Enemy;
///
/// fn think(enemies: Query<Entity, With<Enemy>>, chunks: LoadedChunks<Rocks>) {
///     // Enemies that are in no chunk think as well.
///     for enemy in enemies.iter().filter(|enemy| !chunks.is_ghost(*enemy)) {
///         println!("{enemy} thinks");
///     }
/// }
/// # let mut world = World::new();
/// # world.init_resource::<ChunkIndex<Rocks>>();
/// # world.run_system_cached(think)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(SystemParam)]
pub struct LoadedChunks<'w, 's, T: Send + Sync + 'static> {
    index: Option<Res<'w, ChunkIndex<T>>>,
    roots: Query<'w, 's, &'static RootOf<T>>,
    parents: Query<'w, 's, &'static ChildOf>,
}

impl<T: Send + Sync + 'static> LoadedChunks<'_, '_, T> {
    /// Whether the entity is, or is under, the root of a loaded chunk of the stream.
    #[must_use]
    pub fn contains(&self, entity: Entity) -> bool {
        self.is_loaded(entity) == Some(true)
    }

    /// Whether the entity is, or is under, the root of a chunk of the stream that is not loaded: not whole yet, replaced, or
    /// given up. False for an entity that is in no chunk.
    #[must_use]
    pub fn is_ghost(&self, entity: Entity) -> bool {
        self.is_loaded(entity) == Some(false)
    }

    /// `None` for an entity that is in no chunk.
    fn is_loaded(&self, entity: Entity) -> Option<bool> {
        let ancestors = self.parents.iter_ancestors(entity);
        let (root, of) = core::iter::once(entity)
            .chain(ancestors)
            .find_map(|entity| Some((entity, self.roots.get(entity).ok()?)))?;
        let loaded = (self.index.as_ref()).and_then(|index| index.root(of.coord));
        Some(loaded == Some(root))
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for LoadedChunks<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedChunks")
            .field("index", &self.index.as_deref())
            .finish_non_exhaustive()
    }
}
