//! A stream together with the viewers as they are now.

use super::{
    index::ChunkIndex,
    progress::{Region, RegionProgress},
    stream::ChunkStream,
    viewer::{ChunkViewer, LiveViewer, LiveViewers, Place},
};
use bevy_ecs::{
    entity::Entity,
    query::QueryFilter,
    system::{Res, SystemParam},
};
use bevy_math::Vec3;
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use core::fmt;

/// The stream of the content type `T` together with the viewers of this moment, for systems that must not be told that
/// everything is there just before a scan notices a teleport. Costs a look at each viewer.
///
/// It reads `Transform`s, so a system that has it cannot change any: let one system ask and another one move, or look into
/// the [`ChunkIndex`](crate::ChunkIndex) for a single chunk.
///
/// `F` is the filter of the stream's viewers, as in [`for_viewers`](crate::ChunkStreamingPlugin::for_viewers).
///
/// ```
/// use bevy_app::{App, Update};
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ChunkStreamNow, chunks_are_settled};
///
/// struct Rocks; // the stream's content type
///
/// fn lift_the_curtain(stream: ChunkStreamNow<Rocks>) {
///     assert!(stream.is_settled());
/// }
///
/// # let mut app = App::new();
/// app.add_systems(Update, lift_the_curtain.run_if(chunks_are_settled::<Rocks>));
/// # app.update();
/// ```
#[derive(SystemParam)]
pub struct ChunkStreamNow<'w, 's, T: Send + Sync + 'static, F: QueryFilter + 'static = ()> {
    stream: Option<Res<'w, ChunkStream<T>>>,
    index: Option<Res<'w, ChunkIndex<T>>>,
    viewers: LiveViewers<'w, 's, F>,
}

impl<T: Send + Sync + 'static, F: QueryFilter + 'static> ChunkStreamNow<'_, '_, T, F> {
    /// Whether nothing is left to do for the viewers of this moment: [`ChunkStream::is_settled`], and no viewer came, went or
    /// changed its chunk or range since the last scan, and no root was despawned that is yet to be noticed. False in an app
    /// without the stream, and, with an error in the log, where `F` is not the filter of the stream.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let (Some(stream), Some(index)) = (&self.stream, &self.index) else {
            return false;
        };
        stream.is_settled() && !index.has_orphaned() && stream.has_seen(&self.viewers)
    }

    /// How much is loaded of the chunks within `radius` chunks of a position in world units: of those in its own layer in a
    /// planar grid, of a sphere in a volumetric one. Whether somebody can stand there is asked with a radius of 0 or 1 and
    /// [`is_loaded`](RegionProgress::is_loaded). Where no viewer wants a part of it, it never is ready.
    ///
    /// Costs a look at each chunk of the region; so do the others of its kind.
    #[must_use]
    pub fn progress_at(&self, position: Vec3, radius: u32) -> RegionProgress {
        let coord = self.coord(Place::Position(position));
        coord.map_or_else(RegionProgress::default, |coord| {
            self.progress_at_chunk(coord, radius)
        })
    }

    /// The same around a chunk.
    #[must_use]
    pub fn progress_at_chunk(&self, coord: ChunkCoord, radius: u32) -> RegionProgress {
        let region = self.region_at(Place::Chunk(coord), radius);
        region.map_or_else(RegionProgress::default, |region| self.progress(region))
    }

    /// How much is loaded of the chunks that a viewer loads where it is at this moment, and that are within `radius` chunks of
    /// it; of all that it loads with `u32::MAX`. So it says nothing of the old place just after a teleport. Where the viewer's
    /// position is invalid, its last valid one counts.
    ///
    /// Nothing is known of an entity that is no viewer of this stream.
    #[must_use]
    pub fn progress_around(&self, viewer: Entity, radius: u32) -> RegionProgress {
        let region = (self.viewers.get(viewer)).and_then(|it| self.region_around(it, radius));
        region.map_or_else(RegionProgress::default, |region| self.progress(region))
    }

    /// Whether the surroundings of all viewers within `radius` chunks are [ready](RegionProgress::is_ready), as
    /// [`progress_around`](Self::progress_around) counts them. False without a viewer, and before the first scan.
    #[must_use]
    pub fn is_ready(&self, radius: u32) -> bool {
        let mut has_viewers = false;
        let are_ready = self.viewers.iter().all(|viewer| {
            has_viewers = true;
            let region = self.region_around(viewer, radius);
            region.is_some_and(|region| self.progress(region).is_ready())
        });
        are_ready && has_viewers
    }

    /// The grid of the stream, if there is one.
    pub(super) fn grid(&self) -> Option<ChunkGrid> {
        self.stream.as_ref().map(|stream| *stream.grid())
    }

    /// The region around a viewer or another entity, if it is anywhere.
    pub(super) fn region_of(&self, entity: Entity, radius: u32) -> Option<Region> {
        if let Some(viewer) = self.viewers.get(entity) {
            return self.region_around(viewer, radius);
        }
        self.region_at(Place::Position(self.viewers.position_of(entity)?), radius)
    }

    /// Looks up the chunks of a region.
    pub(super) fn progress(&self, region: Region) -> RegionProgress {
        let (Some(stream), Some(index)) = (&self.stream, &self.index) else {
            return RegionProgress::default();
        };
        region.progress(|coord| stream.find(index, coord))
    }

    fn region_around(&self, viewer: LiveViewer, radius: u32) -> Option<Region> {
        let stream = self.stream.as_ref()?;
        if !stream.may_pick_by::<F>() {
            return None;
        }
        let last_known = || stream.last_known(viewer.entity);
        let centre = self.coord(viewer.place).or_else(last_known)?;
        let range = stream.range_of(&ChunkViewer {
            range: viewer.range,
        });
        let shape = range.in_grid(stream.grid()).load();
        Some(Region {
            centre,
            shape,
            radius,
        })
    }

    fn region_at(&self, place: Place, radius: u32) -> Option<Region> {
        let centre = self.coord(place)?;
        let sphere = ViewRange::sphere(radius, radius).ok()?;
        let shape = sphere.in_grid(self.stream.as_ref()?.grid()).load();
        Some(Region {
            centre,
            shape,
            radius,
        })
    }

    fn coord(&self, place: Place) -> Option<ChunkCoord> {
        self.stream.as_ref()?.coord_of(place)
    }
}

