//! The settings of a city, and the generator of its chunks.

use core::error::Error;
use core::fmt;
use core::ops::RangeInclusive;

use chunk_apply::ChunkLevels;
use chunk_coord::{ChunkCoord, LevelRings};
use fastnoise_lite::FastNoiseLite;

use super::chunk::{CityChunk, Outline};
use super::lots::{self, Lots};
use super::roads::Roads;
use super::site::Site;
use super::{buildings, outline, spawn, traffic, trees};

/// The settings of a city.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CityConfig {
    /// Which city. Every number is a different one. Default 1.
    pub seed: u64,
    /// The side of a chunk, 20 to 10,000 m. Default 200. Below 200 m everything shrinks with the chunk; above, blocks
    /// grow and streets do not.
    pub chunk_size: f32,
    /// Entities in each chunk, exactly, without its outline: 15 to 2,000. Default 120. At 15 the streets are nearly empty; at 2,000 houses
    /// stand wall to wall.
    pub density: u32,
}

impl CityConfig {
    /// The chunk sizes that make a city, in metres.
    pub const CHUNK_SIZES: RangeInclusive<f32> = 20.0..=10_000.0;
    /// The densities that make a city, in entities a chunk.
    pub const DENSITIES: RangeInclusive<u32> = 15..=2_000;

    /// How far beyond its ring a chunk keeps its details, in chunks: more than the diagonal of a chunk, so that a viewer that
    /// sways over a corner changes nothing.
    const HYSTERESIS: u32 = 2;

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// If the chunk size or the density is out of its range.
    pub fn validate(&self) -> Result<(), CityError> {
        if !Self::CHUNK_SIZES.contains(&self.chunk_size) {
            Err(CityError::ChunkSize(self.chunk_size))
        } else if !Self::DENSITIES.contains(&self.density) {
            Err(CityError::Density(self.density))
        } else {
            Ok(())
        }
    }

    /// The levels of detail of one stream. Nothing that a level lacks is [seen](super::spawn::WholeWithin::seen) where it begins.
    ///
    /// # Errors
    ///
    /// If the chunk size is out of its range.
    pub fn levels(&self) -> Result<ChunkLevels, CityError> {
        self.validate()?;
        let rings = LevelRings::new(self.rings(), Self::HYSTERESIS);
        Ok(ChunkLevels::new(rings.expect("the second is larger")))
    }

    /// Up to which distance chunks have level 0, and up to which level 1, in chunks.
    #[must_use]
    pub fn rings(&self) -> [u32; 2] {
        // A chunk is a diagonal nearer than its distance in chunks, because the viewer may be anywhere in its own.
        let ring = |metres: f32| (metres / self.chunk_size + core::f32::consts::SQRT_2).ceil();
        let [inner, outer] =
            [spawn::DETAILS_WITHIN, spawn::SHADOWS_WITHIN].map(|it| ring(it) as u32);
        [inner, outer.max(inner + 1)]
    }
}

impl Default for CityConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            chunk_size: 200.0,
            density: 120,
        }
    }
}

/// A setting that makes no city.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum CityError {
    /// A chunk size outside [`CityConfig::CHUNK_SIZES`], or not a number.
    ChunkSize(f32),
    /// A density outside [`CityConfig::DENSITIES`].
    Density(u32),
}

impl fmt::Display for CityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChunkSize(size) => {
                let (low, high) = CityConfig::CHUNK_SIZES.into_inner();
                write!(
                    f,
                    "a city has chunks of {low} m to {high} m, not of {size} m"
                )
            }
            Self::Density(density) => {
                let (low, high) = CityConfig::DENSITIES.into_inner();
                write!(
                    f,
                    "a city has {low} to {high} entities in a chunk, not {density}"
                )
            }
        }
    }
}

impl Error for CityError {}

/// A city: makes any chunk of it, on any thread, in any order.
///
/// ```
/// use chunk_coord::ChunkCoord;
/// use chunk_demo::city::{CityConfig, CityPlan};
///
/// let city = CityPlan::new(CityConfig { seed: 7, density: 300, ..CityConfig::default() })?;
/// let chunk = city.generate(ChunkCoord::planar(-3, 12));
/// assert_eq!(chunk.entity_count(), 300);
/// assert_eq!(chunk, city.generate(ChunkCoord::planar(-3, 12)));
/// # Ok::<(), chunk_demo::city::CityError>(())
/// ```
pub struct CityPlan {
    config: CityConfig,
    park_noise: FastNoiseLite,
}

impl CityPlan {
    /// A city with these settings.
    ///
    /// # Errors
    ///
    /// If the chunk size or the density is out of its range.
    pub fn new(config: CityConfig) -> Result<Self, CityError> {
        config.validate()?;
        let park_noise = Site::park_noise(config.seed);
        Ok(Self { config, park_noise })
    }

    /// The streets of the chunk at a coordinate.
    #[must_use]
    pub fn roads(&self, coord: ChunkCoord) -> Roads {
        Roads::of(self.config.seed, self.config.chunk_size, coord)
    }

