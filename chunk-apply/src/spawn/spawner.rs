//! The user's recipe: content in, entities out.

use super::{error::SpawnError, writer::ChunkWriter};
use crate::sync::Arc;
use core::fmt::{self, Display};

type Recipe<K, T> =
    dyn Fn(K, T, &mut ChunkWriter<'_, '_>) -> Result<(), SpawnError> + Send + Sync + 'static;

/// Turns a chunk's generated content into entities, on the main thread, through a
/// [`ChunkWriter`].
///
/// It is called once for each chunk. If it panics or returns an error, what was spawned of that chunk is removed, the
/// failure is reported with the chunk's key, and no other chunk is affected.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::Spawner;
///
/// #[derive(Component)]
/// struct Rock(u8);
///
/// let plain = Spawner::new(|_key: u32, rocks: Vec<u8>, writer| {
///     writer.spawn_batch(rocks.into_iter().map(Rock));
/// });
/// let strict = Spawner::fallible(|_key: u32, rocks: Vec<u8>, writer| {
///     if rocks.contains(&0) {
///         return Err("a rock without a size");
///     }
///     writer.spawn_batch(rocks.into_iter().map(Rock));
///     Ok(())
/// });
/// # let _ = (plain, strict);
/// ```
pub struct Spawner<K, T> {
    recipe: Arc<Recipe<K, T>>,
}

impl<K, T> Spawner<K, T> {
    /// A spawner that cannot fail.
    #[must_use]
    pub fn new(recipe: impl Fn(K, T, &mut ChunkWriter<'_, '_>) + Send + Sync + 'static) -> Self {
        Self {
            recipe: Arc::new(move |key, content, writer| {
                recipe(key, content, writer);
                Ok(())
            }),
        }
    }

    /// A spawner that may return an error: a text or any error type. Its text is part of the report of the failure.
    #[must_use]
    pub fn fallible<E: Display>(
        recipe: impl Fn(K, T, &mut ChunkWriter<'_, '_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        Self {
            recipe: Arc::new(move |key, content, writer| {
                // The alternate form prints the causes of the error types that have one.
                recipe(key, content, writer).map_err(|error| SpawnError::new(format!("{error:#}")))
            }),
        }
    }

    pub(super) fn spawn(
        &self,
        key: K,
        content: T,
        writer: &mut ChunkWriter<'_, '_>,
    ) -> Result<(), SpawnError> {
        (self.recipe)(key, content, writer)
    }
}

impl<K, T> Clone for Spawner<K, T> {
    fn clone(&self) -> Self {
        Self {
            recipe: Arc::clone(&self.recipe),
        }
    }
}

impl<K, T> fmt::Debug for Spawner<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner").finish_non_exhaustive()
    }
}
