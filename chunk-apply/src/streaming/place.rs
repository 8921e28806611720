//! Where chunks stand in the world, also when the world's origin is moved.

use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_coord::{ChunkCoord, ChunkGrid, PositionError};

/// A grid and the chunk whose minimum corner is the world's origin.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) grid: ChunkGrid,
    pub(crate) origin: ChunkCoord,
}

impl Place {
    pub(crate) fn new(grid: ChunkGrid) -> Self {
        Self {
            grid,
            origin: ChunkCoord::ORIGIN,
        }
    }

    /// The minimum corner of a chunk, in world units from the moved origin.
    pub(crate) fn transform(&self, coord: ChunkCoord) -> Transform {
        let Self { origin, .. } = self;
        let relative = ChunkCoord::new(
            coord.x.saturating_sub(origin.x),
            coord.y.saturating_sub(origin.y),
            coord.z.saturating_sub(origin.z),
        );
        Transform::from_translation(self.grid.min_corner(relative))
    }

    /// The chunk at a position that is measured from the moved origin.
    pub(crate) fn coord_at(&self, position: Vec3) -> Result<ChunkCoord, PositionError> {
        let ChunkCoord { x, y, z } = self.origin;
        Ok(self.grid.coord_at(position)?.saturating_offset(x, y, z))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_far_out_is_placed_exactly_once_the_origin_is_near_it() {
        let mut place = Place::new(ChunkGrid::planar(200.0).expect("200 is a size"));
        let far = ChunkCoord::planar(1_000_001, -2_000_000);
        place.origin = ChunkCoord::planar(1_000_000, -2_000_000);
        assert_eq!(place.transform(far).translation, Vec3::new(200.0, 0.0, 0.0));
        assert_eq!(place.coord_at(Vec3::new(201.0, 5.0, 1.0)), Ok(far));
    }
}
