//! The footprints in which a viewer's chunks are loaded and kept.

use core::fmt;

#[cfg(all(feature = "bevy_reflect", feature = "serde"))]
use bevy_reflect::prelude::{ReflectDeserialize, ReflectSerialize};

use crate::coord::ChunkCoord;
use crate::footprint::Footprint;
use crate::grid::ChunkGrid;
use crate::plane::Plane;

/// The footprint in which chunks are loaded, and the one outside which they are unloaded.
///
/// A chunk becomes wanted when it enters the load footprint and stops being wanted when it leaves the
/// unload footprint. The band between the two is the hysteresis: a viewer that moves to and fro by less than
/// its width loads and unloads nothing.
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
#[cfg_attr(
    feature = "bevy_reflect",
    derive(bevy_reflect::Reflect),
    reflect(Debug, PartialEq, Hash, Clone)
)]
#[cfg_attr(
    all(feature = "bevy_reflect", feature = "serde"),
    reflect(Serialize, Deserialize)
)]
pub struct ViewRange {
    load: Footprint,
    /// Covers `load`, unless reflection changed one of them.
    unload: Footprint,
}

impl ViewRange {
    /// A range of any two shapes.
    ///
    /// # Errors
    ///
    /// When `unload` does not contain the whole of `load`: a chunk in the rest would be loaded and unloaded
    /// at once.
    pub fn new(load: Footprint, unload: Footprint) -> Result<Self, ViewRangeError> {
        if unload.covers(&load) {
            Ok(Self { load, unload })
        } else {
            let kind = ViewRangeErrorKind::NotCovered;
            Err(ViewRangeError { load, unload, kind })
        }
    }

    /// Two discs, with radii in chunks, in the plane of the grid that the range is [used in](Self::in_grid); in a
    /// volumetric grid level, in the viewer's own layer.
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

    /// A range of any shape that keeps `band` chunks more in every direction than it loads.
    ///
    /// ```
    /// use chunk_coord::{Footprint, ViewRange};
    ///
    /// let tower = ViewRange::with_band(Footprint::Cylinder { radius: 8, half_height: 2 }, 3);
    /// assert_eq!(tower.unload(), Footprint::Cylinder { radius: 11, half_height: 5 });
    /// assert_eq!(ViewRange::with_band(Footprint::Disc { radius: 12 }, 2), ViewRange::disc(12, 14)?);
    /// # Ok::<(), chunk_coord::ViewRangeError>(())
    /// ```
    #[must_use]
    pub fn with_band(load: Footprint, band: u32) -> Self {
        let unload = load.widened(band);
        Self { load, unload }
    }

    /// Two boxes, by the number of chunks to either side of the viewer along x, y and z. With no chunks
    /// along the axis that a planar grid ignores, squares and rectangles in its plane.
    ///
    /// # Errors
    ///
    /// When `unload` is less than `load` along any axis.
    pub fn cuboid(load: [u32; 3], unload: [u32; 3]) -> Result<Self, ViewRangeError> {
        Self::new(
            Footprint::Cuboid { half_extents: load },
            Footprint::Cuboid {
                half_extents: unload,
            },
        )
    }

    /// How far chunks are loaded, in chunks: the radius of a round footprint, or of a box the longest of its half extents.
    #[must_use]
    pub fn load_radius(&self) -> u32 {
        widest(self.load)
    }

    /// How far chunks are kept, in chunks: the radius of a round footprint, or of a box the longest of its half extents.
    #[must_use]
    pub fn unload_radius(&self) -> u32 {
        widest(self.unload())
    }

