//! Entity events that wait until the stream is back in the `World`.

use crate::streaming::messages::{ChunkFailed, ChunkLoaded, ChunkUnloading};
use bevy_ecs::{
    event::{EntityEvent, EntityTrigger, Event},
    world::World,
};

/// An entity event on the root of a chunk.
pub(in crate::streaming) enum RootEvent<T: Send + Sync + 'static> {
    Loaded(ChunkLoaded<T>),
    Unloading(ChunkUnloading<T>),
    Failed(ChunkFailed<T>),
}

impl<T: Send + Sync + 'static> RootEvent<T> {
    /// Runs the observers of the event, unless the root was despawned meanwhile.
    pub(super) fn trigger(self, world: &mut World) {
        match self {
            Self::Loaded(event) => trigger(world, event),
            Self::Unloading(event) => trigger(world, event),
            Self::Failed(event) => trigger(world, event),
        }
    }
}

fn trigger<E>(world: &mut World, event: E)
where
    E: EntityEvent + for<'a> Event<Trigger<'a> = EntityTrigger>,
{
    if world.get_entity(event.event_target()).is_ok() {
        world.trigger(event);
        // The commands of its observers.
        world.flush();
    }
}
