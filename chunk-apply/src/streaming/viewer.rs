//! Positions that want chunks around them.

use super::world_origin::{WorldOrigin, middle_of};
use crate::sync::{AtomicBool, Ordering};
use ahash::AHashSet;
#[cfg(feature = "bevy_reflect")]
use bevy_ecs::reflect::ReflectComponent;
use bevy_ecs::{
    component::Component,
    entity::Entity,
    hierarchy::ChildOf,
    query::{QueryFilter, QueryItem, Without},
    system::{Query, SystemParam},
};
use bevy_math::{DVec3, Vec3};
#[cfg(feature = "bevy_reflect")]
use bevy_reflect::prelude::ReflectDefault;
use bevy_transform::{components::Transform, helper::TransformHelper};
use chunk_coord::{ChunkCoord, ChunkGrid, PositionError, ViewRange, Viewer};
use core::{any::TypeId, time::Duration};
use std::collections::VecDeque;
use tracing::{error, warn};

/// Put this on an entity, and the world around it is streamed, by every stream whose
/// [filter](crate::ChunkStreamingPlugin::for_viewers) accepts it. [`ChunkViewerAt`] is for viewers whose chunk is known and
/// not their position.
///
/// When the entity is despawned, or the component removed, what it wanted stays for a short time
/// ([`StreamingConfig::linger`](crate::StreamingConfig::linger)), so that a viewer that is made anew does not unload the
/// world.
///
/// A disc lies in the plane of the stream's grid. A range that loads more than the viewer's own layer does not fit a
/// planar grid: there the viewer's own layer is loaded alone, with a warning, and
/// [`StreamingTotals::invalid_ranges`](crate::StreamingTotals::invalid_ranges) counts it.
///
/// A viewer may be a child of another entity; its position in the world counts. A position that is not finite, or beyond
/// the grid, is ignored: the viewer then stays at its last valid position.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use bevy_transform::components::Transform;
/// use chunk_apply::ChunkViewer;
/// use chunk_coord::ViewRange;
///
/// let mut world = World::new();
/// // As far as the stream's own range:
/// world.spawn((ChunkViewer::default(), Transform::from_xyz(0.0, 2.0, 0.0)));
/// // Only the nearest chunks, such as for a second player's small view:
/// world.spawn(ChunkViewer::with_range(ViewRange::disc(4, 6)?));
/// # Ok::<(), chunk_coord::ViewRangeError>(())
/// ```
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(Component, Clone, Debug, Default, PartialEq)
)]
#[require(Transform)]
pub struct ChunkViewer {
    /// How far this viewer sees; `None` for the stream's own range,
    /// [`StreamingConfig::range`](crate::StreamingConfig::range).
    pub range: Option<ViewRange>,
}

impl ChunkViewer {
    /// A viewer with a range of its own, the same in every stream.
    #[must_use]
    pub fn with_range(range: ViewRange) -> Self {
        Self { range: Some(range) }
    }
}

/// A viewer whose place is known as a chunk and not as a position: on a server without transforms, on a planet, or in a
/// world too big for single precision. Put it on an entity, and the world around that chunk is streamed.
///
/// It needs no `Transform`. In range, [lingering](crate::StreamingConfig::linger) and filters it is as a [`ChunkViewer`].
/// On an entity that has both, this one counts: it is one viewer, at this chunk and with this range.
///
/// The chunk is one of the stream's grid and does not depend on [the world's origin](crate::ChunkStream::move_origin). In a
/// planar grid, the part of the coordinate along the axis that the grid ignores does not count.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use chunk_apply::ChunkViewerAt;
/// use chunk_coord::{ChunkCoord, ViewRange};
///
/// let mut world = World::new();
/// let client = ChunkViewerAt::new(ChunkCoord::planar(1_000_000, -7)).with_range(ViewRange::disc(4, 6)?);
/// let client = world.spawn(client).id();
/// // It moves.
/// world.get_mut::<ChunkViewerAt>(client).expect("just spawned").coord.x += 1;
/// # Ok::<(), chunk_coord::ViewRangeError>(())
/// ```
#[derive(Component, Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(Component, Clone, Debug, Default, PartialEq)
)]
pub struct ChunkViewerAt {
    /// The chunk that the viewer is in.
    pub coord: ChunkCoord,
    /// How far this viewer sees; `None` for the stream's own range,
    /// [`StreamingConfig::range`](crate::StreamingConfig::range).
    pub range: Option<ViewRange>,
}

