//! A footprint around a centre, as layers of rows.

use super::interval::Interval;
use super::isqrt::isqrt;
use crate::coord::{ChunkCoord, square};
use crate::footprint::Footprint;

/// A footprint around a centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PlacedFootprint {
    pub(crate) centre: ChunkCoord,
    pub(crate) footprint: Footprint,
}

impl PlacedFootprint {
    pub(crate) fn new(centre: ChunkCoord, footprint: Footprint) -> Self {
        Self { centre, footprint }
    }

    /// The layers (values of y) the footprint has.
    pub(crate) fn y_interval(&self) -> Interval {
        Interval::around(self.centre.y, self.footprint.half_extents()[1])
    }

    /// The part of the footprint that lies in layer `y`.
    #[inline]
    pub(crate) fn layer(&self, y: i32) -> Option<Layer> {
        let dy = y.abs_diff(self.centre.y);
        let [x, height, z] = self.footprint.half_extents();
        if dy > height {
            return None;
        }
        let outline = match self.footprint {
            Footprint::Disc { radius } | Footprint::Cylinder { radius, .. } => {
                Outline::Round(square(radius))
            }
            Footprint::DiscXy { radius } => Outline::Straight {
                x: isqrt(square(radius) - square(dy)),
                z: 0,
            },
            Footprint::Sphere { radius } => Outline::Round(square(radius) - square(dy)),
            Footprint::Cuboid { .. } => Outline::Straight { x, z },
        };
        Some(Layer {
            x: self.centre.x,
            z: self.centre.z,
            outline,
        })
    }

    /// The bounding box: the values of x, y and z.
    pub(crate) fn bounds(&self) -> Bounds {
        let [x, y, z] = self.footprint.half_extents();
        [
            Interval::around(self.centre.x, x),
            Interval::around(self.centre.y, y),
            Interval::around(self.centre.z, z),
        ]
    }

    /// An upper bound of the number of rows.
    pub(crate) fn max_rows(&self) -> u64 {
        let [_, y, z] = self.footprint.half_extents();
        (2 * u64::from(y) + 1).saturating_mul(2 * u64::from(z) + 1)
    }
}

/// A box of chunks: its values of x, y and z.
pub(crate) type Bounds = [Interval; 3];

/// Whether two boxes share a chunk.
#[inline]
pub(crate) fn do_meet(one: &Bounds, other: &Bounds) -> bool {
    one.iter()
        .zip(other)
        .all(|(one, other)| one.low <= other.high && other.low <= one.high)
}

/// One layer of a placed footprint: a disc or a rectangle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    x: i32,
    z: i32,
    outline: Outline,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outline {
    /// A disc, by its squared radius.
    Round(u64),
    /// A rectangle, by the number of chunks to either side.
    Straight { x: u32, z: u32 },
}

impl Layer {
    /// A disc of the given squared radius: one layer of a sphere.
    pub(crate) fn round(x: i32, z: i32, radius_sq: u64) -> Self {
        Self {
            x,
            z,
            outline: Outline::Round(radius_sq),
        }
    }

    /// The rows (values of z) the layer has.
    #[inline]
    pub(crate) fn z_interval(&self) -> Interval {
        let reach = match self.outline {
            Outline::Round(radius_sq) => isqrt(radius_sq),
            Outline::Straight { z, .. } => z,
        };
        Interval::around(self.z, reach)
    }

    /// The chunks (values of x) of row `z`.
    #[inline]
    pub(crate) fn x_interval(&self, z: i32) -> Option<Interval> {
        Some(Interval::around(self.x, self.half(z)?))
    }

    /// The chunks of row `z` that `other` does not have.
    #[inline]
    pub(crate) fn x_interval_minus(&self, z: i32, other: Option<&Self>) -> [Option<Interval>; 2] {
        let Some(half) = self.half(z) else {
            return [None; 2];
        };
        let others = other.and_then(|other| {
            // After a move along x one square root serves both rows.
            let is_alike = other.z == self.z && other.outline == self.outline;
            let half = if is_alike { Some(half) } else { other.half(z) };
            Some(Interval::around(other.x, half?))
        });
        Interval::around(self.x, half).minus(others)
    }

    /// How far row `z` reaches to either side.
    #[inline]
    fn half(&self, z: i32) -> Option<u32> {
        let dz = z.abs_diff(self.z);
        match self.outline {
            Outline::Round(radius_sq) => Some(isqrt(radius_sq.checked_sub(square(dz))?)),
            Outline::Straight { x, z } => (dz <= z).then_some(x),
        }
    }
}