    /// Whether `grid` has every chunk that this range loads. A planar grid has one layer, so a range does not fit it
    /// that loads chunks in front of or behind the viewer's layer; how far chunks are kept does not matter. Discs fit every
    /// grid.
    ///
    /// ```
    /// use bevy_math::Vec3;
    /// use chunk_coord::{ChunkGrid, ViewRange};
    ///
    /// let (plane, space) = (ChunkGrid::planar(16.0)?, ChunkGrid::volumetric(Vec3::splat(16.0))?);
    /// let sphere = ViewRange::sphere(5, 6)?;
    /// assert!(sphere.fits(&space) && !sphere.fits(&plane));
    /// assert_eq!(sphere.in_grid(&space), sphere);
    /// assert_eq!(sphere.in_grid(&plane), ViewRange::disc(5, 6)?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn fits(&self, grid: &ChunkGrid) -> bool {
        grid.plane().is_none_or(|plane| match self.load {
            Footprint::Disc { .. } | Footprint::DiscXy { .. } => true,
            Footprint::Sphere { radius } => radius == 0,
            Footprint::Cylinder { half_height, .. } => half_height == 0,
            Footprint::Cuboid { half_extents } => half_extents[plane.normal() as usize] == 0,
        })
    }

    /// The range as it is used in `grid`. In a planar grid that is the viewer's own layer, in which every round shape is a
    /// disc: give a [`WantedSet`](crate::WantedSet) ranges of this kind. `chunk-apply` does it.
    ///
    /// ```
    /// use chunk_coord::{ChunkGrid, Footprint, ViewRange};
    ///
    /// let range = ViewRange::disc(8, 10)?.in_grid(&ChunkGrid::planar_xy(16.0)?);
    /// assert_eq!(range.load(), Footprint::DiscXy { radius: 8 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn in_grid(&self, grid: &ChunkGrid) -> Self {
        match grid.plane() {
            None => *self,
            // Most ranges, unchanged.
            Some(Plane::Xz) if self.load.half_extents()[1] == 0 => *self,
            Some(plane) => Self {
                load: self.load.in_plane(plane),
                unload: self.unload.in_plane(plane),
            },
        }
    }

    /// The footprint in which chunks are loaded.
    #[must_use]
    pub const fn load(&self) -> Footprint {
        self.load
    }

    /// The footprint outside which chunks are unloaded. It is the load footprint where reflection has set two
    /// footprints that the constructor refuses, as an inspector does in the middle of a change.
    #[must_use]
    pub fn unload(&self) -> Footprint {
        if self.unload.covers(&self.load) {
            self.unload
        } else {
            self.load
        }
    }
}

fn widest(footprint: Footprint) -> u32 {
    match footprint {
        Footprint::Disc { radius }
        | Footprint::DiscXy { radius }
        | Footprint::Sphere { radius }
        | Footprint::Cylinder { radius, .. } => radius,
        Footprint::Cuboid {
            half_extents: [x, y, z],
        } => x.max(y).max(z),
    }
}

/// Two footprints that the constructor of [`ViewRange`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewRangeError {
    /// The load footprint asked for.
    pub load: Footprint,
    /// The unload footprint asked for.
    pub unload: Footprint,
    /// What is wrong with them.
    pub kind: ViewRangeErrorKind,
}

/// What is wrong with two footprints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ViewRangeErrorKind {
    /// The unload footprint does not contain the whole of the load footprint.
    NotCovered,
}

impl fmt::Display for ViewRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { load, unload, kind } = self;
        match kind {
            ViewRangeErrorKind::NotCovered => write!(
                f,
                "the unload footprint {unload:?} does not contain the load footprint {load:?}"
            ),
        }
    }
}

impl core::error::Error for ViewRangeError {}