impl ChunkViewerAt {
    /// A viewer in this chunk that sees as far as the stream's own range.
    #[must_use]
    pub fn new(coord: ChunkCoord) -> Self {
        Self { coord, range: None }
    }

    /// The same with a range of its own.
    #[must_use]
    pub fn with_range(mut self, range: ViewRange) -> Self {
        self.range = Some(range);
        self
    }
}

/// The viewers that the filter `F` accepts, as they are now.
#[derive(SystemParam)]
pub(super) struct LiveViewers<'w, 's, F: QueryFilter + 'static> {
    at_positions: Query<'w, 's, AtPosition, (F, Without<ChunkViewerAt>)>,
    at_chunks: Query<'w, 's, (Entity, &'static ChunkViewerAt), F>,
    transforms: TransformHelper<'w, 's>,
}

type AtPosition = (
    Entity,
    &'static ChunkViewer,
    &'static Transform,
    Option<&'static ChildOf>,
);

/// A viewer as it is now.
#[derive(Clone, Copy, Debug)]
pub(super) struct LiveViewer {
    pub(super) entity: Entity,
    pub(super) range: Option<ViewRange>,
    pub(super) place: Place,
}

/// Where a viewer is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// A position in the world.
    Position(Vec3),
    Chunk(ChunkCoord),
}

impl<F: QueryFilter + 'static> LiveViewers<'_, '_, F> {
    pub(super) fn iter(&self) -> impl Iterator<Item = LiveViewer> {
        let at_positions = self
            .at_positions
            .iter()
            .map(|found| self.at_position(found));
        at_positions.chain(self.at_chunks.iter().map(at_chunk))
    }

    /// The viewer on an entity, if there is one.
    pub(super) fn get(&self, entity: Entity) -> Option<LiveViewer> {
        let at_position = self.at_positions.get(entity).ok();
        let at_position = at_position.map(|found| self.at_position(found));
        at_position.or_else(|| self.at_chunks.get(entity).ok().map(at_chunk))
    }

    /// Where an entity with a `Transform` is in the world.
    pub(super) fn position_of(&self, entity: Entity) -> Option<Vec3> {
        let global = self.transforms.compute_global_transform(entity).ok()?;
        Some(global.translation())
    }

    /// Where an entity looks, in the world, of any length, and not a number for a rotation that is none. Zero where it has no
    /// `Transform`.
    pub(super) fn forward(&self, viewer: Entity) -> Vec3 {
        let global = self.transforms.compute_global_transform(viewer);
        // `GlobalTransform::forward` panics where this is not a number.
        global.map_or(Vec3::ZERO, |global| {
            -Vec3::from(global.affine().matrix3.z_axis)
        })
    }

    fn at_position(
        &self,
        (entity, viewer, transform, parent): QueryItem<'_, '_, AtPosition>,
    ) -> LiveViewer {
        let position = match parent {
            None => transform.translation,
            Some(_) => self.position_of(entity).unwrap_or(transform.translation),
        };
        LiveViewer {
            entity,
            range: viewer.range,
            place: Place::Position(position),
        }
    }
}

fn at_chunk((entity, viewer): (Entity, &ChunkViewerAt)) -> LiveViewer {
    LiveViewer {
        entity,
        range: viewer.range,
        place: Place::Chunk(viewer.coord),
    }
}

impl Place {
    pub(super) fn coord(self, origin: &WorldOrigin) -> Result<ChunkCoord, PositionError> {
        match self {
            Self::Position(position) => origin.coord_at(position),
            Self::Chunk(coord) => Ok(origin.in_layer(coord)),
        }
    }

    /// The place in chunks, from the origin of coordinates. `None` where a position is not finite.
    pub(super) fn in_chunks(self, origin: &WorldOrigin) -> Option<DVec3> {
        match self {
            Self::Position(position) => origin.chunks_at(position),
            Self::Chunk(coord) => Some(middle_of(origin.in_layer(coord))),
        }
    }
}

