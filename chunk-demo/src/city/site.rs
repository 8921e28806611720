//! The land of one chunk while the chunk is generated.

use bevy_math::Vec2;
use chunk_coord::ChunkCoord;
use fastnoise_lite::{FastNoiseLite, NoiseType};
use rand::Rng;
use rand_pcg::Pcg64Mcg;

use super::roads::Roads;
use super::seed::{self, Purpose};

/// The land of one chunk: its streets, how green it is, and how central.
pub(super) struct Site<'a> {
    seed: u64,
    coord: ChunkCoord,
    roads: Roads,
    park_noise: &'a FastNoiseLite,
}

/// Hills and valleys of the park noise along one side of a chunk.
const PARKS_PER_CHUNK: f32 = 1.6;

/// The park noise repeats after this many chunks, so that it stays exact at any coordinate: a coordinate of 2³¹ chunks
/// would leave an `f32` no digits for the metres.
const NOISE_PERIOD: i32 = 4_096;

impl<'a> Site<'a> {
    pub(super) fn new(
        seed: u64,
        coord: ChunkCoord,
        roads: Roads,
        park_noise: &'a FastNoiseLite,
    ) -> Self {
        Self {
            seed,
            coord,
            roads,
            park_noise,
        }
    }

    /// The noise that decides where the parks of a city are.
    pub(super) fn park_noise(seed: u64) -> FastNoiseLite {
        let noise_seed = seed::rng(seed, Purpose::Parks, 0, 0).next_u32();
        let mut noise = FastNoiseLite::with_seed(noise_seed.cast_signed());
        noise.set_noise_type(Some(NoiseType::OpenSimplex2));
        noise.set_frequency(Some(PARKS_PER_CHUNK));
        noise
    }

    pub(super) fn roads(&self) -> &Roads {
        &self.roads
    }

    /// This chunk's random numbers for one purpose.
    pub(super) fn rng(&self, purpose: Purpose) -> Pcg64Mcg {
        seed::rng(self.seed, purpose, self.coord.x.into(), self.coord.z.into())
    }

    /// How green the land is at a point, in metres from the minimum corner: −1 to 1.
    pub(super) fn greenness(&self, point: Vec2) -> f32 {
        let size = self.roads.chunk_size();
        let column = self.coord.x.rem_euclid(NOISE_PERIOD) as f32;
        let row = self.coord.z.rem_euclid(NOISE_PERIOD) as f32;
        self.park_noise
            .get_noise_2d(column + point.x / size, row + point.y / size)
    }

    /// How central the chunk is: 1 at the world's origin, 0.5 at 800 m, towards 0 far out.
    pub(super) fn centrality(&self) -> f32 {
        let metres = |chunks: i32| (f64::from(chunks) + 0.5) * f64::from(self.roads.chunk_size());
        let distance_sq = metres(self.coord.x).powi(2) + metres(self.coord.z).powi(2);
        (1.0 / (1.0 + distance_sq / 800.0_f64.powi(2))) as f32
    }
}
