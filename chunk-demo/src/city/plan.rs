//! The settings of a city, and the making of its chunks.

use core::error::Error;
use core::fmt;
use core::ops::RangeInclusive;

use chunk_coord::ChunkCoord;
use fastnoise_lite::{FastNoiseLite, NoiseType};
use rand::Rng;

use super::chunk::CityChunk;
use super::lots::Lots;
use super::roads::Roads;
use super::seed::{self, Purpose};
use super::{buildings, traffic, trees};

/// The settings of a city.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CityConfig {
    /// Which city. Every number is a different one. Default 1.
    pub seed: u64,
    /// The side of a chunk, 20 to 10,000 m. Default 200. Below 200 m everything shrinks with the chunk; above, blocks
    /// grow and streets do not.
    pub chunk_size: f32,
    /// Entities in each chunk, exactly: 15 to 2,000. Default 120. At 15 the streets are nearly empty; at 2,000 houses
    /// stand wall to wall.
    pub density: u32,
}

impl CityConfig {
    /// The chunk sizes that make a city, in metres.
    pub const CHUNK_SIZES: RangeInclusive<f32> = 20.0..=10_000.0;
    /// The densities that make a city, in entities a chunk.
    pub const DENSITIES: RangeInclusive<u32> = 15..=2_000;
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
        if !CityConfig::CHUNK_SIZES.contains(&config.chunk_size) {
            return Err(CityError::ChunkSize(config.chunk_size));
        }
        if !CityConfig::DENSITIES.contains(&config.density) {
            return Err(CityError::Density(config.density));
        }
        let noise_seed = seed::rng(config.seed, Purpose::Parks, 0, 0).next_u32();
        let mut park_noise = FastNoiseLite::with_seed(noise_seed.cast_signed());
        park_noise.set_noise_type(Some(NoiseType::OpenSimplex2));
        park_noise.set_frequency(Some(PARKS_PER_CHUNK));
        Ok(Self { config, park_noise })
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> CityConfig {
        self.config
    }

    /// The streets of a chunk.
    #[must_use]
    pub fn roads(&self, coord: ChunkCoord) -> Roads {
        Roads::of(self.config.seed, self.config.chunk_size, coord)
    }

    /// Makes a chunk with exactly [`density`](CityConfig::density) entities, of all five kinds. A city is flat: `y` is
    /// ignored.
    #[must_use]
    pub fn generate(&self, coord: ChunkCoord) -> CityChunk {
        let site = self.site(coord);
        let roads = site.roads.items(self.config.density >= PAVED_DENSITY);
        let shares = Shares::of(
            self.config.density as usize - roads.len(),
            site.roads.parking(),
        );
        let lots = Lots::of(&site, shares.buildings);
        let (vehicles, vehicle_courses) = traffic::drive(&site, shares.vehicles);
        let (npcs, npc_courses) = traffic::walk(&site, shares.npcs);
        CityChunk {
            roads,
            buildings: buildings::build(&site, &lots, shares.buildings),
            trees: trees::plant(&site, &lots, shares.trees),
            vehicles,
            vehicle_courses,
            npcs,
            npc_courses,
        }
    }

    pub(super) fn site(&self, coord: ChunkCoord) -> Site<'_> {
        Site {
            seed: self.config.seed,
            coord,
            roads: self.roads(coord),
            park_noise: &self.park_noise,
        }
    }
}

impl fmt::Debug for CityPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CityPlan")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// Hills and valleys of the park noise along one side of a chunk.
const PARKS_PER_CHUNK: f32 = 1.6;

/// From this many entities a chunk, pavements are drawn as well.
const PAVED_DENSITY: u32 = 60;

/// The park noise repeats after this many chunks, so that it stays exact at any coordinate: a coordinate of 2³¹ chunks
/// would leave an `f32` no digits for the metres.
const NOISE_PERIOD: i32 = 4_096;

/// One chunk while it is being made.
pub(super) struct Site<'a> {
    seed: u64,
    coord: ChunkCoord,
    pub(super) roads: Roads,
    park_noise: &'a FastNoiseLite,
}

impl Site<'_> {
    /// This chunk's numbers for one purpose.
    pub(super) fn rng(&self, purpose: Purpose) -> rand_pcg::Pcg64Mcg {
        seed::rng(self.seed, purpose, self.coord.x.into(), self.coord.z.into())
    }

    /// How green the place at `x`, `z` metres from the minimum corner is, −1 to 1.
    pub(super) fn greenness(&self, x: f32, z: f32) -> f32 {
        let size = self.roads.chunk_size();
        let column = self.coord.x.rem_euclid(NOISE_PERIOD) as f32;
        let row = self.coord.z.rem_euclid(NOISE_PERIOD) as f32;
        self.park_noise
            .get_noise_2d(column + x / size, row + z / size)
    }

    /// How central the chunk is: 1 at the world's origin, 0.5 at 800 m, towards 0 far out.
    pub(super) fn centrality(&self) -> f32 {
        let metres = |chunks: i32| (f64::from(chunks) + 0.5) * f64::from(self.roads.chunk_size());
        let distance_sq = metres(self.coord.x).powi(2) + metres(self.coord.z).powi(2);
        (1.0 / (1.0 + distance_sq / 800.0_f64.powi(2))) as f32
    }
}

/// How many entities of each kind.
#[derive(Clone, Copy, Debug)]
struct Shares {
    buildings: usize,
    trees: usize,
    vehicles: usize,
    npcs: usize,
}

impl Shares {
    /// Divides `total`: vehicles a tenth or as many as the lanes hold, a fifth people, three tenths trees, the rest
    /// buildings. At least one of each, which the lowest density leaves room for: a chunk has at most six streets.
    fn of(total: usize, parking: usize) -> Self {
        let vehicles = (total / 10).clamp(1, parking.max(1));
        let npcs = (total / 5).max(1);
        let trees = (total * 3 / 10).max(1);
        Self {
            buildings: total - vehicles - npcs - trees,
            trees,
            vehicles,
            npcs,
        }
    }
}
