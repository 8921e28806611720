//! A rectangle of chunks.

use core::error::Error;
use core::fmt;
use core::str::FromStr;

use chunk_coord::ChunkCoord;

/// A rectangle of chunks with at least one: from the first corner up to and without the second, as regions beside each other
/// are told.
///
/// ```
/// use chunk_demo::bake::Region;
///
/// let region: Region = "-1,0..1,3".parse()?;
/// assert_eq!(region.chunks(), 6);
/// # Ok::<(), chunk_demo::bake::RegionError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    from: [i32; 2],
    to: [i32; 2],
}

impl Region {
    /// The most chunks of a region. More should be several regions, so that each comes to an end.
    pub const MOST_CHUNKS: u64 = 16_777_216;

    /// The chunks with x and z from those of `from` up to and without those of `to`.
    ///
    /// # Errors
    ///
    /// If there are none, or more than [`MOST_CHUNKS`](Self::MOST_CHUNKS).
    pub fn new(from: [i32; 2], to: [i32; 2]) -> Result<Self, RegionError> {
        let region = Self { from, to };
        if from[0] >= to[0] || from[1] >= to[1] {
            return Err(RegionError::Empty { from, to });
        }
        match region.chunks() {
            chunks if chunks > Self::MOST_CHUNKS => Err(RegionError::TooLarge(chunks)),
            _ => Ok(region),
        }
    }

    /// How many chunks it has.
    #[must_use]
    pub fn chunks(&self) -> u64 {
        let side = |axis: usize| u64::from(self.from[axis].abs_diff(self.to[axis]));
        // Each side is below 2³², so the product fits.
        side(0) * side(1)
    }

    /// All of them, row by row.
    pub fn coords(&self) -> impl Iterator<Item = ChunkCoord> + Clone + use<> {
        let Self { from, to } = *self;
        let row = move |z| (from[0]..to[0]).map(move |x| ChunkCoord::planar(x, z));
        (from[1]..to[1]).flat_map(row)
    }
}

impl FromStr for Region {
    type Err = RegionError;

    fn from_str(text: &str) -> Result<Self, RegionError> {
        let corner = |text: &str| {
            let (x, z) = text.split_once(',')?;
            Some([x.parse().ok()?, z.parse().ok()?])
        };
        let corners = text.split_once("..");
        let corners = corners.and_then(|(from, to)| Some((corner(from)?, corner(to)?)));
        let (from, to) = corners.ok_or(RegionError::NoRegion)?;
        Self::new(from, to)
    }
}

/// Why something is no region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegionError {
    /// The text is not two corners.
    NoRegion,
    /// The second corner is not beyond the first on both axes.
    Empty {
        /// The first corner.
        from: [i32; 2],
        /// The second corner.
        to: [i32; 2],
    },
    /// It has more than [`Region::MOST_CHUNKS`].
    TooLarge(u64),
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRegion => {
                f.write_str("a region is two corners in whole chunks, X,Z..X,Z, such as -8,-8..8,8")
            }
            Self::Empty { from, to } => write!(
                f,
                "no chunk is from {},{} up to and without {},{}: the second corner must be higher on both axes",
                from[0], from[1], to[0], to[1]
            ),
            Self::TooLarge(chunks) => {
                let most = Region::MOST_CHUNKS;
                write!(
                    f,
                    "{chunks} chunks are too many for one region: it may have {most}, such as 4096 x 4096"
                )
            }
        }
    }
}

impl Error for RegionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_its_first_corner_and_not_its_second() {
        let region: Region = "-1,5..1,7".parse().expect("it is one");
        let coords: Vec<_> = region.coords().collect();
        let expected = [(-1, 5), (0, 5), (-1, 6), (0, 6)].map(|(x, z)| ChunkCoord::planar(x, z));
        assert_eq!(coords, expected);
        assert_eq!(region.chunks(), 4);
    }

    #[test]
    fn what_is_no_region_is_refused_with_its_values() {
        let refused = |text: &str| Region::from_str(text).map_err(|error| error.to_string());
        for text in [
            "",
            "1,2",
            "1,2..",
            "1,2..3",
            "a,b..c,d",
            "1,2..3,4..5,6",
            "0,0..3000000000,1",
        ] {
            assert_eq!(Region::from_str(text), Err(RegionError::NoRegion), "{text}");
        }
        for text in ["0,0..0,5", "4,0..0,5", "0,5..4,5", "0,0..0,0"] {
            let sentence = refused(text).expect_err("nothing is in it");
            assert!(sentence.starts_with("no chunk is from"), "{sentence}");
        }
        let whole = "-2147483648,-2147483648..2147483647,2147483647";
        let sentence = "18446744065119617025 chunks are too many for one region: it may have 16777216, such as 4096 x 4096";
        assert_eq!(refused(whole), Err(sentence.to_owned()));
        assert!(Region::from_str("0,0..4096,4096").is_ok());
        assert!(Region::from_str("0,0..4096,4097").is_err());
    }
}