/// The filter that picks the viewers of a stream, as of its last scan.
#[derive(Debug, Default)]
pub(super) struct ViewerFilter {
    scanned: Option<(TypeId, &'static str)>,
    has_warned: AtomicBool,
}

impl ViewerFilter {
    pub(super) fn note<F: 'static>(&mut self) {
        self.scanned = Some((TypeId::of::<F>(), core::any::type_name::<F>()));
    }

    /// Whether `F` is that filter. Says once if it is not.
    pub(super) fn is<F: 'static>(&self) -> bool {
        let Some((id, name)) = self.scanned else {
            return false;
        };
        let is_same = id == TypeId::of::<F>();
        if !is_same && !self.has_warned.swap(true, Ordering::Relaxed) {
            let other = core::any::type_name::<F>();
            error!(
                "`ChunkStreamNow` looks at viewers by the filter `{other}`, and the stream picks its viewers by `{name}`: give \
                 `ChunkStreamNow` the same"
            );
        }
        is_same
    }
}

/// The viewers' chunks, as the last scan saw them.
#[derive(Debug, Default)]
pub(super) struct Viewers {
    /// Those that are there, and then those that linger.
    now: Vec<Viewer>,
    before: Vec<Viewer>,
    /// How many of `now` and of `before` were there.
    present: usize,
    present_before: usize,
    /// Those that vanished, and until when each counts, in the order in which they vanished.
    lingering: VecDeque<(Viewer, Duration)>,
    /// The most that were there at once since the first of them vanished.
    most_present: usize,
    /// Viewers whose position has no chunk, in this scan and in the one before. Each is warned about once until its
    /// position is valid again.
    lost: Vec<u64>,
    lost_before: Vec<u64>,
    invalid_positions: u64,
    /// Ranges that do not fit the grid and were warned about, each once.
    warned_ranges: Vec<ViewRange>,
    invalid_ranges: u64,
}

/// So many ranges that do not fit are warned about. More are a range that is animated, and counted alone.
const MOST_RANGE_WARNINGS: usize = 16;

impl Viewers {
    /// Starts a scan.
    pub(super) fn begin(&mut self) {
        core::mem::swap(&mut self.now, &mut self.before);
        self.now.clear();
        self.present_before = self.present;
        core::mem::swap(&mut self.lost, &mut self.lost_before);
        self.lost.clear();
    }

    /// Notes where a viewer is.
    pub(super) fn see(
        &mut self,
        entity: Entity,
        place: Place,
        range: ViewRange,
        origin: &WorldOrigin,
    ) {
        let id = entity.to_bits();
        let coord = place.coord(origin).or_else(|error| {
            self.invalid_positions += 1;
            if !self.lost_before.contains(&id) {
                warn!("viewer {entity} stays where it last was: {error}");
            }
            self.lost.push(id);
            let before = self.before.iter().find(|viewer| viewer.id == id);
            before.map(|viewer| viewer.coord).ok_or(error)
        });
        if let Ok(coord) = coord {
            let range = self.fitting(entity, range, &origin.grid);
            self.now.push(Viewer { id, coord, range });
        }
    }

    /// Ends a scan: adds the viewers that vanished less than `linger` ago, where they last were.
    ///
    /// There are never more of them than viewers were there at once, so that a viewer that is made anew elsewhere in each
    /// frame leaves one place behind and not hundreds.
    pub(super) fn end(&mut self, time: Duration, linger: Duration) {
        self.present = self.now.len();
        let (now, before) = (&self.now, &self.before[..self.present_before]);
        let is_same = |(viewer, other): (&Viewer, &Viewer)| viewer.id == other.id;
        if now.len() != before.len() || !now.iter().zip(before).all(is_same) {
            let ids: AHashSet<u64> = now.iter().map(|viewer| viewer.id).collect();
            let until = time.saturating_add(linger);
            self.lingering
                .retain(|(viewer, _)| !ids.contains(&viewer.id));
            let vanished = before.iter().filter(|viewer| !ids.contains(&viewer.id));
            (self.lingering).extend(vanished.map(|viewer| (*viewer, until)));
        }
        // A shorter time counts at once.
        let latest = time.saturating_add(linger);
        (self.lingering).retain(|(_, until)| (*until).min(latest) > time);
        if self.lingering.is_empty() {
            self.most_present = 0;
            return;
        }
        self.most_present = (self.most_present)
            .max(self.present)
            .max(self.present_before);
        let too_many = self.lingering.len().saturating_sub(self.most_present);
        self.lingering.drain(..too_many);
        self.now
            .extend(self.lingering.iter().map(|(viewer, _)| *viewer));
    }

