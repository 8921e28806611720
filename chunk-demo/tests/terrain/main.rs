//! The terrain: its land, the borders of its chunks at all levels, its colliders, and runs of scenarios on it.
#![cfg(feature = "terrain")]

mod land;
mod runs;
mod seams;
mod streamed;

use chunk_coord::ChunkCoord;
use chunk_demo::terrain::{Terrain, TerrainConfig};

/// With detail, so that levels differ.
fn config() -> TerrainConfig {
    TerrainConfig {
        chunk_size: 64.0,
        cells: 32,
        ..TerrainConfig::default()
    }
}

fn terrain() -> Terrain {
    Terrain::new(config()).expect("the settings make a terrain")
}

/// Some chunks near the origin, some in the mountains, some far out, and those at the ends of all coordinates.
fn chunks() -> impl Iterator<Item = ChunkCoord> {
    let near = (-2..2).flat_map(|x| (-2..2).map(move |z| (x, z)));
    let far = [
        (40, -40),
        (33, 7),
        (-50, 12),
        (1_023, 1_024),
        (-1_025, 3),
        (2_000_000_000, -7),
        (i32::MIN, i32::MAX - 1),
    ];
    near.chain(far).map(|(x, z)| ChunkCoord::planar(x, z))
}

/// The neighbours of a chunk along x and along z.
fn after(coord: ChunkCoord) -> [ChunkCoord; 2] {
    [(1, 0), (0, 1)].map(|(x, z)| coord.saturating_offset(x, 0, z))
}
