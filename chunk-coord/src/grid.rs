//! Conversion between world units and chunks.

use core::fmt;

use bevy_math::{DVec3, Vec3};
#[cfg(all(feature = "bevy_reflect", feature = "serde"))]
use bevy_reflect::prelude::{ReflectDeserialize, ReflectSerialize};

use crate::coord::ChunkCoord;
use crate::plane::{Axis, Plane};

/// The size of a chunk, which decides which chunk a position lies in.
///
/// Chunk (0, 0, 0) has its minimum corner at the world's origin. A chunk contains its minimum faces and not
/// its maximum ones, so every position lies in exactly one chunk.
///
/// The axes of a [`ChunkCoord`] are those of the world. A planar grid has one layer of chunks and ignores the axis across
/// it: [`planar`](Self::planar) y, as the ground of a 3-D world does, and [`planar_xy`](Self::planar_xy) z, as Bevy's 2-D
/// does. A chunk's coordinate along the ignored axis is 0.
///
/// ```
/// use bevy_math::Vec3;
/// use chunk_coord::{ChunkCoord, ChunkGrid};
///
/// let grid = ChunkGrid::planar(16.0)?;
/// assert_eq!(grid.coord_at(Vec3::new(-0.5, 80.0, 16.0))?, ChunkCoord::planar(-1, 1));
/// assert_eq!(grid.centre(ChunkCoord::planar(-1, 1)), Vec3::new(-8.0, 0.0, 24.0));
/// assert!(grid.coord_at(Vec3::NAN).is_err());
///
/// let tiles = ChunkGrid::planar_xy(16.0)?;
/// assert_eq!(tiles.coord_at(Vec3::new(-0.5, 16.0, -0.1))?, ChunkCoord::planar_xy(-1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Isometric and hexagonal tiles
///
/// A grid divides a space in which a chunk is a box. Isometric tiles are squares in the space of tiles, and hexagons
/// are squares in the space of their axial coordinates; both are one linear map away from the screen. So a
/// [`planar_xy`](Self::planar_xy) grid divides that space, viewers stand in it, and the game draws a chunk where
/// the map puts its corner. Chunks that are hexagons themselves are out of scope: they have six neighbours and no axes,
/// and nothing is gained by them, because the shape of a chunk is not seen.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(
    feature = "bevy_reflect",
    // Opaque, because setting a field would skip the check in the constructor.
    derive(bevy_reflect::Reflect),
    reflect(opaque),
    reflect(Debug, PartialEq, Clone)
)]
#[cfg_attr(
    all(feature = "bevy_reflect", feature = "serde"),
    reflect(Serialize, Deserialize)
)]
pub struct ChunkGrid {
    /// Finite and positive, except that a planar grid has 0 along the axis that it ignores, which is y or z.
    size: Vec3,
}

impl ChunkGrid {
    /// A grid of square chunks, `size` world units along x and z, unbounded along y.
    ///
    /// # Errors
    ///
    /// When `size` is not finite, not above zero, or above 7.9e28.
    pub fn planar(size: f32) -> Result<Self, GridError> {
        Self::planar_rect(size, size)
    }

    /// A grid of rectangular chunks, `x` and `z` world units along these axes, unbounded along y.
    ///
    /// # Errors
    ///
    /// When a size is not finite, not above zero, or above 7.9e28.
    pub fn planar_rect(x: f32, z: f32) -> Result<Self, GridError> {
        check(Axis::X, x)?;
        check(Axis::Z, z)?;
        Ok(Self {
            size: Vec3::new(x, 0.0, z),
        })
    }

    /// A grid of square chunks, `size` world units along x and y, unbounded along z: for 2-D worlds.
    ///
    /// # Errors
    ///
    /// When `size` is not finite, not above zero, or above 7.9e28.
    pub fn planar_xy(size: f32) -> Result<Self, GridError> {
        Self::planar_xy_rect(size, size)
    }

