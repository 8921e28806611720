//! A terrain as it is streamed: with levels, and with heights that are made once.

use std::sync::Arc;

use chunk_apply::ChunkLevels;
use chunk_assets::SharedAssets;
use chunk_coord::ChunkCoord;
use chunk_scheduler::{GenerateError, Job, Layer, LayerReport, Layers};

use super::config::{TerrainConfig, TerrainError};
use super::heights::Heights;
use super::plan::{Terrain, TerrainChunk};
use super::spawn::{add_terrain_assets, terrain_spawner};
use crate::harness::Workload;

/// A terrain as one stream has it. A chunk is made anew when its level changes; its heights are kept in a layer, so that they
/// are not. Clones share levels and heights.
///
/// ```
/// use chunk_apply::{ChunkStreamingPlugin, Generator};
/// use chunk_coord::ChunkGrid;
/// use chunk_demo::terrain::{TerrainConfig, TerrainWorld, terrain_spawner};
///
/// let config = TerrainConfig::default();
/// let world = TerrainWorld::new(config)?;
/// let (grid, levels) = (ChunkGrid::planar(config.chunk_size)?, world.levels());
/// let generator = Generator::fallible(move |job| world.make(job));
/// let plugin = ChunkStreamingPlugin::new(grid, generator, terrain_spawner(config.chunk_size));
/// let plugin = plugin.with_levels(levels);
/// # let _ = plugin;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TerrainWorld {
    terrain: Arc<Terrain>,
    levels: ChunkLevels,
    heights: Layer<ChunkCoord, Heights>,
}

impl TerrainWorld {
    /// How many bytes of heights are kept: those of some 1,800 chunks of 64 cells.
    const HEIGHTS: usize = 32 << 20;

    /// A terrain with these settings.
    ///
    /// # Errors
    ///
    /// The first setting that makes no terrain.
    pub fn new(config: TerrainConfig) -> Result<Self, TerrainError> {
        let terrain = Arc::new(Terrain::new(config)?);
        let source = Arc::clone(&terrain);
        let heights = Layers::new().add(
            "heights",
            Self::HEIGHTS,
            Heights::bytes,
            move |_, coord: ChunkCoord| Ok::<_, GenerateError>(source.heights(coord)),
        );
        let levels = config.levels()?;
        Ok(Self {
            terrain,
            levels,
            heights,
        })
    }

    /// The terrain, which can make any chunk without a stream.
    #[must_use]
    pub fn terrain(&self) -> &Arc<Terrain> {
        &self.terrain
    }

    /// The levels, for the plugin of the stream.
    #[must_use]
    pub fn levels(&self) -> ChunkLevels {
        self.levels.clone()
    }

    /// How often heights were made, and how often they were found.
    #[must_use]
    pub fn heights(&self) -> LayerReport {
        self.heights.report()
    }

    /// Makes a chunk at the level that the stream wants it at.
    ///
    /// # Errors
    ///
    /// If the job was cancelled.
    pub fn make(&self, job: &Job<ChunkCoord>) -> Result<TerrainChunk, GenerateError> {
        let heights = self.heights.read(job, job.key())?;
        let chunk = self.terrain.chunk(&heights, self.levels.of_job(job));
        chunk.map_err(GenerateError::permanent)
    }
}

impl Workload<TerrainChunk> {
    /// A terrain: each chunk is one entity with a mesh of its own, at three levels of detail, and near the viewers with a
    /// collider.
    ///
    /// # Errors
    ///
    /// If the settings make no terrain.
    pub fn terrain(config: TerrainConfig) -> Result<Self, TerrainError> {
        let world = TerrainWorld::new(config)?;
        let (levels, heights) = (world.levels(), world.heights.clone());
        let make = move |job: &Job<ChunkCoord>| world.make(job);
        let terrain = Self::fallible(make, terrain_spawner(config.chunk_size), |_coord| 1);
        Ok(terrain
            .with_levels(levels)
            .with_cached_bytes(move || heights.report().bytes)
            .prepared_by(add_terrain_assets)
            .with_assets(SharedAssets::COUNT + 1)
            .with_assets_of(|_coord| 1))
    }
}
