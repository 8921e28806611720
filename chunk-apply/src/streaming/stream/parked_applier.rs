//! Where a stream's applier is between its frames.

use crate::applier::Applier;
use bevy_ecs::{resource::Resource, world::World};
use chunk_coord::ChunkCoord;

/// A resource of its own, and not a part of the stream: while the applier works, the stream stays in the `World`
/// for spawners, observers and hooks, which may even remove it. What a removed stream left in the `World` is there as long
/// as this is.
#[derive(Resource)]
pub(in crate::streaming) struct ParkedApplier<T: Send + Sync + 'static> {
    /// `None` while it works.
    applier: Option<Applier<ChunkCoord, T>>,
}

impl<T: Send + Sync + 'static> ParkedApplier<T> {
    pub(in crate::streaming) fn new(applier: Applier<ChunkCoord, T>) -> Self {
        let applier = Some(applier);
        Self { applier }
    }

    /// Takes the applier, to work with it. `None` while it works: then the caller is code that its work runs.
    pub(in crate::streaming) fn take(world: &mut World) -> Option<Applier<ChunkCoord, T>> {
        world.get_resource_mut::<Self>()?.applier.take()
    }

    /// Puts the applier back after its work.
    pub(in crate::streaming) fn put_back(world: &mut World, applier: Applier<ChunkCoord, T>) {
        if let Some(mut parked) = world.get_resource_mut::<Self>() {
            parked.applier = Some(applier);
        }
    }
}
