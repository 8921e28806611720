//! Shapes of chunks around a centre. A new shape also needs its rows (`rows/placed_footprint`), its rings (`rows/rings`) and a
//! constructor of a range (`range`); the compiler names the places.

#[cfg(all(feature = "bevy_reflect", feature = "serde"))]
use bevy_reflect::prelude::{ReflectDeserialize, ReflectSerialize};

use crate::coord::{ChunkCoord, square};

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
            Self::Sphere { radius } => [radius; 3],
            Self::Cylinder {
                radius,
                half_height,
            } => [radius, half_height, radius],
            Self::Cuboid { half_extents } => half_extents,
        }
    }

    /// The part of the shape in the centre's own layer.
    #[must_use]
    pub const fn own_layer(&self) -> Self {
        match *self {
            Self::Disc { radius } | Self::Sphere { radius } | Self::Cylinder { radius, .. } => {
                Self::Disc { radius }
            }
            Self::Cuboid {
                half_extents: [x, _, z],
            } => Self::Cuboid {
                half_extents: [x, 0, z],
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
            Self::Disc { radius } | Self::Cylinder { radius, .. } => match *self {
                Self::Cuboid { .. } => self.has_offset(x, y, z),
                // Both are round about the same axis: the rim at one bearing stands for all of it.
                _ => self.has_offset(radius, y, 0),
            },
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
            Self::Sphere { radius } => square(radius),
            _ => (self.outermost_flat_sq()).saturating_add(square(self.half_extents()[1])),
        }
    }

    /// The squared distance of the outermost chunk from the axis through the centre, in chunks²; saturating.
    pub(crate) fn outermost_flat_sq(&self) -> u64 {
        match *self {
            Self::Disc { radius } | Self::Sphere { radius } | Self::Cylinder { radius, .. } => {
                square(radius)
            }
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
