//! The integer coordinates of a chunk.

use alloc::string::String;
#[cfg(all(feature = "bevy_ecs", feature = "bevy_reflect"))]
use bevy_ecs::reflect::ReflectComponent;
#[cfg(feature = "bevy_reflect")]
use bevy_reflect::prelude::ReflectDefault;
#[cfg(all(feature = "bevy_reflect", feature = "serde"))]
use bevy_reflect::prelude::{ReflectDeserialize, ReflectSerialize};
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};
use core::str::FromStr;

use crate::plane::Plane;

/// The integer coordinates of one chunk, in chunks along each axis.
///
/// In a planar world the coordinate along the axis that the grid ignores is 0: `y` of [`planar`](Self::planar) and `z` of
/// [`planar_xy`](Self::planar_xy). Coordinates cover the whole `i32` range on every axis; each operation that
/// could leave it says what it does instead.
///
/// # Order
///
/// Coordinates are ordered by layer (`y`), then by row (`z`), then by `x`. Every order by distance in this
/// crate breaks its ties by this order.
///
/// ```
/// use chunk_coord::ChunkCoord;
///
/// let here = ChunkCoord::new(3, 0, -4);
/// assert_eq!(here.distance_sq(ChunkCoord::ORIGIN), 25);
/// assert!(ChunkCoord::new(9, 0, 0) < ChunkCoord::new(0, 0, 1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "bevy_ecs", derive(bevy_ecs::component::Component))]
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(Debug, PartialEq, Hash, Default, Clone)
)]
#[cfg_attr(
    all(feature = "bevy_ecs", feature = "bevy_reflect"),
    reflect(Component)
)]
#[cfg_attr(
    all(feature = "bevy_reflect", feature = "serde"),
    reflect(Serialize, Deserialize)
)]
pub struct ChunkCoord {
    /// Chunks along the world's x axis.
    pub x: i32,
    /// Chunks along the world's y axis (up). 0 in the plane of x and z.
    pub y: i32,
    /// Chunks along the world's z axis. 0 in the plane of x and y.
    pub z: i32,
}

impl ChunkCoord {
    /// The chunk whose minimum corner is the world's origin.
    pub const ORIGIN: Self = Self::new(0, 0, 0);

    /// The chunk at `x`, `y`, `z`.
    #[inline]
    #[must_use]
    pub const fn new(x: i32, y: i32, z: i32) -> Self {
        Self { x, y, z }
    }

    /// The chunk at `x`, `z` of a planar world, whose grid is [`ChunkGrid::planar`](crate::ChunkGrid::planar).
    #[inline]
    #[must_use]
    pub const fn planar(x: i32, z: i32) -> Self {
        Self::new(x, 0, z)
    }

    /// The chunk at `x`, `y` of a 2-D world, whose grid is [`ChunkGrid::planar_xy`](crate::ChunkGrid::planar_xy).
    #[inline]
    #[must_use]
    pub const fn planar_xy(x: i32, y: i32) -> Self {
        Self::new(x, y, 0)
    }

    /// The squared distance between two chunks, in chunks².
    ///
    /// Exact whenever no axis differs by more than 2³¹; saturates at [`u64::MAX`] where the sum does not
    /// fit a `u64`.
    #[inline]
    #[must_use]
    pub const fn distance_sq(self, other: Self) -> u64 {
        // Only the sums can overflow.
        square(self.x.abs_diff(other.x))
            .saturating_add(square(self.y.abs_diff(other.y)))
            .saturating_add(square(self.z.abs_diff(other.z)))
    }

    /// The chunk `x`, `y`, `z` chunks away, or `None` where an axis would leave the `i32` range.
    #[inline]
    #[must_use]
    pub const fn checked_offset(self, x: i32, y: i32, z: i32) -> Option<Self> {
        match (
            self.x.checked_add(x),
            self.y.checked_add(y),
            self.z.checked_add(z),
        ) {
            (Some(x), Some(y), Some(z)) => Some(Self::new(x, y, z)),
            _ => None,
        }
    }

    /// The chunk `x`, `y`, `z` chunks away; each axis stops at the end of the `i32` range.
    #[inline]
    #[must_use]
    pub const fn saturating_offset(self, x: i32, y: i32, z: i32) -> Self {
        Self::new(
            self.x.saturating_add(x),
            self.y.saturating_add(y),
            self.z.saturating_add(z),
        )
    }

    /// The four chunks that share a side with this one in a planar world, in coordinate order.
    ///
    /// Fewer at the ends of the `i32` range.
    pub fn planar_neighbours(self, plane: Plane) -> impl Iterator<Item = Self> {
        [(0, -1), (-1, 0), (1, 0), (0, 1)].into_iter().filter_map(
            move |(across, along)| match plane {
                Plane::Xz => self.checked_offset(across, 0, along),
                Plane::Xy => self.checked_offset(across, along, 0),
            },
        )
    }

    /// The six chunks that share a face with this one, in coordinate order.
    ///
    /// Fewer at the ends of the `i32` range.
    pub fn face_neighbours(self) -> impl Iterator<Item = Self> {
        (self.all_neighbours()).filter(move |neighbour| self.distance_sq(*neighbour) == 1)
    }

    /// The 26 chunks that share a face, an edge or a corner with this one, in coordinate order.
    ///
    /// Fewer at the ends of the `i32` range.
    pub fn all_neighbours(self) -> impl Iterator<Item = Self> {
        (0..27)
            .filter(|&index| index != 13)
            .filter_map(move |index| {
                self.checked_offset(index % 3 - 1, index / 9 - 1, index / 3 % 3 - 1)
            })
    }
}