    /// Makes a chunk with exactly [`density`](CityConfig::density) entities, of all five kinds. A city is flat: `y` is
    /// ignored.
    #[must_use]
    pub fn generate(&self, coord: ChunkCoord) -> CityChunk {
        let site = self.site(coord);
        let roads = site.roads().items(self.config.density >= PAVED_DENSITY);
        let total = self.config.density as usize - roads.len();
        // At least one of each, which the lowest density leaves room for: a chunk has at most six streets.
        let vehicles = (total / 10).clamp(1, site.roads().lane_capacity().max(1));
        let npcs = (total / 5).max(1);
        let trees = (total * 3 / 10).max(1);
        let buildings = total - vehicles - npcs - trees;
        let lots = Lots::of(&site, buildings);
        let (vehicles, vehicle_courses) = traffic::drive(&site, vehicles);
        let (npcs, npc_courses) = traffic::walk(&site, npcs);
        CityChunk {
            roads,
            buildings: buildings::build(&site, &lots, buildings),
            trees: trees::plant(&site, &lots, trees),
            vehicles,
            vehicle_courses,
            npcs,
            npc_courses,
            outline: Outline::default(),
        }
    }

    /// Makes a chunk [at a level](Self::at_level) of detail.
    #[must_use]
    pub fn generate_at(&self, coord: ChunkCoord, level: u8) -> CityChunk {
        self.at_level(coord, self.generate(coord), level)
    }

    /// What a level of detail of [`levels`](CityConfig::levels) has of a chunk that [`generate`](Self::generate) made for this
    /// coordinate: level 0 all of it with an [outline](CityChunk::outline), level 1 the outline alone, and the others the
    /// outline without shadows. So one chunk that is saved serves every level.
    #[must_use]
    pub fn at_level(&self, coord: ChunkCoord, whole: CityChunk, level: u8) -> CityChunk {
        let site = self.site(coord);
        // All pavements come before all carriageways.
        let pavements = whole
            .roads
            .len()
            .saturating_sub(site.roads().iter().count());
        let all = [&whole.roads[pavements..], &whole.buildings, &whole.trees];
        let mut outline = outline::outline(all, &lots::blocks(&site), site.roads().unit());
        outline.casts_shadows = level < 2;
        let rest = if level == 0 {
            whole
        } else {
            CityChunk::default()
        };
        CityChunk { outline, ..rest }
    }

    pub(super) fn site(&self, coord: ChunkCoord) -> Site<'_> {
        Site::new(self.config.seed, coord, self.roads(coord), &self.park_noise)
    }
}

impl fmt::Debug for CityPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CityPlan")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// From this many entities a chunk, pavements are drawn as well.
const PAVED_DENSITY: u32 = 60;

#[cfg(test)]
mod tests {
    use bevy_math::Vec3Swizzles;

    use super::super::chunk::Item;
    use super::super::lots::Lot;
    use super::*;

    fn city(density: u32) -> CityPlan {
        let config = CityConfig {
            seed: 42,
            density,
            ..CityConfig::default()
        };
        CityPlan::new(config).expect("the settings are in range")
    }

    /// Chunks around the origin, and at every end of the coordinate space.
    fn coords() -> impl Iterator<Item = ChunkCoord> {
        let ends = [i32::MIN, i32::MIN + 1, i32::MAX - 1, i32::MAX];
        let axis = move || ends.into_iter().chain(-5..5);
        axis().flat_map(move |x| axis().map(move |z| ChunkCoord::planar(x, z)))
    }

    #[test]
    fn trees_grow_only_in_parks_and_nothing_is_built_there() {
        let plan = city(600);
        for coord in coords() {
            let (chunk, site) = (plan.generate(coord), plan.site(coord));
            let lots = Lots::of(&site, chunk.buildings.len());
            let is_in_a_park = |item: &Item| {
                let half = ((item.rotation * item.scale).abs() / 2.0 - 1e-3).xz();
                let centre = item.position.xz();
                lots.parks.iter().any(|lot| {
                    (centre - half).cmpge(lot.land.min).all()
                        && (centre + half).cmple(lot.land.max).all()
                })
            };
            assert!(chunk.trees.iter().all(is_in_a_park), "{coord:?}");
            assert!(!chunk.buildings.iter().any(is_in_a_park), "{coord:?}");

            let greenness = |lot: &Lot| site.greenness(lot.land.center());
            let least_green_park = lots.parks.iter().map(greenness).fold(f32::MAX, f32::min);
            let is_less_green = |lot: &Lot| greenness(lot) <= least_green_park;
            assert!(lots.built.iter().all(is_less_green), "{coord:?}");
        }
    }

    #[test]
    fn parks_are_part_of_the_city_and_not_most_of_it() {
        let plan = city(300);
        let (mut parks, mut all) = (0, 0);
        for coord in coords() {
            let lots = Lots::of(&plan.site(coord), 120);
            parks += lots.parks.len();
            all += lots.parks.len() + lots.built.len();
        }
        let share = parks as f32 / all as f32;
        assert!((0.1..0.4).contains(&share), "{share}");
    }
}
