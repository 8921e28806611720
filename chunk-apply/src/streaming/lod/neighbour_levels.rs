//! The levels of a chunk and of the chunks around it.

use core::fmt;

/// The level of detail of a chunk and of each of its 26 neighbours, as one generator reads them.
///
/// ```
/// use chunk_apply::{ChunkLevels, NeighbourLevels};
/// use chunk_coord::{ChunkCoord, LevelRings};
/// use chunk_scheduler::{Generator, Job};
///
/// let levels = ChunkLevels::new(LevelRings::new([4, 8], 1)?);
/// let asked = levels.clone();
/// let generator = Generator::new(move |job: &Job<ChunkCoord>| {
///     let levels: NeighbourLevels = asked.around(job);
///     // A side whose neighbour is coarser is stitched to it, or given a skirt.
///     let [west, east] = [levels.at(-1, 0, 0), levels.at(1, 0, 0)];
///     (levels.own(), west > levels.own(), east > levels.own())
/// });
/// # drop(generator);
/// # Ok::<(), chunk_coord::LevelRingsError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NeighbourLevels {
    /// In the order of coordinates, the chunk itself in the middle.
    levels: [u8; 27],
}

/// The place of the chunk itself.
const OWN: usize = 13;

impl NeighbourLevels {
    /// A chunk whose neighbours are of its own level.
    pub(super) fn uniform(level: u8) -> Self {
        Self {
            levels: [level; 27],
        }
    }

    pub(super) fn set(&mut self, offset: [i32; 3], level: u8) {
        self.levels[place(offset)] = level;
    }

    /// The level of the chunk itself.
    #[must_use]
    pub fn own(&self) -> u8 {
        self.levels[OWN]
    }

    /// The level of a neighbour: -1, 0 or 1 along x, y and z. Of other numbers the sign counts.
    #[must_use]
    pub fn at(&self, x: i32, y: i32, z: i32) -> u8 {
        self.levels[place([x, y, z])]
    }
}

fn place(offset: [i32; 3]) -> usize {
    // Each from 0 to 2.
    let [x, y, z] = offset.map(|axis| (axis.signum() + 1) as usize);
    9 * x + 3 * y + z
}

impl fmt::Debug for NeighbourLevels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lowest = self.levels.iter().min();
        let highest = self.levels.iter().max();
        f.debug_struct("NeighbourLevels")
            .field("own", &self.own())
            .field("lowest", &lowest)
            .field("highest", &highest)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_neighbour_has_a_place_of_its_own() {
        let mut levels = NeighbourLevels::uniform(99);
        let offsets = || {
            let axis = || -1..=1;
            axis().flat_map(move |x| axis().flat_map(move |y| axis().map(move |z| [x, y, z])))
        };
        for (level, offset) in offsets().enumerate() {
            levels.set(offset, level as u8);
        }
        for (level, [x, y, z]) in offsets().enumerate() {
            assert_eq!(usize::from(levels.at(x, y, z)), level);
            assert_eq!(usize::from(levels.at(7 * x, 7 * y, 7 * z)), level);
        }
        assert_eq!(levels.own(), levels.at(0, 0, 0));
    }
}
