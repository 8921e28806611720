//! Entity events on the roots of chunks.

use crate::{
    contain::contain,
    spawn::SpawnError,
    streaming::messages::{ChunkFailed, ChunkLoaded, ChunkUnloading},
};
use bevy_ecs::{
    entity::Entity,
    event::{EntityEvent, EntityTrigger, Event},
    world::World,
};
use chunk_coord::ChunkCoord;

/// An entity event on the root of a chunk.
pub(in crate::streaming) enum RootEvent<T: Send + Sync + 'static> {
    Loaded(ChunkLoaded<T>),
    Unloading(ChunkUnloading<T>),
    Failed(ChunkFailed<T>),
}

impl<T: Send + Sync + 'static> RootEvent<T> {
    /// Which chunk.
    pub(super) fn coord(&self) -> ChunkCoord {
        match self {
            Self::Loaded(event) => event.coord,
            Self::Unloading(event) => event.coord,
            Self::Failed(event) => event.coord,
        }
    }

    /// Whether it tells that the chunk with this root leaves.
    pub(super) fn is_unloading(&self, root: Entity) -> bool {
        matches!(self, Self::Unloading(event) if event.root == root)
    }

    /// Runs the observers of the event, unless the root was despawned meanwhile.
    ///
    /// # Errors
    ///
    /// When one of them panicked.
    pub(super) fn trigger(self, world: &mut World) -> Result<(), SpawnError> {
        match self {
            Self::Loaded(event) => trigger(world, event),
            Self::Unloading(event) => trigger(world, event),
            Self::Failed(event) => trigger(world, event),
        }
    }
}

fn trigger<E>(world: &mut World, event: E) -> Result<(), SpawnError>
where
    E: EntityEvent + for<'a> Event<Trigger<'a> = EntityTrigger>,
{
    if world.get_entity(event.event_target()).is_err() {
        return Ok(());
    }
    contain(world, |world| {
        world.trigger(event);
        // The commands of its observers.
        world.flush();
    })
}
