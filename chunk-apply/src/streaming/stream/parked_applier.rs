//! Where a stream's applier is between its frames.

use crate::applier::Applier;
use bevy_ecs::{resource::Resource, world::World};
use chunk_coord::ChunkCoord;

/// A resource of its own, and not a part of the stream: while the applier works, the stream stays in the `World`
/// for spawners, observers and hooks, which may even remove it.
#[derive(Resource)]
pub(in crate::streaming) struct ParkedApplier<T: Send + Sync + 'static> {
    /// `None` while it works.
    applier: Option<Applier<ChunkCoord, T>>,
    /// Whether the stream was found to be removed, and what it left behind was despawned.
    is_cleared: bool,
}

impl<T: Send + Sync + 'static> ParkedApplier<T> {
    pub(in crate::streaming) fn new(applier: Applier<ChunkCoord, T>) -> Self {
        Self {
            applier: Some(applier),
            is_cleared: false,
        }
    }

    /// Takes the applier, to work with it. `None` while it works: then the caller is code that its work runs.
    pub(in crate::streaming) fn take(world: &mut World) -> Option<Applier<ChunkCoord, T>> {
        let mut parked = world.get_resource_mut::<Self>()?;
        parked.is_cleared = false;
        parked.applier.take()
    }

    /// Puts the applier back after its work.
    pub(in crate::streaming) fn put_back(world: &mut World, applier: Applier<ChunkCoord, T>) {
        if let Some(mut parked) = world.get_resource_mut::<Self>() {
            parked.applier = Some(applier);
        }
    }

    /// Whether the stream was removed since the applier last worked. True once.
    pub(in crate::streaming) fn must_clear(world: &mut World) -> bool {
        let parked = world.get_resource_mut::<Self>();
        parked.is_some_and(|mut parked| {
            parked.applier.is_some() && !core::mem::replace(&mut parked.is_cleared, true)
        })
    }
}
