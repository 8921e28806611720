//! The system that clears up after a stream that the app removed.

use crate::streaming::stream::{ChunkStream, ParkedApplier};
use bevy_ecs::{
    system::{Commands, Res},
    world::World,
};

/// Clears up when the schedule ends, where applying has not done so: an app may let it run in some of its states alone.
pub(in crate::streaming) fn clear_up<T: Send + Sync + 'static>(mut commands: Commands) {
    commands.queue(|world: &mut World| _ = ChunkStream::<T>::clear_up(world));
}

/// Whether a stream was removed and what it left is still there.
pub(in crate::streaming) fn has_left_over<T: Send + Sync + 'static>(
    stream: Option<Res<ChunkStream<T>>>,
    applier: Option<Res<ParkedApplier<T>>>,
) -> bool {
    stream.is_none() && applier.is_some()
}
