//! What a viewer wants around itself.

use core::fmt;

use crate::{ChunkCoord, Footprint};

/// The footprint in which chunks are loaded, and the one outside which they are unloaded.
///
/// A chunk becomes wanted when it enters the load footprint and stops being wanted when it leaves the
/// unload footprint. The band between the two is the hysteresis: a viewer that moves to and fro inside
/// it changes nothing.
///
/// ```
/// use chunk_coord::{Footprint, ViewRange};
///
/// let range = ViewRange::disc(12, 14)?;
/// assert_eq!(range.load(), Footprint::Disc { radius: 12 });
/// assert!(ViewRange::disc(12, 11).is_err());
/// # Ok::<(), chunk_coord::ViewRangeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ViewRange {
    /// Covered by `unload`.
    load: Footprint,
    unload: Footprint,
}

impl ViewRange {
    /// A range of any two shapes.
    ///
    /// # Errors
    ///
    /// When `unload` does not contain the whole of `load`: chunks would be loaded and unloaded at once.
    pub fn new(load: Footprint, unload: Footprint) -> Result<Self, ViewRangeError> {
        if unload.covers(&load) {
            Ok(Self { load, unload })
        } else {
            Err(ViewRangeError { load, unload })
        }
    }

    /// Two discs, with radii in chunks.
    ///
    /// # Errors
    ///
    /// When `unload_radius` is less than `load_radius`.
    pub fn disc(load_radius: u32, unload_radius: u32) -> Result<Self, ViewRangeError> {
        Self::new(
            Footprint::Disc {
                radius: load_radius,
            },
            Footprint::Disc {
                radius: unload_radius,
            },
        )
    }

    /// Two spheres, with radii in chunks.
    ///
    /// # Errors
    ///
    /// When `unload_radius` is less than `load_radius`.
    pub fn sphere(load_radius: u32, unload_radius: u32) -> Result<Self, ViewRangeError> {
        Self::new(
            Footprint::Sphere {
                radius: load_radius,
            },
            Footprint::Sphere {
                radius: unload_radius,
            },
        )
    }

    /// The footprint in which chunks are loaded.
    #[must_use]
    pub const fn load(&self) -> Footprint {
        self.load
    }

    /// The footprint outside which chunks are unloaded.
    #[must_use]
    pub const fn unload(&self) -> Footprint {
        self.unload
    }
}

/// An unload footprint that does not contain its load footprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewRangeError {
    /// The load footprint asked for.
    pub load: Footprint,
    /// The unload footprint asked for.
    pub unload: Footprint,
}

impl fmt::Display for ViewRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the unload footprint {:?} does not contain the load footprint {:?}",
            self.unload, self.load
        )
    }
}

impl core::error::Error for ViewRangeError {}

/// A place that wants chunks around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Viewer {
    /// What tells this viewer from the others of the same update, and connects it to itself in the next:
    /// an entity's bits, a player number. Two viewers of one update with the same id are both served,
    /// but which of them is which in the next update is a guess, and costs work when it is wrong.
    pub id: u64,
    /// The chunk the viewer is in.
    pub coord: ChunkCoord,
    /// What it wants around that chunk.
    pub range: ViewRange,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn footprints() -> impl Strategy<Value = Footprint> {
        prop_oneof![
            (0..6_u32).prop_map(|radius| Footprint::Disc { radius }),
            (0..6_u32).prop_map(|radius| Footprint::Sphere { radius }),
            (0..6_u32, 0..6_u32).prop_map(|(radius, half_height)| Footprint::Cylinder {
                radius,
                half_height
            }),
            prop::array::uniform3(0..6_u32)
                .prop_map(|half_extents| Footprint::Cuboid { half_extents }),
        ]
    }

    proptest! {
        #[test]
        fn a_range_is_accepted_exactly_when_no_loaded_chunk_is_outside(load in footprints(), unload in footprints()) {
            let inside = |shape: Footprint, x, y, z| shape.contains(ChunkCoord::ORIGIN, ChunkCoord::new(x, y, z));
            let mut covered = true;
            for x in -6..=6 { for y in -6..=6 { for z in -6..=6 {
                covered &= !inside(load, x, y, z) || inside(unload, x, y, z);
            }}}
            prop_assert_eq!(ViewRange::new(load, unload).is_ok(), covered);
        }
    }

    #[test]
    fn the_largest_radii_do_not_overflow() {
        let all = u32::MAX;
        assert!(ViewRange::disc(all, all).is_ok());
        assert!(ViewRange::sphere(all, all).is_ok());
        let cylinder = Footprint::Cylinder {
            radius: all,
            half_height: all,
        };
        assert!(ViewRange::new(cylinder, Footprint::Sphere { radius: all }).is_err());
        assert!(ViewRange::new(Footprint::Sphere { radius: all }, cylinder).is_ok());
    }
}
