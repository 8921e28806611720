//! Where chunks stand in the world, also after the world's origin was moved.

use super::index::RootOf;
use bevy_ecs::world::World;
use bevy_math::{DVec3, Vec3};
use bevy_transform::components::Transform;
use chunk_coord::{ChunkCoord, ChunkGrid, Plane, PositionError};

/// A grid and the chunk whose minimum corner is the world's origin.
#[derive(Clone, Debug)]
pub(crate) struct WorldOrigin {
    pub(crate) grid: ChunkGrid,
    pub(crate) origin: ChunkCoord,
}

impl WorldOrigin {
    pub(crate) fn new(grid: ChunkGrid, origin: ChunkCoord) -> Self {
        let origin = in_layer(&grid, origin);
        Self { grid, origin }
    }

    /// The minimum corner of a chunk, in world units from the moved origin.
    pub(crate) fn transform(&self, coord: ChunkCoord) -> Transform {
        Transform::from_translation(corner(&self.grid, self.origin, coord))
    }

    /// Moves every root of the stream to where this origin requires it: by `shift`, but without adding up what rounding
    /// loses. A root keeps its place along the axis that the grid ignores. To one of a former grid this origin means nothing.
    pub(crate) fn move_roots<T: Send + Sync + 'static>(&self, world: &mut World, shift: Vec3) {
        let is_ignored = self.grid.size().cmpeq(Vec3::ZERO);
        let mut roots = world.query::<(&RootOf<T>, &mut Transform)>();
        for (root, mut transform) in roots.iter_mut(world) {
            if root.grid == self.grid {
                let place = corner(&self.grid, self.origin, root.coord);
                transform.translation = Vec3::select(is_ignored, transform.translation, place);
            } else {
                transform.translation += shift;
            }
        }
    }

    /// The chunk at a position that is measured from the moved origin.
    pub(crate) fn coord_at(&self, position: Vec3) -> Result<ChunkCoord, PositionError> {
        self.grid.coord_at_from(self.origin, position)
    }

    /// A position that is measured from the moved origin, in chunks from the origin of coordinates. `None` when it is not
    /// finite.
    pub(crate) fn chunks_at(&self, position: Vec3) -> Option<DVec3> {
        let origin = middle_of(self.origin) - DVec3::splat(0.5);
        let at = self.in_plane(position.as_dvec3() / self.grid.size().as_dvec3());
        (self.in_plane(position.as_dvec3()).is_finite()).then_some(origin + at)
    }

    /// A direction in the world as one in chunks, of length one. Zero where it has none in the grid's plane.
    pub(crate) fn direction(&self, direction: Vec3) -> Vec3 {
        // Almost across the plane, rounding alone would decide.
        const ACROSS: f64 = 0.05;
        let direction = direction.as_dvec3().normalize_or_zero();
        if self.in_plane(direction).length() < ACROSS {
            return Vec3::ZERO;
        }
        let chunks = self.in_plane(direction / self.grid.size().as_dvec3());
        chunks.normalize_or_zero().as_vec3()
    }

    /// Without the part along the axis that a planar grid ignores.
    fn in_plane(&self, vector: DVec3) -> DVec3 {
        match self.grid.plane() {
            None => vector,
            Some(Plane::Xz) => DVec3 { y: 0.0, ..vector },
            Some(Plane::Xy) => DVec3 { z: 0.0, ..vector },
        }
    }

    /// The chunk in the layer in which positions are: all chunks of a planar grid are in one.
    pub(crate) fn in_layer(&self, coord: ChunkCoord) -> ChunkCoord {
        in_layer(&self.grid, coord)
    }
}

fn in_layer(grid: &ChunkGrid, coord: ChunkCoord) -> ChunkCoord {
    match grid.plane() {
        None => coord,
        Some(Plane::Xz) => ChunkCoord { y: 0, ..coord },
        Some(Plane::Xy) => ChunkCoord { z: 0, ..coord },
    }
}

/// The middle of a chunk, in chunks from the origin of coordinates.
pub(crate) fn middle_of(coord: ChunkCoord) -> DVec3 {
    DVec3::new(f64::from(coord.x), f64::from(coord.y), f64::from(coord.z)) + 0.5
}

/// The minimum corner of a chunk of `grid`, relative to the corner of `origin`. Computed exactly, and then rounded to
/// single precision.
fn corner(grid: &ChunkGrid, origin: ChunkCoord, coord: ChunkCoord) -> Vec3 {
    let chunks = |to: i32, from: i32| (i64::from(to) - i64::from(from)) as f64;
    let relative = DVec3::new(
        chunks(coord.x, origin.x),
        chunks(coord.y, origin.y),
        chunks(coord.z, origin.z),
    );
    (relative * grid.size().as_dvec3()).as_vec3()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chunk_coord::Axis;

    fn at(origin: ChunkCoord) -> WorldOrigin {
        let grid = ChunkGrid::planar(200.0).expect("200 is a size");
        WorldOrigin::new(grid, origin)
    }

    #[test]
    fn a_chunk_far_out_is_placed_exactly_when_the_origin_is_near_it() {
        let origin = at(ChunkCoord::planar(1_000_000, -2_000_000));
        let far = ChunkCoord::planar(1_000_001, -2_000_000);
        assert_eq!(
            origin.transform(far).translation,
            Vec3::new(200.0, 0.0, 0.0)
        );
        assert_eq!(origin.coord_at(Vec3::new(201.0, 5.0, 1.0)), Ok(far));
    }

    #[test]
    fn a_position_beyond_the_last_chunk_has_none() {
        let origin = at(ChunkCoord::planar(i32::MAX, i32::MIN));
        assert!(origin.coord_at(Vec3::new(-1.0, 0.0, 1.0)).is_ok());
        let error = origin.coord_at(Vec3::new(250.0, 0.0, 1.0)).unwrap_err();
        assert_eq!((error.axis, error.position), (Axis::X, 250.0));
        let error = origin.coord_at(Vec3::new(0.0, 0.0, -1.0)).unwrap_err();
        assert_eq!(error.axis, Axis::Z);
    }

    #[test]
    fn the_ends_of_the_world_are_as_far_apart_as_they_are() {
        let origin = at(ChunkCoord::planar(i32::MIN, 0));
        let across = origin
            .transform(ChunkCoord::planar(i32::MAX, 0))
            .translation;
        assert_eq!(across.x, 200.0 * 4_294_967_295.0);
    }
}
