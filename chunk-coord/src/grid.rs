//! World units ↔ chunks.

mod errors;
#[cfg(test)]
mod tests;

use core::time::Duration;

use bevy_math::{DVec3, Vec3};
#[cfg(all(feature = "bevy_reflect", feature = "serde"))]
use bevy_reflect::prelude::{ReflectDeserialize, ReflectSerialize};

use crate::ChunkCoord;
pub use errors::{Axis, GridError, GridErrorKind, PositionError, PositionErrorKind};

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
#[cfg_attr(
    feature = "bevy_reflect",
    // Opaque, because a value put together field by field would go past the check in the constructor.
    derive(bevy_reflect::Reflect),
    reflect(opaque),
    reflect(Debug, PartialEq, Clone)
)]
#[cfg_attr(
    all(feature = "bevy_reflect", feature = "serde"),
    reflect(Serialize, Deserialize)
)]
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
        Self::planar_rect(size, size)
    }

    /// A grid of oblong chunks, `x` and `z` world units along these axes, unbounded along y.
    ///
    /// # Errors
    ///
    /// When a size is not finite or not above zero.
    pub fn planar_rect(x: f32, z: f32) -> Result<Self, GridError> {
        check(Axis::X, x)?;
        check(Axis::Z, z)?;
        Ok(Self {
            size: Vec3::new(x, 0.0, z),
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

    /// The chunk that contains `position`, in world units from the minimum corner of the chunk `origin`: for a world
    /// whose origin follows the viewer.
    ///
    /// # Errors
    ///
    /// As [`coord_at`](Self::coord_at), and when the chunk is further from `origin` than an `i32` can count.
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

    /// The chunk that something at `position` (world units) will be in after `horizon` if it keeps its
    /// `velocity` (world units per second): the far end of the way that
    /// [`look_ahead_sq`](crate::look_ahead_sq) measures from.
    ///
    /// A horizon of about as long as it takes from wanting a chunk to seeing it puts what a fast viewer is
    /// about to reach first; twice as long leaves its sides bare.
    ///
    /// ```
    /// use bevy_math::Vec3;
    /// use chunk_coord::{ChunkCoord, ChunkGrid, look_ahead_sq};
    /// use core::time::Duration;
    ///
    /// let grid = ChunkGrid::planar(16.0)?;
    /// let (position, velocity) = (Vec3::new(8.0, 90.0, 8.0), Vec3::new(80.0, 0.0, 0.0));
    /// let here = grid.coord_at(position)?;
    /// let ahead = grid.coord_ahead(position, velocity, Duration::from_secs(2))?;
    /// assert_eq!(ahead, ChunkCoord::planar(10, 0));
    /// // What is eight chunks ahead comes before what is three chunks behind.
    /// let rank = |coord| look_ahead_sq(here, ahead, coord);
    /// assert!(rank(ChunkCoord::planar(8, 0)) < rank(ChunkCoord::planar(-3, 0)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`coord_at`](Self::coord_at), for where the way ends.
    pub fn coord_ahead(
        &self,
        position: Vec3,
        velocity: Vec3,
        horizon: Duration,
    ) -> Result<ChunkCoord, PositionError> {
        self.coord_ahead_precise(position.as_dvec3(), velocity.as_dvec3(), horizon)
    }

    /// As [`coord_ahead`](Self::coord_ahead), for worlds too big for single precision.
    ///
    /// # Errors
    ///
    /// As [`coord_ahead`](Self::coord_ahead).
    pub fn coord_ahead_precise(
        &self,
        position: DVec3,
        velocity: DVec3,
        horizon: Duration,
    ) -> Result<ChunkCoord, PositionError> {
        self.coord_at_precise(position + velocity * horizon.as_secs_f64())
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
