//! The settings of a terrain.

use core::error::Error;
use core::fmt;
use core::ops::RangeInclusive;

use chunk_apply::ChunkLevels;
use chunk_coord::{LevelRings, LevelRingsError};

/// The settings of a terrain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TerrainConfig {
    /// Which land. Every number is a different one. Default 1.
    pub seed: u64,
    /// The side of a chunk, 20 to 10,000 m. Default 200.
    pub chunk_size: f32,
    /// Cells along the side of a chunk at level 0, a multiple of 4 from 8 to 128. Default 64. Each next level has half as
    /// many. Detail that is smaller than four cells is left out.
    pub cells: u32,
    /// How high the highest mountains rise above the plains, roughly, 0 to 5,000 m. Default 500. Valleys are as deep.
    pub relief: f32,
    /// Where the plains are, in metres above 0. Default 0.
    pub plains: f32,
    /// Chunks up to the first radius have level 0 and a collider, those up to the second level 1, in chunks. Default 3 and 6.
    pub rings: [u32; 2],
}

impl TerrainConfig {
    /// How many levels of detail there are.
    pub const LEVELS: u8 = 3;
    /// The chunk sizes that make a terrain, in metres.
    pub const CHUNK_SIZES: RangeInclusive<f32> = 20.0..=10_000.0;
    /// How many cells a chunk may have along its side at level 0.
    pub const CELLS: RangeInclusive<u32> = 8..=128;
    /// How high mountains may be, in metres.
    pub const RELIEFS: RangeInclusive<f32> = 0.0..=5_000.0;
    /// How high or deep the plains may be, in metres.
    pub const HIGHEST_PLAINS: f32 = 10_000.0;
    /// How far beyond its ring a chunk keeps a finer level, in chunks: more than the diagonal of a chunk, so that a viewer
    /// that sways over a corner changes nothing.
    const HYSTERESIS: u32 = 2;

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first setting that makes no terrain.
    pub fn validate(&self) -> Result<(), TerrainError> {
        let coarsest = 1 << (Self::LEVELS - 1);
        if !Self::CHUNK_SIZES.contains(&self.chunk_size) {
            return Err(TerrainError::ChunkSize(self.chunk_size));
        }
        if !Self::CELLS.contains(&self.cells) || !self.cells.is_multiple_of(coarsest) {
            return Err(TerrainError::Cells(self.cells));
        }
        if !Self::RELIEFS.contains(&self.relief) {
            return Err(TerrainError::Relief(self.relief));
        }
        if self.plains.is_nan() || self.plains.abs() > Self::HIGHEST_PLAINS {
            return Err(TerrainError::Plains(self.plains));
        }
        self.level_rings().map_err(TerrainError::Rings)?;
        Ok(())
    }

    /// The levels of one stream, by the rings.
    ///
    /// # Errors
    ///
    /// If the rings do not ascend.
    pub fn levels(&self) -> Result<ChunkLevels, TerrainError> {
        let rings = self.level_rings().map_err(TerrainError::Rings)?;
        Ok(ChunkLevels::new(rings))
    }

    fn level_rings(&self) -> Result<LevelRings, LevelRingsError> {
        LevelRings::new(self.rings, Self::HYSTERESIS)
    }
}

impl Default for TerrainConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            chunk_size: 200.0,
            cells: 64,
            relief: 500.0,
            plains: 0.0,
            rings: [3, 6],
        }
    }
}

/// A setting that makes no terrain.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum TerrainError {
    /// A chunk size outside [`TerrainConfig::CHUNK_SIZES`], or not a number.
    ChunkSize(f32),
    /// A number of cells outside [`TerrainConfig::CELLS`], or no multiple of 4.
    Cells(u32),
    /// A relief outside [`TerrainConfig::RELIEFS`], or not a number.
    Relief(f32),
    /// Plains beyond [`TerrainConfig::HIGHEST_PLAINS`], or not a number.
    Plains(f32),
    /// Rings that do not ascend.
    Rings(LevelRingsError),
}

impl fmt::Display for TerrainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChunkSize(size) => {
                let (low, high) = TerrainConfig::CHUNK_SIZES.into_inner();
                write!(
                    f,
                    "a terrain has chunks of {low} m to {high} m, not of {size} m"
                )
            }
            Self::Cells(cells) => {
                let (low, high) = TerrainConfig::CELLS.into_inner();
                write!(
                    f,
                    "a chunk of terrain has a multiple of 4 from {low} to {high} cells along its side, not {cells}"
                )
            }
            Self::Relief(relief) => {
                let (low, high) = TerrainConfig::RELIEFS.into_inner();
                write!(
                    f,
                    "the mountains of a terrain are {low} m to {high} m high, not {relief} m"
                )
            }
            Self::Plains(plains) => {
                let most = TerrainConfig::HIGHEST_PLAINS;
                write!(
                    f,
                    "the plains of a terrain are {most} m above or below 0 at most, not at {plains} m"
                )
            }
            Self::Rings(error) => error.fmt(f),
        }
    }
}

impl Error for TerrainError {}