impl Ord for ChunkCoord {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        (self.y, self.z, self.x).cmp(&(other.y, other.z, other.x))
    }
}

impl PartialOrd for ChunkCoord {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for ChunkCoord {
    /// Writes two numbers to the hasher instead of three, which saves `ahash` one round per look-up.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state
            .write_u64(u64::from(self.x.cast_unsigned()) << 32 | u64::from(self.z.cast_unsigned()));
        state.write_u32(self.y.cast_unsigned());
    }
}

impl fmt::Debug for ChunkCoord {
    /// Prints `(x, y, z)` without the name of the type, to keep logs short.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {}, {})", self.x, self.y, self.z)
    }
}

impl fmt::Display for ChunkCoord {
    /// Prints `x,y,z`, which [`FromStr`] reads and which may be the name of a file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.x, self.y, self.z)
    }
}

impl FromStr for ChunkCoord {
    type Err = ParseCoordError;

    /// Reads three integers with commas between them, as `Display` writes them.
    fn from_str(text: &str) -> Result<Self, ParseCoordError> {
        let mut parts = text.split(',').map(str::parse);
        match [parts.next(), parts.next(), parts.next(), parts.next()] {
            [Some(Ok(x)), Some(Ok(y)), Some(Ok(z)), None] => Ok(Self::new(x, y, z)),
            _ => Err(ParseCoordError(text.into())),
        }
    }
}

/// The text that is no [`ChunkCoord`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseCoordError(String);

impl fmt::Display for ParseCoordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no chunk: it must be three integers such as 3,0,-7",
            self.0
        )
    }
}

impl core::error::Error for ParseCoordError {}

impl From<[i32; 3]> for ChunkCoord {
    fn from([x, y, z]: [i32; 3]) -> Self {
        Self::new(x, y, z)
    }
}

impl From<ChunkCoord> for [i32; 3] {
    fn from(coord: ChunkCoord) -> Self {
        [coord.x, coord.y, coord.z]
    }
}

impl From<bevy_math::IVec3> for ChunkCoord {
    fn from(vector: bevy_math::IVec3) -> Self {
        Self::new(vector.x, vector.y, vector.z)
    }
}

impl From<ChunkCoord> for bevy_math::IVec3 {
    fn from(coord: ChunkCoord) -> Self {
        Self::new(coord.x, coord.y, coord.z)
    }
}

/// The square of a difference between two coordinates, which always fits.
#[inline]
pub(crate) const fn square(value: u32) -> u64 {
    value as u64 * value as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::ToString, vec::Vec};

    #[test]
    fn a_coordinate_is_read_as_it_is_written_and_nothing_else_is() {
        for coord in [
            ChunkCoord::new(3, 0, -7),
            ChunkCoord::new(i32::MAX, i32::MIN, 0),
        ] {
            assert_eq!(coord.to_string().parse(), Ok(coord));
        }
        for text in [
            "",
            "3,0",
            "3,0,-7,1",
            "3, 0, -7",
            "3,0,2147483648",
            "(3,0,-7)",
            "3,0,x",
        ] {
            let error = text.parse::<ChunkCoord>().expect_err(text).to_string();
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn neighbours_come_in_coordinate_order_and_stop_at_the_ends() {
        let planar = |plane| Vec::from_iter(ChunkCoord::ORIGIN.planar_neighbours(plane));
        assert!(planar(Plane::Xz).iter().all(|coord| coord.y == 0));
        assert!(planar(Plane::Xy).iter().all(|coord| coord.z == 0));
        for (found, expected) in [
            (planar(Plane::Xz), 4),
            (planar(Plane::Xy), 4),
            (ChunkCoord::ORIGIN.face_neighbours().collect(), 6),
            (ChunkCoord::ORIGIN.all_neighbours().collect(), 26),
        ] {
            assert_eq!(found.len(), expected);
            assert!(found.is_sorted());
            assert!(!found.contains(&ChunkCoord::ORIGIN));
        }
        let end = ChunkCoord::new(i32::MAX, i32::MIN, i32::MAX);
        assert_eq!(end.all_neighbours().count(), 7);
    }

    #[test]
    fn distance_is_exact_to_the_ends_of_the_range_and_saturates_beyond_64_bits() {
        let low = ChunkCoord::planar(i32::MIN, 0);
        let high = ChunkCoord::planar(i32::MAX, 0);
        assert_eq!(low.distance_sq(high), square(u32::MAX));
        let corner = ChunkCoord::new(i32::MAX, i32::MAX, i32::MAX);
        let opposite = ChunkCoord::new(i32::MIN, i32::MIN, i32::MIN);
        assert_eq!(corner.distance_sq(opposite), u64::MAX);
    }

    #[test]
    fn offsets_stop_at_the_ends_of_the_range_or_say_that_they_leave_it() {
        let end = ChunkCoord::new(i32::MAX, i32::MIN, i32::MAX);
        assert_eq!(end.saturating_offset(1, -1, 5), end);
        assert_eq!(end.checked_offset(0, -1, 0), None);
        assert_eq!(
            end.checked_offset(-1, 1, 0),
            Some(ChunkCoord::new(i32::MAX - 1, i32::MIN + 1, i32::MAX))
        );
    }
}
