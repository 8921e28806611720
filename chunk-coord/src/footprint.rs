//! Shapes of chunks around a centre, as layers of rows.

use crate::ChunkCoord;
use crate::span::{Span, reach};

/// A shape of chunks around the chunk a viewer is in. All lengths are in chunks.
///
/// Every shape is convex and symmetrical along each axis, and always contains its centre. Where a shape
/// reaches over an end of the `i32` range, the part outside does not exist.
///
/// ```
/// use chunk_coord::{ChunkCoord, Footprint};
///
/// let disc = Footprint::Disc { radius: 5 };
/// assert!(disc.contains(ChunkCoord::ORIGIN, ChunkCoord::planar(3, -4)));
/// assert!(!disc.contains(ChunkCoord::ORIGIN, ChunkCoord::planar(4, -4)));
/// assert!(!disc.contains(ChunkCoord::ORIGIN, ChunkCoord::new(0, 1, 0)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Footprint {
    /// Chunks of the centre's own layer whose distance is at most `radius`: planar worlds.
    Disc {
        /// The largest distance from the centre.
        radius: u32,
    },
    /// Chunks whose distance is at most `radius`.
    Sphere {
        /// The largest distance from the centre.
        radius: u32,
    },
    /// A disc, repeated over the layers up to `half_height` above and below the centre.
    Cylinder {
        /// The largest distance from the axis.
        radius: u32,
        /// The number of layers above the centre's, and below it.
        half_height: u32,
    },
    /// A box that reaches `half_extents` chunks from the centre along x, y and z, both ways.
    Cuboid {
        /// The number of chunks to either side of the centre along x, y and z.
        half_extents: [u32; 3],
    },
}

impl Footprint {
    /// Whether the shape around `centre` contains `coord`.
    #[inline]
    #[must_use]
    pub fn contains(&self, centre: ChunkCoord, coord: ChunkCoord) -> bool {
        self.holds(
            coord.x.abs_diff(centre.x),
            coord.y.abs_diff(centre.y),
            coord.z.abs_diff(centre.z),
        )
    }

    /// The number of chunks to either side of the centre that the shape reaches along x, y and z.
    #[must_use]
    pub const fn half_extents(&self) -> [u32; 3] {
        match *self {
            Self::Disc { radius } => [radius, 0, radius],
            Self::Sphere { radius } => [radius; 3],
            Self::Cylinder {
                radius,
                half_height,
            } => [radius, half_height, radius],
            Self::Cuboid { half_extents } => half_extents,
        }
    }

    /// Whether the shape contains the whole of `other` around the same centre.
    ///
    /// Exact, and without counting: the shapes are convex, so it is enough to look at the outermost
    /// chunks of `other`.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match *other {
            Self::Disc { radius } => self.covers_round(radius, 0),
            Self::Cylinder {
                radius,
                half_height,
            } => self.covers_round(radius, half_height),
            Self::Sphere { radius } => match *self {
                // A sphere touches its bounding box on each face, and bulges nowhere outside the
                // cylinder of the same radius.
                Self::Sphere { radius: own } => own >= radius,
                _ => {
                    let [x, y, z] = self.half_extents();
                    x.min(y).min(z) >= radius
                }
            },
            Self::Cuboid {
                half_extents: [x, y, z],
            } => self.holds(x, y, z),
        }
    }

    /// The squared distance of the outermost chunk from the centre, in chunks²; saturating.
    pub(crate) fn outermost_sq(&self) -> u64 {
        let square = |value: u32| u64::from(value) * u64::from(value);
        match *self {
            Self::Disc { radius } | Self::Sphere { radius } => square(radius),
            Self::Cylinder {
                radius,
                half_height,
            } => square(radius).saturating_add(square(half_height)),
            Self::Cuboid {
                half_extents: [x, y, z],
            } => square(x)
                .saturating_add(square(y))
                .saturating_add(square(z)),
        }
    }

    /// Whether the shape contains an upright cylinder; a disc is one without height.
    fn covers_round(&self, radius: u32, half_height: u32) -> bool {
        match *self {
            Self::Cuboid {
                half_extents: [x, y, z],
            } => x >= radius && y >= half_height && z >= radius,
            // The others are round about the same axis: the rim at one bearing stands for all of it.
            _ => self.holds(radius, half_height, 0),
        }
    }

    /// Whether the shape contains the chunk at these absolute offsets from its centre.
    #[inline]
    fn holds(&self, x: u32, y: u32, z: u32) -> bool {
        match *self {
            Self::Cuboid {
                half_extents: [own_x, own_y, own_z],
            } => x <= own_x && y <= own_y && z <= own_z,
            Self::Disc { radius } => y == 0 && within(radius, x, z, 0),
            Self::Sphere { radius } => within(radius, x, z, y),
            Self::Cylinder {
                radius,
                half_height,
            } => y <= half_height && within(radius, x, z, 0),
        }
    }
}

/// Whether x² + z² + y² ≤ radius², without overflow.
#[inline]
fn within(radius: u32, x: u32, z: u32, y: u32) -> bool {
    let square = |value: u32| u64::from(value) * u64::from(value);
    square(radius)
        .checked_sub(square(x))
        .and_then(|rest| rest.checked_sub(square(z)))
        .is_some_and(|rest| rest >= square(y))
}

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

    /// The layers the footprint has, bottom first.
    pub(crate) fn layers(&self) -> Span {
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

    /// Whether the bounding boxes of two footprints share a chunk.
    pub(crate) fn may_touch(&self, other: &Self) -> bool {
        let apart = [
            self.centre.x.abs_diff(other.centre.x),
            self.centre.y.abs_diff(other.centre.y),
            self.centre.z.abs_diff(other.centre.z),
        ];
        let own = self.footprint.half_extents();
        let others = other.footprint.half_extents();
        (0..3).all(|axis| u64::from(apart[axis]) <= u64::from(own[axis]) + u64::from(others[axis]))
    }

    /// How many rows the footprint has at most, for estimates.
    pub(crate) fn rows_at_most(&self) -> u64 {
        let [_, y, z] = self.footprint.half_extents();
        (2 * u64::from(y) + 1).saturating_mul(2 * u64::from(z) + 1)
    }
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
    pub(crate) fn rows(&self) -> Span {
        let reach = match self.outline {
            Outline::Round(square) => reach(square),
            Outline::Straight { z, .. } => z,
        };
        Span::around(self.z, reach)
    }

    /// The chunks (values of x) of row `z`.
    #[inline]
    pub(crate) fn row(&self, z: i32) -> Option<Span> {
        Some(Span::around(self.x, self.half(z)?))
    }

    /// The chunks of row `z` that `other` does not have.
    #[inline]
    pub(crate) fn row_minus(&self, z: i32, other: Option<&Self>) -> [Option<Span>; 2] {
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
                Some(reach(square.checked_sub(u64::from(dz) * u64::from(dz))?))
            }
            Outline::Straight { x, z } => (dz <= z).then_some(x),
        }
    }
}