    /// A grid of rectangular chunks, `x` and `y` world units along these axes, unbounded along z: for 2-D worlds.
    ///
    /// # Errors
    ///
    /// When a size is not finite, not above zero, or above 7.9e28.
    pub fn planar_xy_rect(x: f32, y: f32) -> Result<Self, GridError> {
        check(Axis::X, x)?;
        check(Axis::Y, y)?;
        Ok(Self {
            size: Vec3::new(x, y, 0.0),
        })
    }

    /// A grid of boxes, `size` world units along each axis.
    ///
    /// # Errors
    ///
    /// When a component of `size` is not finite, not above zero, or above 7.9e28.
    pub fn volumetric(size: Vec3) -> Result<Self, GridError> {
        check(Axis::X, size.x)?;
        check(Axis::Y, size.y)?;
        check(Axis::Z, size.z)?;
        Ok(Self { size })
    }

    /// The size of a chunk in world units; 0 along the axis that a planar grid ignores.
    #[must_use]
    pub fn size(&self) -> Vec3 {
        self.size
    }

    /// The plane of a planar grid, or `None` where chunks are boxes.
    #[must_use]
    pub fn plane(&self) -> Option<Plane> {
        if self.size.y == 0.0 {
            Some(Plane::Xz)
        } else if self.size.z == 0.0 {
            Some(Plane::Xy)
        } else {
            None
        }
    }

    /// The chunk that contains `position` (world units).
    ///
    /// Exact: the position is divided in double precision, so a position just below a border is never
    /// rounded across it.
    ///
    /// # Errors
    ///
    /// When the position is not finite along an axis of the grid, or its chunk is outside the `i32` range.
    pub fn coord_at(&self, position: Vec3) -> Result<ChunkCoord, PositionError> {
        self.coord_at_precise(position.as_dvec3())
    }

    /// The chunk that contains `position` (world units), for worlds too big for single precision.
    ///
    /// # Errors
    ///
    /// As [`coord_at`](Self::coord_at).
    pub fn coord_at_precise(&self, position: DVec3) -> Result<ChunkCoord, PositionError> {
        let size = self.size.as_dvec3();
        // Half a chunk along the axis that the grid ignores: in chunk 0, and not whole.
        let quotient = match self.plane() {
            Some(Plane::Xz) => DVec3::new(position.x / size.x, 0.5, position.z / size.z),
            Some(Plane::Xy) => DVec3::new(position.x / size.x, position.y / size.y, 0.5),
            None => position / size,
        };
        let mut floor = quotient.floor();
        let whole = [0, 1, 2].map(|axis| floor[axis] == quotient[axis]);
        if whole.contains(&true) {
            // The quotient is whole, or was rounded up to a whole number from just below it. Which of the two follows
            // from the sign of the fused product, which is not rounded before the subtraction. It is slow where the
            // machine cannot be expected to have it, and not needed otherwise.
            let excess = floor.mul_add(size, -position);
            for axis in 0..3 {
                if whole[axis] && excess[axis] > 0.0 {
                    floor[axis] -= 1.0;
                }
            }
        }
        let axis = |axis, value: f64, position: f64| {
            if !position.is_finite() {
                return Err(PositionError {
                    axis,
                    position,
                    kind: PositionErrorKind::NotFinite,
                });
            }
            if !(f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&value) {
                return Err(PositionError {
                    axis,
                    position,
                    kind: PositionErrorKind::OutOfRange,
                });
            }
            Ok(value as i32)
        };
        Ok(ChunkCoord::new(
            axis(Axis::X, floor.x, position.x)?,
            if size.y == 0.0 {
                0
            } else {
                axis(Axis::Y, floor.y, position.y)?
            },
            if size.z == 0.0 {
                0
            } else {
                axis(Axis::Z, floor.z, position.z)?
            },
        ))
    }