/// A position that wants chunks around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Viewer {
    /// Identifies the viewer from update to update: an entity's bits, a player number. Two viewers of one
    /// update may share an id; the next update may then take one for the other, which costs time and
    /// changes no result.
    pub id: u64,
    /// The chunk the viewer is in.
    pub coord: ChunkCoord,
    /// What it wants around that chunk.
    pub range: ViewRange,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::tests::footprints;
    use proptest::prelude::*;

    fn cylinder(radius: u32, half_height: u32) -> Footprint {
        Footprint::Cylinder {
            radius,
            half_height,
        }
    }

    proptest! {
        #[test]
        fn a_band_keeps_what_is_so_near_to_what_is_loaded(
            load in footprints(0..5), band in prop_oneof![0..3_u32, Just(u32::MAX)],
        ) {
            let range = ViewRange::with_band(load, band);
            prop_assert_eq!(ViewRange::new(load, range.unload()), Ok(range));
            let [x, y, z] = load.half_extents();
            let flat = |extent: u32, is_flat| if is_flat { 0 } else { extent.saturating_add(band) };
            let expected = [
                x.saturating_add(band),
                flat(y, matches!(load, Footprint::Disc { .. })),
                flat(z, matches!(load, Footprint::DiscXy { .. })),
            ];
            prop_assert_eq!(range.unload().half_extents(), expected);
        }

        #[test]
        fn a_range_is_accepted_exactly_when_no_loaded_chunk_is_outside(load in footprints(0..6), unload in footprints(0..6)) {
            let inside = |shape: Footprint, x, y, z| shape.contains(ChunkCoord::ORIGIN, ChunkCoord::new(x, y, z));
            let mut covered = true;
            for x in -6..=6 { for y in -6..=6 { for z in -6..=6 {
                covered &= !inside(load, x, y, z) || inside(unload, x, y, z);
            }}}
            prop_assert_eq!(ViewRange::new(load, unload).is_ok(), covered);
        }
    }

    proptest! {
        #[test]
        fn in_a_planar_grid_a_range_is_what_it_has_in_the_layer_with_its_discs_turned(
            load in footprints(0..6), unload in footprints(0..6), is_xy: bool,
        ) {
            prop_assume!(unload.covers(&load));
            let grid = if is_xy { ChunkGrid::planar_xy(1.0) } else { ChunkGrid::planar(1.0) }.unwrap();
            let range = ViewRange { load, unload };
            let layer = range.in_grid(&grid);
            let turned = |shape: Footprint, coord| match shape {
                // Across the ground or upright, they are the same discs.
                Footprint::Disc { radius } | Footprint::DiscXy { radius } | Footprint::Cylinder { radius, .. } => {
                    Footprint::Sphere { radius }.contains(ChunkCoord::ORIGIN, coord)
                }
                _ => shape.contains(ChunkCoord::ORIGIN, coord),
            };
            let mut fits = true;
            for x in -6..=6 { for y in -6..=6 { for z in -6..=6 {
                let coord = ChunkCoord::new(x, y, z);
                let in_layer = if is_xy { z == 0 } else { y == 0 };
                let is_loaded = layer.load().contains(ChunkCoord::ORIGIN, coord);
                prop_assert_eq!(is_loaded, in_layer && turned(load, coord));
                prop_assert!(!is_loaded || layer.unload().contains(ChunkCoord::ORIGIN, coord));
                fits &= match load {
                    Footprint::Disc { .. } | Footprint::DiscXy { .. } => true,
                    Footprint::Cuboid { .. } => in_layer || !load.contains(ChunkCoord::ORIGIN, coord),
                    // Height becomes depth.
                    _ => y == 0 || !load.contains(ChunkCoord::ORIGIN, coord),
                };
            }}}
            prop_assert_eq!(range.fits(&grid), fits);
        }
    }

    #[test]
    fn a_range_fits_a_planar_grid_if_it_loads_one_layer() {
        let plane = ChunkGrid::planar(1.0).unwrap();
        for fitting in [
            ViewRange::disc(3, 4),
            ViewRange::sphere(0, 4),
            Ok(ViewRange::with_band(cylinder(3, 0), 2)),
            ViewRange::cuboid([1, 0, 1], [1, 9, 1]),
        ] {
            assert!(fitting.unwrap().fits(&plane));
        }
        for other in [
            ViewRange::sphere(1, 1),
            Ok(ViewRange::with_band(cylinder(3, 1), 1)),
            ViewRange::cuboid([0, 1, 0], [1, 1, 1]),
        ] {
            assert!(!other.unwrap().fits(&plane));
        }
    }

    #[test]
    fn ranges_of_every_shape_know_their_radii() {
        let radii = |range: ViewRange| (range.load_radius(), range.unload_radius());
        assert_eq!(radii(ViewRange::disc(8, 9).unwrap()), (8, 9));
        assert_eq!(radii(ViewRange::sphere(3, 5).unwrap()), (3, 5));
        let tower = ViewRange::with_band(cylinder(8, 2), 2);
        assert_eq!(radii(tower), (8, 10));
        assert_eq!(tower.load().half_extents(), [8, 2, 8]);
        assert_eq!(tower.unload().half_extents(), [10, 4, 10]);
        let cuboid = ViewRange::cuboid([4, 0, 6], [5, 0, 8]).unwrap();
        assert_eq!(radii(cuboid), (6, 8));
    }

    #[test]
    fn a_refused_range_says_what_was_asked_for() {
        let error = ViewRange::new(cylinder(8, 2), cylinder(7, 2)).unwrap_err();
        assert_eq!(error.kind, ViewRangeErrorKind::NotCovered);
        assert_eq!(error.unload.half_extents(), [7, 2, 7]);
        let error = ViewRange::cuboid([4, 1, 4], [5, 0, 5]).unwrap_err();
        assert_eq!(error.load.half_extents(), [4, 1, 4]);
        assert!(alloc::format!("{error}").contains("[5, 0, 5]"));
    }

    #[test]
    fn the_largest_radii_do_not_overflow() {
        let all = u32::MAX;
        assert!(ViewRange::disc(all, all).is_ok());
        assert!(ViewRange::sphere(all, all).is_ok());
        let all_around = cylinder(all, all);
        assert!(ViewRange::new(all_around, Footprint::Sphere { radius: all }).is_err());
        assert!(ViewRange::new(Footprint::Sphere { radius: all }, all_around).is_ok());
    }
}
