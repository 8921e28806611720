//! One of several equal parts of all chunks, so that as many processes can share the work.

use core::error::Error;
use core::fmt;
use core::str::FromStr;

use chunk_coord::ChunkCoord;

/// One of several parts of all chunks. The parts of a rectangle have about the same number of chunks, spread over all of it, so
/// that they take about the same time wherever making a chunk takes longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    count: u32,
    /// How many shards lie between a chunk and the next one along z.
    step: u32,
}

impl Shard {
    /// All chunks.
    pub const ALL: Self = Self {
        number: 1,
        count: 1,
        step: 0,
    };

    /// Shard `number`, counted from 1, of `count`.
    ///
    /// # Errors
    ///
    /// If there is no such shard.
    pub fn new(number: u32, count: u32) -> Result<Self, ShardError> {
        if !(1..=count).contains(&number) {
            return Err(ShardError::NoSuchShard { number, count });
        }
        // The golden section of the circle of shards spreads successive rows most evenly, and a step that has no divisor
        // in common with the count comes to every shard.
        let golden = (f64::from(count) * 0.618_033_988_749_895).round() as u32;
        let step = (golden..).find(|step| are_coprime(*step, count));
        Ok(Self {
            number,
            count,
            step: step.unwrap_or(1) % count,
        })
    }

    /// Whether a chunk is of this shard. Chunks that share a side are never of the same one, if there are several.
    #[must_use]
    pub fn has(&self, coord: ChunkCoord) -> bool {
        let count = i64::from(self.count);
        let shard = i64::from(coord.x) + i64::from(coord.z) * i64::from(self.step);
        shard.rem_euclid(count) == i64::from(self.number) - 1
    }
}

fn are_coprime(mut a: u32, mut b: u32) -> bool {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.count)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let numbers = text.split_once('/');
        let numbers =
            numbers.and_then(|(number, count)| Some((number.parse().ok()?, count.parse().ok()?)));
        let (number, count) = numbers.ok_or(ShardError::NoShard)?;
        Self::new(number, count)
    }
}

/// Why something is no shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShardError {
    /// The text is not two numbers.
    NoShard,
    /// The number is not from 1 to the count.
    NoSuchShard {
        /// The number.
        number: u32,
        /// How many there are.
        count: u32,
    },
}

impl fmt::Display for ShardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoShard => f.write_str("a shard is a number and how many there are, such as 2/8"),
            Self::NoSuchShard { count: 0, .. } => f.write_str("there must be at least 1 shard"),
            Self::NoSuchShard { number, count } => {
                write!(
                    f,
                    "of {count} shards there is 1 to {count}, and no {number}"
                )
            }
        }
    }
}

impl Error for ShardError {}

#[cfg(test)]
mod tests {
    use super::super::region::Region;
    use super::*;
    use proptest::prelude::*;

    fn shards(count: u32) -> Vec<Shard> {
        let shard = |number| Shard::new(number, count).expect("there is one");
        (1..=count).map(shard).collect()
    }

    fn shard_of(shards: &[Shard], coord: ChunkCoord) -> usize {
        let of: Vec<_> = (0..shards.len())
            .filter(|at| shards[*at].has(coord))
            .collect();
        assert_eq!(of.len(), 1, "{coord}");
        of[0]
    }

    proptest! {
        #[test]
        fn each_chunk_of_a_rectangle_is_of_one_shard_and_all_shards_have_about_as_many(
            count in 1_u32..40, x in -99_i32..99, z in -99_i32..99, width in 1_i32..60, height in 1_i32..60,
        ) {
            let shards = shards(count);
            let region = Region::new([x, z], [x + width, z + height]).expect("it has chunks");
            let mut sizes = vec![0_i32; shards.len()];
            for coord in region.coords() {
                sizes[shard_of(&shards, coord)] += 1;
            }
            let (least, most) = (sizes.iter().min(), sizes.iter().max());
            let apart = most.unwrap_or(&0) - least.unwrap_or(&0);
            prop_assert!(apart <= 6, "{sizes:?}");
        }
    }

    #[test]
    fn chunks_that_share_a_side_are_of_two_shards() {
        for count in 2..40 {
            let shards = shards(count);
            for (x, z) in [(0, 0), (-7, 3), (i32::MAX - 1, i32::MIN)] {
                let here = shard_of(&shards, ChunkCoord::planar(x, z));
                assert_ne!(here, shard_of(&shards, ChunkCoord::planar(x + 1, z)));
                assert_ne!(here, shard_of(&shards, ChunkCoord::planar(x, z + 1)));
            }
        }
    }

    #[test]
    fn what_is_no_shard_is_refused_with_its_values() {
        let refused = |text: &str| Shard::from_str(text).map_err(|error| error.to_string());
        for (text, sentence) in [
            ("3/2", "of 2 shards there is 1 to 2, and no 3"),
            ("9/8", "of 8 shards there is 1 to 8, and no 9"),
            ("0/8", "of 8 shards there is 1 to 8, and no 0"),
            ("0/0", "there must be at least 1 shard"),
            (
                "1",
                "a shard is a number and how many there are, such as 2/8",
            ),
            (
                "-1/8",
                "a shard is a number and how many there are, such as 2/8",
            ),
        ] {
            assert_eq!(refused(text), Err(sentence.to_owned()));
        }
        let shard = Shard::new(2, 8);
        assert_eq!("2/8".parse(), shard);
        assert_eq!(shard.map(|it| it.to_string()), Ok("2/8".to_owned()));
        assert_eq!(Shard::new(1, 1), Ok(Shard::ALL));
    }
}
