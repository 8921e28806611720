//! Regions whose readiness is told.

use bevy_ecs::{change_detection::DetectChangesMut, component::Component, world::World};
use chunk_coord::ChunkGrid;
use core::{fmt, marker::PhantomData};

/// Put this on a viewer, and [`ChunkRegionReady`](crate::ChunkRegionReady) is written as a message, and triggered on the
/// entity, each time when what the viewer's surroundings were missing has come. On another entity with a `Transform`, such
/// as a place to teleport to, it tells the same of the chunks around that.
///
/// The region is what [`ChunkStreamNow::progress_around`](crate::ChunkStreamNow::progress_around) counts for a viewer, and
/// [`progress_at`](crate::ChunkStreamNow::progress_at) for another entity. It is counted after each
/// [`Apply`](crate::StreamingSystems::Apply), so remove the component when you know enough. Insert it anew to be told
/// again of a region that is ready already, such as after a teleport into one.
///
/// The parameter is the content type of the stream. For loading screens the run condition
/// [`chunks_are_ready`](crate::chunks_are_ready) is simpler.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ChunkRegion, ChunkRegionReady, ChunkViewer};
///
/// struct Rocks; // the stream's content type
///
/// let mut world = World::new();
/// world.spawn((ChunkViewer::default(), ChunkRegion::<Rocks>::new(4)));
/// world.add_observer(|ready: On<ChunkRegionReady<Rocks>>, mut commands: Commands| {
///     println!("player {} may move, {} chunks failed", ready.entity, ready.progress.failed);
///     commands.entity(ready.entity).remove::<ChunkRegion<Rocks>>();
/// });
/// ```
#[derive(Component)]
pub struct ChunkRegion<T: Send + Sync + 'static> {
    /// How far it reaches, in chunks. Of a viewer's surroundings, what lies beyond its load range does not count, so that
    /// `u32::MAX` is all that it loads. Around another entity such a region never is ready.
    pub radius: u32,
    /// The grid in which it was told to be ready, as long as it is.
    pub(super) told: Option<ChunkGrid>,
    stream: PhantomData<fn() -> T>,
}

impl<T: Send + Sync + 'static> ChunkRegion<T> {
    /// The chunks within this radius, in chunks.
    #[must_use]
    pub fn new(radius: u32) -> Self {
        Self {
            radius,
            told: None,
            stream: PhantomData,
        }
    }

    /// Nothing is ready any more, although it may be again before the regions are next counted.
    pub(super) fn forget_all(world: &mut World) {
        let mut regions = world.query::<&mut Self>();
        for mut region in regions.iter_mut(world) {
            region.bypass_change_detection().told = None;
        }
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for ChunkRegion<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkRegion")
            .field("radius", &self.radius)
            .finish_non_exhaustive()
    }
}
