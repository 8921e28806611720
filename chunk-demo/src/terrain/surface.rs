//! The mesh of one chunk at one level.

use bevy_asset::RenderAssetUsages;
use bevy_math::Vec3;
use bevy_mesh::{Indices, Mesh, PrimitiveTopology};

use super::config::TerrainConfig;
use super::heights::Heights;

/// The surface at a level with its skirt, around the middle of the chunk.
///
/// A vertex of level L is every 2^L-th one of level 0. The triangles of a cell are divided as those of parry's heightfields
/// are, so that at level 0 things lie on what is seen.
pub(super) fn mesh(heights: &Heights, level: u8, config: &TerrainConfig) -> Mesh {
    let stride = 1_usize << level;
    let cells = heights.cells() / stride;
    let row = cells + 1;
    let (half, step) = (
        heights.cells() as f32 * heights.step() / 2.0,
        heights.step(),
    );
    let vertices = row * row + 4 * cells;
    let mut positions = Vec::with_capacity(vertices);
    let mut normals = Vec::with_capacity(vertices);
    let mut colours = Vec::with_capacity(vertices);
    for number in 0..row * row {
        let (x, z) = (number / row * stride, number % row * stride);
        let (height, normal) = (heights.at(x, z), heights.normal(x, z));
        positions.push([x as f32 * step - half, height, z as f32 * step - half]);
        normals.push(normal.to_array());
        colours.push(colour(
            (height - config.plains) / config.relief.max(1.0),
            normal,
        ));
    }

    let mut indices = Vec::with_capacity(6 * cells * (cells + 4));
    for number in 0..cells * cells {
        let first = number / cells * row + number % cells;
        let [near, next_z, next_x, far] = [first, first + 1, first + row, first + row + 1];
        indices.extend([near, next_z, next_x, next_z, far, next_x].map(|vertex| vertex as u16));
    }
    let depth = skirt_depth(heights, level);
    let around = perimeter(cells);
    let first = positions.len();
    for (number, above) in around.iter().enumerate() {
        let [x, height, z] = positions[*above];
        positions.push([x, height - depth, z]);
        normals.push(normals[*above]);
        colours.push(colours[*above]);
        let next = (number + 1) % around.len();
        let (below, next_above, next_below) = (first + number, around[next], first + next);
        let both = [*above, below, next_below, *above, next_below, next_above];
        indices.extend(both.map(|vertex| vertex as u16));
    }
    let usage = RenderAssetUsages::RENDER_WORLD;
    Mesh::new(PrimitiveTopology::TriangleList, usage)
        .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, positions)
        .with_inserted_attribute(Mesh::ATTRIBUTE_NORMAL, normals)
        .with_inserted_attribute(Mesh::ATTRIBUTE_COLOR, colours)
        .with_inserted_indices(Indices::U16(indices))
}

/// The vertices at the border of the surface, once around: the outside is to the right of whoever looks along +z at x = 0
/// with his feet on the ground, so the triangles of the skirt face outwards.
fn perimeter(cells: usize) -> Vec<usize> {
    let at = |x: usize, z: usize| x * (cells + 1) + z;
    let west = (0..cells).map(|z| at(0, z));
    let south = (0..cells).map(|x| at(x, cells));
    let east = (0..cells).map(|z| at(cells, cells - z));
    let north = (0..cells).map(|x| at(cells - x, 0));
    west.chain(south).chain(east).chain(north).collect()
}

/// How far a skirt has to hang down, in metres, so that no gap is seen whatever levels the neighbours have: the farthest
/// that an edge of this level is above the same edge of another.
fn skirt_depth(heights: &Heights, level: u8) -> f32 {
    // Common vertices are equal to the last bit, but pixels between them are rounded differently for both sides.
    const MARGIN: f32 = 0.02;
    let cells = heights.cells();
    let along = |level: u8, edge: &dyn Fn(usize) -> f32, vertex: usize| {
        let stride = 1 << level;
        let from = vertex / stride * stride;
        let (low, high) = (edge(from), edge((from + stride).min(cells)));
        low + (high - low) * (vertex - from) as f32 / stride as f32
    };
    let edges: [&dyn Fn(usize) -> f32; 4] = [
        &|z| heights.at(0, z),
        &|z| heights.at(cells, z),
        &|x| heights.at(x, 0),
        &|x| heights.at(x, cells),
    ];
    let mut depth = 0.0_f32;
    for edge in edges {
        for vertex in 0..=cells {
            let own = along(level, edge, vertex);
            let others = (0..TerrainConfig::LEVELS).map(|other| along(other, edge, vertex));
            depth = others.fold(depth, |depth, other| depth.max(own - other));
        }
    }
    depth + MARGIN * heights.step()
}

/// The colour of the ground, linear: meadow where it is flat, rock where it is steep, snow high up. `height` is above
/// the plains, as a part of the relief.
fn colour(height: f32, normal: Vec3) -> [f32; 4] {
    const MEADOW: Vec3 = Vec3::new(0.13, 0.22, 0.05);
    const HEATH: Vec3 = Vec3::new(0.28, 0.25, 0.11);
    const ROCK: Vec3 = Vec3::new(0.22, 0.20, 0.18);
    const SNOW: Vec3 = Vec3::new(0.85, 0.88, 0.93);
    let part = |value: f32, from: f32, to: f32| ((value - from) / (to - from)).clamp(0.0, 1.0);
    let grass = MEADOW.lerp(HEATH, part(height, -0.1, 0.25));
    let soft = grass.lerp(SNOW, part(height, 0.38, 0.5));
    let ground = ROCK.lerp(soft, part(normal.y, 0.7, 0.85));
    ground.extend(1.0).to_array()
}