    /// The chunks of those that vanished are coordinates of another grid.
    pub(super) fn forget_vanished(&mut self) {
        self.lingering.clear();
        self.present_before = 0;
    }

    /// Those that vanished and still count.
    pub(super) fn lingering(&self) -> &[Viewer] {
        &self.now[self.present..]
    }

    /// Whether these viewers are the ones that the last scan saw, in the same chunks and with the same ranges.
    pub(super) fn are_up_to_date(
        &self,
        viewers: impl Iterator<Item = LiveViewer>,
        origin: &WorldOrigin,
        stream_range: ViewRange,
    ) -> bool {
        let mut seen = self.now[..self.present].iter();
        for viewer in viewers {
            let id = viewer.entity.to_bits();
            let last_known = || self.last_known(viewer.entity);
            let Some(coord) = viewer.place.coord(origin).ok().or_else(last_known) else {
                continue;
            };
            let range = viewer.range.unwrap_or(stream_range);
            let range = range.in_grid(&origin.grid);
            if seen.next() != Some(&Viewer { id, coord, range }) {
                return false;
            }
        }
        seen.next().is_none()
    }

    /// The chunk that a viewer was in when the last scan saw it.
    pub(super) fn last_known(&self, viewer: Entity) -> Option<ChunkCoord> {
        let mut known = self.now[..self.present].iter();
        (known.find(|seen| seen.id == viewer.to_bits())).map(|seen| seen.coord)
    }

    /// The part of the range that the grid has.
    fn fitting(&mut self, viewer: Entity, range: ViewRange, grid: &ChunkGrid) -> ViewRange {
        if range.fits(grid) {
            return range.in_grid(grid);
        }
        self.invalid_ranges += 1;
        let may_warn = self.warned_ranges.len() < MOST_RANGE_WARNINGS;
        if may_warn && !self.warned_ranges.contains(&range) {
            self.warned_ranges.push(range);
            let load = range.load();
            warn!(
                "viewer {viewer} loads one layer alone, because {load:?} does not fit the planar grid"
            );
        }
        range.in_grid(grid)
    }

    /// Whether, since the scan before, any viewer changed its chunk or range, came or went.
    pub(super) fn have_changed(&self) -> bool {
        self.now != self.before
    }

    pub(super) fn as_slice(&self) -> &[Viewer] {
        &self.now
    }

    pub(super) fn coords(&self) -> impl Iterator<Item = ChunkCoord> {
        self.now.iter().map(|viewer| viewer.coord)
    }

    /// How often a range was cut to one layer.
    pub(super) fn invalid_ranges(&self) -> u64 {
        self.invalid_ranges
    }

    /// How often a position was ignored.
    pub(super) fn invalid_positions(&self) -> u64 {
        self.invalid_positions
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_ecs::world::World;
    use chunk_coord::ChunkGrid;

    #[test]
    fn a_lost_viewer_is_forgotten_once_it_is_gone() {
        let grid = ChunkGrid::planar(1.0).expect("1 is a size");
        let origin = WorldOrigin::new(grid, ChunkCoord::ORIGIN);
        let range = ViewRange::disc(1, 1).expect("equal radii");
        let mut viewers = Viewers::default();
        for viewer in (0..100).map(|_| World::new().spawn_empty().id()) {
            viewers.begin();
            viewers.see(viewer, Place::Position(Vec3::NAN), range, &origin);
        }
        viewers.begin();
        assert!(viewers.lost.is_empty());
        assert_eq!(viewers.invalid_positions(), 100);
    }
}
