//! Footprints in their places, as layers of rows.

use crate::root::root;
use crate::span::Span;
use crate::{ChunkCoord, Footprint};

/// A footprint around its centre: where it is walked, layer by layer and row by row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) centre: ChunkCoord,
    pub(crate) footprint: Footprint,
}

impl Placed {
    pub(crate) fn new(centre: ChunkCoord, footprint: Footprint) -> Self {
        Self { centre, footprint }
    }

    /// The layers (values of y) the footprint has.
    pub(crate) fn y_span(&self) -> Span {
        Span::around(self.centre.y, self.footprint.half_extents()[1])
    }

    /// The part of the footprint that lies in layer `y`.
    #[inline]
    pub(crate) fn layer(&self, y: i32) -> Option<Layer> {
        let dy = y.abs_diff(self.centre.y);
        let square = |value: u32| u64::from(value) * u64::from(value);
        let outline = match self.footprint {
            Footprint::Disc { radius } if dy == 0 => Outline::Round(square(radius)),
            Footprint::Cylinder {
                radius,
                half_height,
            } if dy <= half_height => Outline::Round(square(radius)),
            Footprint::Sphere { radius } if dy <= radius => {
                Outline::Round(square(radius) - square(dy))
            }
            Footprint::Cuboid {
                half_extents: [x, height, z],
            } if dy <= height => Outline::Straight { x, z },
            _ => return None,
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
            Span::around(self.centre.x, x),
            Span::around(self.centre.y, y),
            Span::around(self.centre.z, z),
        ]
    }

    /// How many rows the footprint has at most, for estimates.
    pub(crate) fn rows_at_most(&self) -> u64 {
        let [_, y, z] = self.footprint.half_extents();
        (2 * u64::from(y) + 1).saturating_mul(2 * u64::from(z) + 1)
    }
}

/// A box of chunks: its values of x, y and z.
pub(crate) type Bounds = [Span; 3];

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
    /// The squared radius.
    Round(u64),
    Straight {
        x: u32,
        z: u32,
    },
}

impl Layer {
    /// A disc of the given squared radius: what a sphere's shell shows in one layer.
    pub(crate) fn round(x: i32, z: i32, radius_sq: u64) -> Self {
        Self {
            x,
            z,
            outline: Outline::Round(radius_sq),
        }
    }

    /// The rows (values of z) the layer has.
    #[inline]
    pub(crate) fn z_span(&self) -> Span {
        let reach = match self.outline {
            Outline::Round(square) => root(square),
            Outline::Straight { z, .. } => z,
        };
        Span::around(self.z, reach)
    }

    /// The chunks (values of x) of row `z`.
    #[inline]
    pub(crate) fn x_span(&self, z: i32) -> Option<Span> {
        Some(Span::around(self.x, self.half(z)?))
    }

    /// The chunks of row `z` that `other` does not have.
    #[inline]
    pub(crate) fn x_span_minus(&self, z: i32, other: Option<&Self>) -> [Option<Span>; 2] {
        let Some(half) = self.half(z) else {
            return [None; 2];
        };
        let others = other.and_then(|other| {
            // A viewer that moves along x: one root serves both rows.
            let is_alike = other.z == self.z && other.outline == self.outline;
            let half = if is_alike { Some(half) } else { other.half(z) };
            Some(Span::around(other.x, half?))
        });
        Span::around(self.x, half).minus(others)
    }

    /// How far row `z` reaches to either side.
    #[inline]
    fn half(&self, z: i32) -> Option<u32> {
        let dz = z.abs_diff(self.z);
        match self.outline {
            Outline::Round(square) => {
                Some(root(square.checked_sub(u64::from(dz) * u64::from(dz))?))
            }
            Outline::Straight { x, z } => (dz <= z).then_some(x),
        }
    }
}
