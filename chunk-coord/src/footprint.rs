//! Shapes of chunks around a centre. A new shape also needs its rows (`rows/placed_footprint`), its rings (`rows/rings`) and a
//! constructor of a range (`range`); the compiler names the places.

#[cfg(all(feature = "bevy_reflect", feature = "serde"))]
use bevy_reflect::prelude::{ReflectDeserialize, ReflectSerialize};

use crate::coord::{ChunkCoord, square};
use crate::plane::Plane;

/// A shape of chunks around the chunk a viewer is in. All lengths are in chunks.
///
/// Every shape is convex and symmetrical along each axis, and contains its centre. Where a shape reaches over
/// an end of the `i32` range, the part outside does not exist.
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
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(Debug, PartialEq, Hash, Clone)
)]
#[cfg_attr(
    all(feature = "bevy_reflect", feature = "serde"),
    reflect(Serialize, Deserialize)
)]
pub enum Footprint {
    /// Chunks with the centre's own y whose distance is at most `radius`: the ground of a planar world. In a 2-D grid a
    /// range of discs is one of [`DiscXy`](Self::DiscXy); [`ViewRange::in_grid`](crate::ViewRange::in_grid) turns it.
    Disc {
        /// The largest distance from the centre.
        radius: u32,
    },
    /// Chunks with the centre's own z whose distance is at most `radius`: 2-D worlds, and a slice of a volumetric one.
    DiscXy {
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
        self.has_offset(
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
            Self::DiscXy { radius } => [radius, radius, 0],
            Self::Sphere { radius } => [radius; 3],
            Self::Cylinder {
                radius,
                half_height,
            } => [radius, half_height, radius],
            Self::Cuboid { half_extents } => half_extents,
        }
    }

    /// The shape in a grid of one layer: the disc of its radius in that plane, or the part of a box that lies in it.
    #[must_use]
    pub const fn in_plane(&self, plane: Plane) -> Self {
        match (*self, plane) {
            (
                Self::Disc { radius }
                | Self::DiscXy { radius }
                | Self::Sphere { radius }
                | Self::Cylinder { radius, .. },
                plane,
            ) => match plane {
                Plane::Xz => Self::Disc { radius },
                Plane::Xy => Self::DiscXy { radius },
            },
            (Self::Cuboid { half_extents }, plane) => {
                let [x, y, z] = half_extents;
                let half_extents = match plane {
                    Plane::Xz => [x, 0, z],
                    Plane::Xy => [x, y, 0],
                };
                Self::Cuboid { half_extents }
            }
        }
    }

    /// The same shape with all of its lengths longer by `band`, as far as they can be counted.
    pub(crate) const fn widened(&self, band: u32) -> Self {
        match *self {
            Self::Disc { radius } => Self::Disc {
                radius: radius.saturating_add(band),
            },
            Self::DiscXy { radius } => Self::DiscXy {
                radius: radius.saturating_add(band),
            },
            Self::Sphere { radius } => Self::Sphere {
                radius: radius.saturating_add(band),
            },
            Self::Cylinder {
                radius,
                half_height,
            } => Self::Cylinder {
                radius: radius.saturating_add(band),
                half_height: half_height.saturating_add(band),
            },
            Self::Cuboid {
                half_extents: [x, y, z],
            } => Self::Cuboid {
                half_extents: [
                    x.saturating_add(band),
                    y.saturating_add(band),
                    z.saturating_add(band),
                ],
            },
        }
    }

    /// Whether the shape contains the whole of `other` around the same centre.
    ///
    /// Exact, and without counting: the shapes are convex, so the outermost chunks of `other` decide.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let [x, y, z] = other.half_extents();
        match *other {
            // Of what is round about an axis, the rim at the bearings of the two other axes stands for all of it: any
            // shape that contains these four bearings contains the circle, whose bounding box they touch.
            Self::Disc { radius } | Self::Cylinder { radius, .. } => {
                self.has_offset(radius, y, 0) && self.has_offset(0, y, radius)
            }
            Self::DiscXy { radius } => {
                self.has_offset(radius, 0, 0) && self.has_offset(0, radius, 0)
            }
            Self::Sphere { radius } => match *self {
                Self::Sphere { radius: own } => own >= radius,
                // A sphere touches its bounding box on each face, and lies within the cylinder of the same
                // radius.
                _ => self.half_extents().into_iter().all(|own| own >= radius),
            },
            Self::Cuboid { .. } => self.has_offset(x, y, z),
        }
    }

    /// The squared distance of the outermost chunk from the centre, in chunks²; saturating.
    pub(crate) fn outermost_sq(&self) -> u64 {
        match *self {
            Self::Sphere { radius } | Self::DiscXy { radius } => square(radius),
            _ => (self.outermost_flat_sq()).saturating_add(square(self.half_extents()[1])),
        }
    }

    /// The squared distance of the outermost chunk from the upright axis through the centre, in chunks²; saturating.
    pub(crate) fn outermost_flat_sq(&self) -> u64 {
        match *self {
            Self::Disc { radius }
            | Self::DiscXy { radius }
            | Self::Sphere { radius }
            | Self::Cylinder { radius, .. } => square(radius),
            Self::Cuboid {
                half_extents: [x, _, z],
            } => square(x).saturating_add(square(z)),
        }
    }

    /// Whether the shape contains the chunk at these absolute offsets from its centre.
    #[inline]
    fn has_offset(&self, x: u32, y: u32, z: u32) -> bool {
        let flat_sq = square(x).saturating_add(square(z));
        match *self {
            Self::Cuboid {
                half_extents: [own_x, own_y, own_z],
            } => x <= own_x && y <= own_y && z <= own_z,
            Self::Disc { radius } => y == 0 && flat_sq <= square(radius),
            Self::DiscXy { radius } => {
                z == 0 && square(x).saturating_add(square(y)) <= square(radius)
            }
            Self::Sphere { radius } => flat_sq.saturating_add(square(y)) <= square(radius),
            Self::Cylinder {
                radius,
                half_height,
            } => y <= half_height && flat_sq <= square(radius),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use core::ops::Range;
    use proptest::prelude::*;

    /// A footprint of any shape whose lengths are in `lengths`.
    pub(crate) fn footprints(lengths: Range<u32>) -> impl Strategy<Value = Footprint> {
        let length = move || lengths.clone();
        prop_oneof![
            length().prop_map(|radius| Footprint::Disc { radius }),
            length().prop_map(|radius| Footprint::DiscXy { radius }),
            length().prop_map(|radius| Footprint::Sphere { radius }),
            (length(), length()).prop_map(|(radius, half_height)| Footprint::Cylinder {
                radius,
                half_height
            }),
            [length(), length(), length()]
                .prop_map(|half_extents| Footprint::Cuboid { half_extents }),
        ]
    }
}