    /// The chunk that contains `position`, in world units from the minimum corner of the chunk `origin`: for
    /// worlds whose origin follows the viewer.
    ///
    /// # Errors
    ///
    /// As [`coord_at`](Self::coord_at), also where only the sum with `origin` is outside the `i32` range.
    pub fn coord_at_from(
        &self,
        origin: ChunkCoord,
        position: Vec3,
    ) -> Result<ChunkCoord, PositionError> {
        let near = self.coord_at(position)?;
        let sum = |axis, near: i32, origin: i32, position: f32| {
            near.checked_add(origin).ok_or(PositionError {
                axis,
                position: f64::from(position),
                kind: PositionErrorKind::OutOfRange,
            })
        };
        Ok(ChunkCoord::new(
            sum(Axis::X, near.x, origin.x, position.x)?,
            sum(Axis::Y, near.y, origin.y, position.y)?,
            sum(Axis::Z, near.z, origin.z, position.z)?,
        ))
    }

    /// The minimum corner of a chunk, in world units, rounded to single precision.
    #[must_use]
    pub fn min_corner(&self, coord: ChunkCoord) -> Vec3 {
        self.min_corner_precise(coord).as_vec3()
    }

    /// The middle of a chunk, in world units, rounded to single precision; 0 along the axis that a planar grid ignores.
    #[must_use]
    pub fn centre(&self, coord: ChunkCoord) -> Vec3 {
        self.centre_precise(coord).as_vec3()
    }

    /// The minimum corner of a chunk, in world units.
    ///
    /// Exact for every chunk when the size has at most 22 significant bits, as every multiple of 1/64 up to
    /// 65,536 has; otherwise rounded once to double precision.
    #[must_use]
    pub fn min_corner_precise(&self, coord: ChunkCoord) -> DVec3 {
        DVec3::new(f64::from(coord.x), f64::from(coord.y), f64::from(coord.z))
            * self.size.as_dvec3()
    }

    /// The middle of a chunk, in world units; 0 along the axis that a planar grid ignores.
    #[must_use]
    pub fn centre_precise(&self, coord: ChunkCoord) -> DVec3 {
        self.min_corner_precise(coord) + self.size.as_dvec3() * 0.5
    }
}

/// The world is 2³² chunks wide, and a corner is measured from any of them.
const LARGEST: f32 = f32::MAX / 4_294_967_296.0;

fn check(axis: Axis, size: f32) -> Result<(), GridError> {
    if !size.is_finite() {
        return Err(GridError {
            axis,
            size,
            kind: GridErrorKind::NotFinite,
        });
    }
    if size <= 0.0 {
        return Err(GridError {
            axis,
            size,
            kind: GridErrorKind::NotPositive,
        });
    }
    if size > LARGEST {
        return Err(GridError {
            axis,
            size,
            kind: GridErrorKind::TooLarge,
        });
    }
    Ok(())
}

/// A chunk size that the constructors of [`ChunkGrid`] refuse.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct GridError {
    /// The axis whose size was refused.
    pub axis: Axis,
    /// The size that was refused, in world units.
    pub size: f32,
    /// The reason.
    pub kind: GridErrorKind,
}

/// What is wrong with a chunk size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GridErrorKind {
    /// It is infinite or not a number.
    NotFinite,
    /// It is zero or negative.
    NotPositive,
    /// It is so large that the last chunks have no corner in single precision.
    TooLarge,
}

impl fmt::Display for GridError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { axis, size, kind } = self;
        let why = match kind {
            GridErrorKind::NotFinite => "is not finite",
            GridErrorKind::NotPositive => "is not above zero",
            GridErrorKind::TooLarge => "is more than a 2³²nd of the largest position",
        };
        write!(f, "the chunk size along {axis}, {size}, {why}")
    }
}

impl core::error::Error for GridError {}

/// A position that lies in no chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PositionError {
    /// The axis along which there is no chunk.
    pub axis: Axis,
    /// The position along that axis, in world units.
    pub position: f64,
    /// The reason.
    pub kind: PositionErrorKind,
}

/// Why a position lies in no chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PositionErrorKind {
    /// It is infinite or not a number.
    NotFinite,
    /// Its chunk is outside the `i32` range.
    OutOfRange,
}

