//! Makes the chunks of a terrain.

use avian3d::collision::collider::Collider;
use bevy_math::Vec3;
use chunk_assets::{ChunkMesh, ChunkMeshError};
use chunk_coord::ChunkCoord;
use core::fmt;

use super::config::{TerrainConfig, TerrainError};
use super::heights::Heights;
use super::land::Land;
use super::surface;

/// A terrain: makes any chunk of it, on any thread, in any order.
///
/// ```
/// use chunk_coord::ChunkCoord;
/// use chunk_demo::terrain::{Terrain, TerrainConfig};
///
/// let terrain = Terrain::new(TerrainConfig::default())?;
/// let heights = terrain.heights(ChunkCoord::planar(-3, 12));
/// assert_eq!(heights, terrain.heights(ChunkCoord::planar(-3, 12)));
/// let [near, far] = [0, 2].map(|level| terrain.chunk(&heights, level));
/// assert!(near?.mesh.bytes() > 10 * far?.mesh.bytes());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct Terrain {
    config: TerrainConfig,
    land: Land,
}

impl Terrain {
    /// A terrain with these settings.
    ///
    /// # Errors
    ///
    /// The first setting that makes no terrain.
    pub fn new(config: TerrainConfig) -> Result<Self, TerrainError> {
        config.validate()?;
        let land = Land::new(&config);
        Ok(Self { config, land })
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &TerrainConfig {
        &self.config
    }

    /// The heights of a chunk. The land is one layer: `y` is ignored.
    #[must_use]
    pub fn heights(&self, coord: ChunkCoord) -> Heights {
        let cells = self.config.cells;
        let first = [coord.x, coord.z].map(|chunk| i64::from(chunk) * i64::from(cells) - 1);
        let side = Heights::side(cells as usize);
        let step = self.config.chunk_size / cells as f32;
        Heights::new(cells as usize, step, self.land.samples(first, side))
    }

    /// A chunk with these heights at a level; beyond the coarsest level it is the coarsest.
    ///
    /// # Errors
    ///
    /// If the mesh is none that can be drawn, which would be a mistake of this crate.
    pub fn chunk(&self, heights: &Heights, level: u8) -> Result<TerrainChunk, ChunkMeshError> {
        let level = level.min(TerrainConfig::LEVELS - 1);
        let mesh = ChunkMesh::new(surface::mesh(heights, level, &self.config))?;
        Ok(TerrainChunk {
            level,
            mesh: mesh.expect("a surface has vertices"),
            collider: (level == 0).then(|| self.collider(heights)),
        })
    }

    fn collider(&self, heights: &Heights) -> Collider {
        let vertices = || 0..=heights.cells();
        let row = |x| vertices().map(|z| heights.at(x, z)).collect();
        let size = self.config.chunk_size;
        Collider::heightfield(vertices().map(row).collect(), Vec3::new(size, 1.0, size))
    }
}

impl fmt::Debug for Terrain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terrain")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// One chunk of a terrain, as it comes from a worker.
#[derive(Clone, Debug)]
pub struct TerrainChunk {
    /// The level that it was made at.
    pub level: u8,
    /// The surface with its skirt, around the middle of the chunk.
    pub mesh: ChunkMesh,
    /// The surface for physics, around the middle of the chunk; of level 0 alone, because what things lie on should be what
    /// is seen, and far from the viewer nothing is simulated.
    pub collider: Option<Collider>,
}
