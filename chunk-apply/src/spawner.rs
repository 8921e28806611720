//! The user's recipe: content in, entities out.

use crate::{error::SpawnError, writer::ChunkWriter};
use core::fmt;
use std::sync::Arc;

type Recipe<K, T> =
    dyn Fn(K, T, &mut ChunkWriter<'_, '_>) -> Result<(), SpawnError> + Send + Sync + 'static;

/// Turns a chunk's generated content into entities, on the main thread, through a
/// [`ChunkWriter`].
///
/// It is called once for each chunk. A panic or an error removes what was spawned of that chunk,
/// is reported with the chunk's key, and disturbs nothing else.
pub struct Spawner<K, T> {
    recipe: Arc<Recipe<K, T>>,
}

impl<K, T> Spawner<K, T> {
    /// A spawner that cannot fail.
    #[must_use]
    pub fn new(recipe: impl Fn(K, T, &mut ChunkWriter<'_, '_>) + Send + Sync + 'static) -> Self {
        Self::fallible(move |key, content, writer| {
            recipe(key, content, writer);
            Ok(())
        })
    }

    /// A spawner that may find that a chunk cannot be spawned.
    #[must_use]
    pub fn fallible(
        recipe: impl Fn(K, T, &mut ChunkWriter<'_, '_>) -> Result<(), SpawnError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            recipe: Arc::new(recipe),
        }
    }

    pub(crate) fn spawn(
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
