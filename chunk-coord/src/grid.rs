//! World units ↔ chunks.

use core::fmt;

use bevy_math::{DVec3, Vec3};

use crate::ChunkCoord;

/// How big a chunk is, and so which chunk a position lies in.
///
/// Chunk (0, 0, 0) has its minimum corner at the world's origin. A chunk owns its minimum faces and not
/// its maximum ones, so every position lies in exactly one chunk. A planar grid ignores the y axis.
///
/// ```
/// use bevy_math::Vec3;
/// use chunk_coord::{ChunkCoord, ChunkGrid};
///
/// let grid = ChunkGrid::planar(16.0)?;
/// assert_eq!(grid.coord_at(Vec3::new(-0.5, 80.0, 16.0))?, ChunkCoord::planar(-1, 1));
/// assert_eq!(grid.centre(ChunkCoord::planar(-1, 1)), Vec3::new(-8.0, 0.0, 24.0));
/// assert!(grid.coord_at(Vec3::NAN).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChunkGrid {
    /// Finite and positive, except that `y` is 0 exactly when the grid is planar.
    size: Vec3,
}

impl ChunkGrid {
    /// A grid of square chunks, `size` world units along x and z, unbounded along y.
    ///
    /// # Errors
    ///
    /// When `size` is not finite or not above zero.
    pub fn planar(size: f32) -> Result<Self, GridError> {
        check(Axis::X, size)?;
        Ok(Self {
            size: Vec3::new(size, 0.0, size),
        })
    }

    /// A grid of boxes, `size` world units along each axis.
    ///
    /// # Errors
    ///
    /// When a component of `size` is not finite or not above zero.
    pub fn volumetric(size: Vec3) -> Result<Self, GridError> {
        check(Axis::X, size.x)?;
        check(Axis::Y, size.y)?;
        check(Axis::Z, size.z)?;
        Ok(Self { size })
    }

    /// The size of a chunk in world units; `y` is 0 in a planar grid.
    #[must_use]
    pub fn size(&self) -> Vec3 {
        self.size
    }

    /// Whether the grid ignores the y axis.
    #[must_use]
    pub fn is_planar(&self) -> bool {
        self.size.y == 0.0
    }

    /// The chunk that contains `position` (world units).
    ///
    /// Exact: the position is divided in double precision, so a position just below a border is never
    /// rounded across it.
    ///
    /// # Errors
    ///
    /// When a coordinate that counts is not finite, or lies outside the chunks an `i32` can count.
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
        let planar = self.is_planar();
        let quotient = if planar {
            DVec3::new(position.x / size.x, 0.0, position.z / size.z)
        } else {
            position / size
        };
        let mut floor = quotient.floor();
        if floor.cmpeq(quotient).any() {
            // The quotient is whole, or was rounded up to a whole number from just below it. The fused
            // product does not round before the comparison, so it tells which.
            let excess = floor.mul_add(size, -position);
            for axis in 0..3 {
                if floor[axis] == quotient[axis] && excess[axis] > 0.0 && !(planar && axis == 1) {
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
            if planar {
                0
            } else {
                axis(Axis::Y, floor.y, position.y)?
            },
            axis(Axis::Z, floor.z, position.z)?,
        ))
    }

    /// The minimum corner of a chunk, in world units, rounded to single precision.
    #[must_use]
    pub fn min_corner(&self, coord: ChunkCoord) -> Vec3 {
        self.min_corner_precise(coord).as_vec3()
    }

    /// The middle of a chunk, in world units, rounded to single precision; `y` is 0 in a planar grid.
    #[must_use]
    pub fn centre(&self, coord: ChunkCoord) -> Vec3 {
        self.centre_precise(coord).as_vec3()
    }

    /// The minimum corner of a chunk, in world units.
    ///
    /// Exact for every chunk when the size has at most 22 significant bits (every multiple of 1/64 up to
    /// 65,536 has); otherwise within one rounding of double precision.
    #[must_use]
    pub fn min_corner_precise(&self, coord: ChunkCoord) -> DVec3 {
        DVec3::new(f64::from(coord.x), f64::from(coord.y), f64::from(coord.z))
            * self.size.as_dvec3()
    }

    /// The middle of a chunk, in world units; `y` is 0 in a planar grid.
    #[must_use]
    pub fn centre_precise(&self, coord: ChunkCoord) -> DVec3 {
        self.min_corner_precise(coord) + self.size.as_dvec3() * 0.5
    }
}

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
    Ok(())
}

/// An axis of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// Across.
    X,
    /// Up.
    Y,
    /// Along.
    Z,
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Z => "z",
        })
    }
}

/// A chunk size that makes no grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridError {
    /// The axis whose size was refused.
    pub axis: Axis,
    /// The size that was refused, in world units.
    pub size: f32,
    /// Why.
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
}

impl fmt::Display for GridError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { axis, size, kind } = self;
        let why = match kind {
            GridErrorKind::NotFinite => "is not finite",
            GridErrorKind::NotPositive => "is not above zero",
        };
        write!(f, "the chunk size along {axis}, {size}, {why}")
    }
}

impl core::error::Error for GridError {}

/// A position that lies in no chunk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PositionError {
    /// The axis along which there is no chunk.
    pub axis: Axis,
    /// The position along that axis, in world units.
    pub position: f64,
    /// Why.
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
mod tests;
