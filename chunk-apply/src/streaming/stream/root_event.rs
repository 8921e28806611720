//! Entity events on the roots of chunks.

use crate::{
    spawn::SpawnError,
    streaming::messages::{ChunkFailed, ChunkLoaded, ChunkUnloading},
};
use bevy_ecs::{
    event::{EntityEvent, EntityTrigger, Event},
    world::World,
};
use chunk_coord::ChunkCoord;
use tracing::error;

/// An entity event on the root of a chunk.
pub(in crate::streaming) enum RootEvent<T: Send + Sync + 'static> {
    Loaded(ChunkLoaded<T>),
    Unloading(ChunkUnloading<T>),
    Failed(ChunkFailed<T>),
}

impl<T: Send + Sync + 'static> RootEvent<T> {
    /// Runs the observers of the event, unless the root was despawned meanwhile. A panic in one of them is logged.
    pub(super) fn trigger(self, world: &mut World) {
        match self {
            Self::Loaded(event) => trigger(world, event.coord, event),
            Self::Unloading(event) => trigger(world, event.coord, event),
            Self::Failed(event) => trigger(world, event.coord, event),
        }
    }
}

fn trigger<E>(world: &mut World, coord: ChunkCoord, event: E)
where
    E: EntityEvent + for<'a> Event<Trigger<'a> = EntityTrigger>,
{
    if world.get_entity(event.event_target()).is_err() {
        return;
    }
    let observed = SpawnError::catch(|| {
        world.trigger(event);
        // The commands of its observers.
        world.flush();
    });
    if let Err(panic) = observed {
        error!(?coord, "an observer of a chunk's root panicked: {panic}");
    }
}
