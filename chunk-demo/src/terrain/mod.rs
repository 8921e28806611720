//! Hills that the demo streams: heights, meshes at three levels of detail, and colliders near the viewer.
//!
//! | part | what it decides |
//! |---|---|
//! | [`TerrainConfig`] | the settings, checked once |
//! | `land` | how high the land is: noise in octaves, damped where it is steep, with ridges where there are mountains |
//! | [`Heights`] | the samples of one chunk and of one step around it; heights, normals |
//! | `surface` | the mesh of one chunk at one level, and the skirt that closes the gap to other levels |
//! | [`Terrain`] | makes any chunk at any level, on any thread |
//! | [`TerrainWorld`] | the terrain of one stream, with its levels, whose heights are made once |
//! | [`TerrainChunk`], [`terrain_spawner`] | the generated chunk, and the entity that becomes of it |
//!
//! All levels show the same land: the vertices of a coarse level are some of those of a finer one, with the same heights,
//! normals and colours. So neighbours of one level meet in the same vertices, and between two levels only the edges between
//! common vertices differ, which is what skirts hide. A skirt does not depend on the neighbour's level: no chunk is made
//! anew when a neighbour's level changes, and no gap is seen while one waits for the other.
//!
//! [`Workload::terrain`](crate::Workload::terrain) runs scenarios on it.

mod config;
mod heights;
mod land;
mod plan;
mod spawn;
mod surface;
mod world;

pub use config::{TerrainConfig, TerrainError};
pub use heights::Heights;
pub use plan::{Terrain, TerrainChunk};
pub use spawn::{Ground, add_terrain_assets, terrain_spawner};
pub use world::TerrainWorld;