impl fmt::Display for PositionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            axis,
            position,
            kind,
        } = self;
        let why = match kind {
            PositionErrorKind::NotFinite => "is not finite",
            PositionErrorKind::OutOfRange => "is further out than chunks are counted",
        };
        write!(f, "the position along {axis}, {position}, {why}")
    }
}

impl core::error::Error for PositionError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn invalid_sizes_are_refused_with_the_size() {
        for size in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(ChunkGrid::planar(size).is_err());
        }
        let error = ChunkGrid::volumetric(Vec3::new(1.0, -2.0, 1.0)).unwrap_err();
        assert_eq!((error.axis, error.size), (Axis::Y, -2.0));
        assert_eq!(error.kind, GridErrorKind::NotPositive);
    }

    #[test]
    fn the_largest_and_smallest_chunks_have_finite_corners() {
        for size in [LARGEST, f32::MIN_POSITIVE, f32::from_bits(1)] {
            let grid = ChunkGrid::volumetric(Vec3::splat(size)).unwrap();
            for coord in [ChunkCoord::new(i32::MIN, i32::MAX, 1), ChunkCoord::ORIGIN] {
                assert!(grid.min_corner(coord).is_finite() && grid.centre(coord).is_finite());
            }
            assert_eq!(grid.coord_at(Vec3::ZERO), Ok(ChunkCoord::ORIGIN));
            for position in [f32::MAX, f32::MIN, f32::MIN_POSITIVE] {
                let _ = grid.coord_at(Vec3::splat(position));
            }
        }
        for size in [LARGEST.next_up(), f32::MAX] {
            let error = ChunkGrid::planar(size).unwrap_err();
            assert_eq!((error.kind, error.size), (GridErrorKind::TooLarge, size));
        }
    }

    #[test]
    fn a_planar_grid_ignores_height_even_where_it_is_not_finite() {
        let grid = ChunkGrid::planar(10.0).unwrap();
        let coord = grid.coord_at(Vec3::new(25.0, f32::NAN, -0.001)).unwrap();
        assert_eq!(coord, ChunkCoord::planar(2, -1));
        assert_eq!(grid.plane(), Some(Plane::Xz));
        assert_eq!(grid.min_corner(coord), Vec3::new(20.0, 0.0, -10.0));
    }

    #[test]
    fn the_last_chunks_of_the_range_are_reachable_and_the_next_are_not() {
        let grid = ChunkGrid::planar(1.0).unwrap();
        let last = f64::from(i32::MAX);
        assert_eq!(
            grid.coord_at_precise(DVec3::new(last + 0.5, 0.0, 0.0)),
            Ok(ChunkCoord::planar(i32::MAX, 0))
        );
        let error = grid
            .coord_at_precise(DVec3::new(last + 1.0, 0.0, 0.0))
            .unwrap_err();
        assert_eq!(error.kind, PositionErrorKind::OutOfRange);
        assert!(grid.coord_at(Vec3::new(0.0, 0.0, f32::MAX)).is_err());
    }

    #[test]
    fn a_position_just_below_a_border_stays_below_it() {
        let size = 0.1_f32;
        let grid = ChunkGrid::planar(size).unwrap();
        // The double just below a border divides to exactly the whole number of the border.
        let border = 3.0 * f64::from(size);
        let below = border.next_down();
        assert_eq!(
            grid.coord_at_precise(DVec3::new(below, 0.0, 0.0))
                .unwrap()
                .x,
            2
        );
        assert_eq!(
            grid.coord_at_precise(DVec3::new(border, 0.0, 0.0))
                .unwrap()
                .x,
            3
        );
    }

    #[test]
    fn rectangular_chunks_differ_along_x_and_z() {
        let grid = ChunkGrid::planar_rect(10.0, 40.0).unwrap();
        let coord = grid.coord_at(Vec3::new(39.0, -5.0, 39.0)).unwrap();
        assert_eq!(coord, ChunkCoord::planar(3, 0));
        assert_eq!(grid.centre(coord), Vec3::new(35.0, 0.0, 20.0));
        assert_eq!(grid.plane(), Some(Plane::Xz));
        let error = ChunkGrid::planar_rect(10.0, f32::NAN).unwrap_err();
        assert_eq!(
            (error.axis, error.kind),
            (Axis::Z, GridErrorKind::NotFinite)
        );
    }

    proptest! {
        #[test]
        fn centres_lie_in_their_chunks_ten_million_metres_out(
            x in -10_000_000..10_000_000_i32, y in -1_000_000..1_000_000_i32,
            z in any::<i32>(), sizes in prop::array::uniform3(0.01_f32..1000.0),
        ) {
            let grid = ChunkGrid::volumetric(Vec3::from_array(sizes)).unwrap();
            let coord = ChunkCoord::new(x, y, z);
            prop_assert_eq!(grid.coord_at_precise(grid.centre_precise(coord)), Ok(coord));
        }

        #[test]
        fn corners_lie_in_their_chunks_where_sizes_are_short(
            coord in any::<[i32; 3]>(), sixty_fourths in 1..4_000_000_u32,
        ) {
            let grid = ChunkGrid::volumetric(Vec3::splat(sixty_fourths as f32 / 64.0)).unwrap();
            let coord = ChunkCoord::from(coord);
            prop_assert_eq!(grid.coord_at_precise(grid.min_corner_precise(coord)), Ok(coord));
        }

        #[test]
        fn a_grid_in_x_and_y_is_one_in_x_and_z_with_the_axes_exchanged(
            size in any::<[f32; 2]>(), position in any::<[f64; 3]>(), near in prop::array::uniform3(-1e9..1e9_f64),
            is_near: bool,
        ) {
            let [across, along] = size;
            let [x, y, z] = if is_near { near } else { position };
            let exchanged = |axis| match axis {
                Axis::X => Axis::X,
                Axis::Y => Axis::Z,
                Axis::Z => Axis::Y,
            };
            match (ChunkGrid::planar_xy_rect(across, along), ChunkGrid::planar_rect(across, along)) {
                (Ok(upright), Ok(ground)) => {
                    prop_assert_eq!(upright.plane(), Some(Plane::Xy));
                    let found = upright.coord_at_precise(DVec3::new(x, y, z));
                    match (found, ground.coord_at_precise(DVec3::new(x, z, y))) {
                        (Ok(found), Ok(expected)) => {
                            prop_assert_eq!(found, ChunkCoord::planar_xy(expected.x, expected.z));
                            let centre = ground.centre_precise(expected);
                            prop_assert_eq!(upright.centre_precise(found), DVec3::new(centre.x, centre.z, 0.0));
                            let corner = ground.min_corner_precise(expected);
                            prop_assert_eq!(upright.min_corner_precise(found), DVec3::new(corner.x, corner.z, 0.0));
                        }
                        (Err(found), Err(expected)) => {
                            prop_assert_eq!(found.axis, exchanged(expected.axis));
                            prop_assert_eq!(found.position.to_bits(), expected.position.to_bits());
                            prop_assert_eq!(found.kind, expected.kind);
                        }
                        (found, expected) => prop_assert!(false, "{found:?} {expected:?}"),
                    }
                }
                (Err(found), Err(expected)) => {
                    prop_assert_eq!(found.axis, exchanged(expected.axis));
                    prop_assert_eq!(found.kind, expected.kind);
                }
                (found, expected) => prop_assert!(false, "{found:?} {expected:?}"),
            }
        }

        #[test]
        fn single_precision_positions_are_placed_exactly(steps in -0x7fff_ff00..0x7fff_ff00_i32, size in 0.5_f32..600.0) {
            let position = steps as f32 / 256.0;
            let grid = ChunkGrid::planar(size).unwrap();
            let x = i64::from(grid.coord_at(Vec3::new(position, 0.0, 0.0)).unwrap().x);
            // 2⁻⁶⁴ units: every single-precision position and size above is a whole number of them.
            let whole = |value: f32| (f64::from(value) * 2.0_f64.powi(64)) as i128;
            let position = whole(position);
            prop_assert!(i128::from(x) * whole(size) <= position);
            prop_assert!(position < i128::from(x + 1) * whole(size));
        }
    }
}