impl<T: Send + Sync + 'static, F: QueryFilter + 'static> fmt::Debug
    for ChunkStreamNow<'_, '_, T, F>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkStreamNow")
            .field("stream", &self.stream.as_deref())
            .field("is_settled", &self.is_settled())
            .finish_non_exhaustive()
    }
}

/// A run condition: [`ChunkStreamNow::is_settled`]. A function has no default for a type parameter, so this one is for
/// streams without a filter. For others, write it as a closure:
///
/// ```
/// use bevy_app::{App, Update};
/// use bevy_ecs::prelude::*;
/// use chunk_apply::ChunkStreamNow;
///
/// # struct Rocks;
/// #[derive(Component)]
/// struct Underground;
///
/// fn lift_the_curtain() {}
///
/// # let mut app = App::new();
/// app.add_systems(
///     Update,
///     lift_the_curtain.run_if(|caves: ChunkStreamNow<Rocks, With<Underground>>| caves.is_settled()),
/// );
/// # app.update();
/// ```
#[must_use]
pub fn chunks_are_settled<T: Send + Sync + 'static>(stream: ChunkStreamNow<'_, '_, T>) -> bool {
    stream.is_settled()
}

/// A run condition for loading screens: [`ChunkStreamNow::is_ready`]. As [`chunks_are_settled`], it is for streams without a
/// filter; for others, write `|stream: ChunkStreamNow<Rocks, With<Underground>>| stream.is_ready(4)`.
///
/// ```
/// use bevy_app::{App, Update};
/// use bevy_ecs::prelude::*;
/// use chunk_apply::{ApplyBudget, ChunkStream, ChunkStreamNow, ChunkViewer, chunks_are_ready};
///
/// struct Rocks; // the stream's content type
///
/// fn draw_bar(stream: ChunkStreamNow<Rocks>, player: Single<Entity, With<ChunkViewer>>) {
///     println!("{:.0} %", 100.0 * stream.progress_around(*player, 4).fraction());
/// }
/// fn play(mut stream: ResMut<ChunkStream<Rocks>>) {
///     stream.budget = ApplyBudget::default(); // it was unlimited while nobody watched
/// }
///
/// # let mut app = App::new();
/// app.add_systems(Update, (draw_bar, play.run_if(chunks_are_ready::<Rocks>(4))));
/// # app.update();
/// ```
pub fn chunks_are_ready<T: Send + Sync + 'static>(
    radius: u32,
) -> impl FnMut(ChunkStreamNow<'_, '_, T>) -> bool + Clone {
    move |stream: ChunkStreamNow<'_, '_, T>| stream.is_ready(radius)
}
