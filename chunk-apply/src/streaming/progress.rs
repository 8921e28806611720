//! How much of a region is loaded.

use chunk_coord::{ChunkCoord, Footprint};
use core::ops::RangeInclusive;

/// How many chunks of a region are loaded, and how many do not come. Zero of everything where nothing is known: without a
/// stream, for a viewer that the stream does not have, and at a position that has no chunk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegionProgress {
    /// The chunks of the region, wanted or not. `usize::MAX` for a region that is not counted, because it is too large to be
    /// loaded: its bounding box has more than 16 million chunks.
    pub chunks: usize,
    /// Those of them that are wanted, as of the last scan. None before the first.
    pub wanted: usize,
    /// Those of the wanted ones that are loaded; whole, and of whatever level and version.
    pub loaded: usize,
    /// Those of the wanted ones that are not there, and were given up after their last permitted failure.
    pub failed: usize,
    /// Those of the wanted ones that are not there, because a user despawned their root, and that stay gone.
    pub despawned: usize,
    /// Those of the wanted ones that are not there because [`max_loaded_bytes`](crate::StreamingConfig::max_loaded_bytes) has no
    /// room for them.
    pub held_back: usize,
}

impl RegionProgress {
    /// Whether there is nothing to wait for: all of the region is wanted, and each chunk is loaded, has failed for good,
    /// was despawned by a user, or is held back.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.chunks > 0 && self.done() == self.chunks
    }

    /// Whether all of the region is loaded, without a hole: ask this before you let somebody stand there.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.chunks > 0 && self.loaded == self.chunks
    }

    /// For a progress bar: from 0 to 1, which means [ready](Self::is_ready).
    #[must_use]
    pub fn fraction(&self) -> f32 {
        match self.chunks {
            0 => 0.0,
            chunks => self.done() as f32 / chunks as f32,
        }
    }

    fn done(&self) -> usize {
        self.loaded + self.failed + self.despawned + self.held_back
    }
}

/// The chunks of a shape that are not farther from its centre than a radius.
#[derive(Clone, Copy, Debug)]
pub(super) struct Region {
    pub(super) centre: ChunkCoord,
    pub(super) shape: Footprint,
    pub(super) radius: u32,
}

/// What is known of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Unwanted,
    Missing,
    Loaded,
    Failed,
    Despawned,
    HeldBack,
}

/// A bounding box of more chunks is not searched.
const MOST: u128 = 1 << 24;

impl Region {
    /// Looks each chunk up.
    pub(super) fn progress(&self, find: impl Fn(ChunkCoord) -> Found) -> RegionProgress {
        let mut progress = RegionProgress::default();
        let [x, y, z] = self.shape.half_extents();
        let [xs, ys, zs] = [
            self.reach(self.centre.x, x),
            self.reach(self.centre.y, y),
            self.reach(self.centre.z, z),
        ];
        if length(&xs) * length(&ys) * length(&zs) > MOST {
            progress.chunks = usize::MAX;
            return progress;
        }
        let radius_sq = u64::from(self.radius) * u64::from(self.radius);
        for x in xs {
            for y in ys.clone() {
                for z in zs.clone() {
                    let coord = ChunkCoord::new(x, y, z);
                    let is_inside = self.shape.contains(self.centre, coord)
                        && self.centre.distance_sq(coord) <= radius_sq;
                    if is_inside {
                        progress.add(find(coord));
                    }
                }
            }
        }
        progress
    }

    /// The coordinates along an axis. What is over an end of the range of `i32` does not exist.
    fn reach(&self, centre: i32, extent: u32) -> RangeInclusive<i32> {
        let extent = extent.min(self.radius);
        centre.saturating_sub_unsigned(extent)..=centre.saturating_add_unsigned(extent)
    }
}

fn length(range: &RangeInclusive<i32>) -> u128 {
    u128::from(range.end().abs_diff(*range.start())) + 1
}

impl RegionProgress {
    fn add(&mut self, found: Found) {
        self.chunks += 1;
        self.wanted += usize::from(found != Found::Unwanted);
        match found {
            Found::Unwanted | Found::Missing => {}
            Found::Loaded => self.loaded += 1,
            Found::Failed => self.failed += 1,
            Found::Despawned => self.despawned += 1,
            Found::HeldBack => self.held_back += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(shape: Footprint, centre: ChunkCoord, radius: u32) -> usize {
        let region = Region {
            centre,
            shape,
            radius,
        };
        region.progress(|_| Found::Missing).chunks
    }

    #[test]
    fn a_region_is_what_its_shape_and_its_radius_have_in_common() {
        let (disc, at) = (Footprint::Disc { radius: 3 }, ChunkCoord::new(5, -7, 9));
        assert_eq!(chunks(disc, at, 0), 1);
        assert_eq!(chunks(disc, at, 1), 5);
        assert_eq!(chunks(disc, at, 3), 29);
        assert_eq!(chunks(disc, at, u32::MAX), 29);
        assert_eq!(chunks(Footprint::Sphere { radius: 1 }, at, 9), 7);
    }

    #[test]
    fn at_the_ends_of_the_world_a_region_has_the_chunks_that_exist() {
        let end = ChunkCoord::planar(i32::MAX, i32::MIN);
        assert_eq!(chunks(Footprint::Disc { radius: 1 }, end, 1), 3);
        let end = ChunkCoord::new(i32::MAX, i32::MAX, i32::MIN);
        assert_eq!(chunks(Footprint::Sphere { radius: 1 }, end, 1), 4);
    }

    #[test]
    fn a_region_without_end_is_not_counted_and_never_ready() {
        let all = u32::MAX;
        for shape in [
            Footprint::Disc { radius: all },
            Footprint::Sphere { radius: all },
            Footprint::Cuboid {
                half_extents: [all; 3],
            },
        ] {
            let region = Region {
                centre: ChunkCoord::ORIGIN,
                shape,
                radius: all,
            };
            let progress = region.progress(|_| Found::Loaded);
            assert_eq!(progress.chunks, usize::MAX);
            assert!(!progress.is_ready() && !progress.is_loaded());
            assert_eq!(progress.fraction(), 0.0);
        }
    }

    #[test]
    fn a_chunk_that_does_not_come_is_no_reason_to_wait_and_no_ground_to_stand_on() {
        let region = Region {
            centre: ChunkCoord::ORIGIN,
            shape: Footprint::Disc { radius: 1 },
            radius: 1,
        };
        let all_but_one = |other: Found| {
            region.progress(|coord| {
                if coord == ChunkCoord::ORIGIN {
                    other
                } else {
                    Found::Loaded
                }
            })
        };
        for (other, is_ready) in [
            (Found::Loaded, true),
            (Found::Failed, true),
            (Found::Despawned, true),
            (Found::HeldBack, true),
            (Found::Missing, false),
            (Found::Unwanted, false),
        ] {
            let progress = all_but_one(other);
            assert_eq!(progress.is_ready(), is_ready, "{other:?}");
            assert_eq!(progress.is_loaded(), other == Found::Loaded);
            assert_eq!(progress.fraction() == 1.0, is_ready);
            assert_eq!(
                progress.wanted,
                if other == Found::Unwanted { 4 } else { 5 }
            );
        }
        let nothing = RegionProgress::default();
        assert!(!nothing.is_ready() && !nothing.is_loaded());
        assert_eq!(nothing.fraction(), 0.0);
    }
}
