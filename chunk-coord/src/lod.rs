//! Levels of detail by distance.

use alloc::vec::Vec;
use core::fmt;

/// Rings around a viewer, each with a level of detail: 0 inside the first radius, 1 up to the second, and
/// so on. Beyond the last radius is one more level.
///
/// A chunk becomes coarser only once it is `hysteresis` chunks beyond its ring, and finer again only inside
/// the finer ring. So a chunk near a border keeps its level while the viewer moves to and fro.
///
/// ```
/// use chunk_coord::LevelRings;
///
/// let rings = LevelRings::new([4, 8], 2)?;
/// assert_eq!(rings.level(5 * 5, None), 1);
/// assert_eq!(rings.level(5 * 5, Some(0)), 0); // less than 2 chunks beyond the finer ring: it stays fine
/// assert_eq!(rings.level(7 * 7, Some(0)), 1);
/// assert_eq!(rings.level(5 * 5, Some(1)), 1); // outside the finer ring: it stays coarse
/// assert_eq!(rings.level(100 * 100, None), 2);
/// # Ok::<(), chunk_coord::LevelRingsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelRings {
    /// Strictly ascending; at most 255 of them.
    radii: Vec<u32>,
    hysteresis: u32,
}

impl LevelRings {
    /// Rings of these radii, in chunks. Without any, everything has level 0.
    ///
    /// # Errors
    ///
    /// When the radii do not ascend, or are more than 255.
    pub fn new(
        radii: impl IntoIterator<Item = u32>,
        hysteresis: u32,
    ) -> Result<Self, LevelRingsError> {
        let mut ascending: Vec<u32> = Vec::new();
        for radius in radii {
            let ring = ascending.len();
            let refuse = |kind| Err(LevelRingsError { radius, ring, kind });
            match ascending.last() {
                Some(&inner) if inner >= radius => {
                    return refuse(LevelRingsErrorKind::NotAscending { inner });
                }
                _ if ring == usize::from(u8::MAX) => return refuse(LevelRingsErrorKind::TooMany),
                _ => ascending.push(radius),
            }
        }
        let radii = ascending;
        Ok(Self { radii, hysteresis })
    }

    /// The level at a squared distance, in chunks², of a chunk whose level so far is `current`, or `None` for
    /// a chunk without one.
    #[must_use]
    pub fn level(&self, distance_sq: u64, current: Option<u8>) -> u8 {
        let inner = self.first_ring(distance_sq, 0);
        let outer = self.first_ring(distance_sq, self.hysteresis);
        // A chunk may keep any level from the one it has with the band to the one it has without.
        match current {
            None => inner,
            Some(current) => current.clamp(outer, inner),
        }
    }

    /// The radii, in chunks.
    #[must_use]
    pub fn radii(&self) -> &[u32] {
        &self.radii
    }

    /// The first ring, `widened` by so many chunks, that contains the distance.
    fn first_ring(&self, distance_sq: u64, widened: u32) -> u8 {
        let reach_sq = |radius: u32| {
            let reach = u64::from(radius) + u64::from(widened);
            reach.saturating_mul(reach)
        };
        // At most 255 radii, so the number fits.
        self.radii
            .partition_point(|radius| reach_sq(*radius) < distance_sq) as u8
    }
}

/// A radius that [`LevelRings::new`] refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LevelRingsError {
    /// The radius that was refused, in chunks.
    pub radius: u32,
    /// How many rings there were before it.
    pub ring: usize,
    /// The reason.
    pub kind: LevelRingsErrorKind,
}

/// What is wrong with the radius of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LevelRingsErrorKind {
    /// It is not larger than the one before it.
    NotAscending {
        /// The radius before, in chunks.
        inner: u32,
    },
    /// There are 255 rings already, the most that a level can count.
    TooMany,
}

impl fmt::Display for LevelRingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { radius, ring, kind } = self;
        match kind {
            LevelRingsErrorKind::NotAscending { inner } => {
                write!(
                    f,
                    "the ring of radius {radius} follows the one of radius {inner}"
                )
            }
            LevelRingsErrorKind::TooMany => {
                write!(
                    f,
                    "the ring of radius {radius} follows {ring} others, the most there can be"
                )
            }
        }
    }
}

impl core::error::Error for LevelRingsError {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    fn rings() -> impl Strategy<Value = LevelRings> {
        (prop::collection::btree_set(0..60_u32, 0..6), 0..10_u32).prop_map(|(radii, hysteresis)| {
            LevelRings::new(radii, hysteresis).expect("a set ascends")
        })
    }

    proptest! {
        #[test]
        fn a_level_once_taken_is_kept_where_it_was_taken(
            rings in rings(), distance in 0..80_u64, current in prop::option::of(0..8_u8),
        ) {
            let level = rings.level(distance * distance, current);
            prop_assert_eq!(rings.level(distance * distance, Some(level)), level);
            prop_assert!(usize::from(level) <= rings.radii().len());
        }

        #[test]
        fn moving_to_and_fro_by_less_than_the_hysteresis_changes_a_level_at_most_once(
            rings in rings(), centre in 10..60_u64, offset in 0..10_u64,
        ) {
            prop_assume!(offset <= u64::from(rings.hysteresis));
            // No two borders within the band.
            prop_assume!(rings.radii.windows(2).all(|pair| pair[1] - pair[0] > 2 * rings.hysteresis));
            let mut level = None;
            let mut changes = 0;
            for step in 0..20 {
                let distance = centre + if step % 2 == 0 { 0 } else { offset };
                let next = rings.level(distance * distance, level);
                changes += u32::from(level.is_some_and(|level| level != next));
                level = Some(next);
            }
            prop_assert!(changes <= 1, "{changes}");
        }
    }

    #[test]
    fn radii_that_do_not_ascend_are_refused() {
        let error = LevelRings::new([4, 4], 1).expect_err("4 is not more than 4");
        assert_eq!((error.radius, error.ring), (4, 1));
        assert_eq!(error.kind, LevelRingsErrorKind::NotAscending { inner: 4 });
        // Refused as soon as there is one too many, however many would follow.
        let error = LevelRings::new(10.., 0).expect_err("256 are too many");
        assert_eq!((error.radius, error.ring), (265, 255));
        assert_eq!(error.kind, LevelRingsErrorKind::TooMany);
        assert!(error.to_string().contains("265"));
    }

    #[test]
    fn the_largest_radius_reaches_everything() {
        let rings = LevelRings::new([u32::MAX], u32::MAX).expect("one ring");
        assert_eq!(rings.level(u64::MAX, Some(0)), 0);
    }
}
