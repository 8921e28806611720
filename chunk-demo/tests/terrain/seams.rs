//! Where chunks meet: the same vertices at one level, and no gap between two levels.

use std::collections::BTreeMap;

use avian3d::parry::shape::TypedShape;
use bevy_math::Vec3;
use bevy_mesh::{Indices, Mesh, VertexAttributeValues};
use chunk_coord::ChunkCoord;
use chunk_demo::terrain::{Terrain, TerrainChunk, TerrainConfig};

use crate::{after, chunks, config, terrain};

const LEVELS: std::ops::Range<u8> = 0..TerrainConfig::LEVELS;

fn at(terrain: &Terrain, coord: ChunkCoord, level: u8) -> TerrainChunk {
    let chunk = terrain.chunk(&terrain.heights(coord), level);
    chunk.expect("its mesh can be drawn")
}

fn vectors(mesh: &Mesh, of: impl Into<bevy_mesh::MeshVertexAttributeId>) -> Vec<Vec3> {
    match mesh.attribute(of) {
        Some(VertexAttributeValues::Float32x3(values)) => {
            values.iter().copied().map(Vec3::from).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn triangles(mesh: &Mesh) -> Vec<[Vec3; 3]> {
    let positions = vectors(mesh, Mesh::ATTRIBUTE_POSITION);
    let indices = mesh.indices().map(Indices::iter).expect("it has indices");
    let corners: Vec<_> = indices.map(|index| positions[index]).collect();
    corners.as_chunks().0.to_vec()
}

/// A vertex of the surface at a border, and the lower end of the skirt below it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Edge {
    top: f32,
    bottom: f32,
    normal: Vec3,
    colour: [f32; 4],
}

/// The edges of a chunk at one of its borders, by the place along it in centimetres. `axis` is the one across the border, and
/// `side` is where it is.
fn border(chunk: &TerrainChunk, axis: usize, side: f32) -> BTreeMap<i32, Edge> {
    let mesh = chunk.mesh.mesh();
    let positions = vectors(mesh, Mesh::ATTRIBUTE_POSITION);
    let normals = vectors(mesh, Mesh::ATTRIBUTE_NORMAL);
    let Some(VertexAttributeValues::Float32x4(colours)) = mesh.attribute(Mesh::ATTRIBUTE_COLOR)
    else {
        panic!("it has colours");
    };
    let mut edges: BTreeMap<i32, Edge> = BTreeMap::new();
    for ((place, normal), colour) in positions.into_iter().zip(normals).zip(colours) {
        if place[axis] != side {
            continue;
        }
        let along = (place[2 - axis] * 100.0).round() as i32;
        let vertex = Edge {
            top: place.y,
            bottom: place.y,
            normal,
            colour: *colour,
        };
        let edge = edges.entry(along).or_insert(vertex);
        assert_eq!(
            (edge.normal, edge.colour),
            (normal, *colour),
            "a skirt looks as what it hangs from"
        );
        (edge.top, edge.bottom) = (edge.top.max(place.y), edge.bottom.min(place.y));
    }
    edges
}

/// The same between two vertices.
fn between(edges: &BTreeMap<i32, Edge>, along: i32) -> [f32; 2] {
    let (from, low) = edges
        .range(..=along)
        .next_back()
        .expect("it begins at the corner");
    let (to, high) = edges.range(along..).next().expect("it ends at the corner");
    if from == to {
        return [low.top, low.bottom];
    }
    let part = (along - from) as f32 / (to - from) as f32;
    [(low.top, high.top), (low.bottom, high.bottom)].map(|(low, high)| low + (high - low) * part)
}

/// Calls with both sides of each border between a chunk and its neighbours at all pairs of levels.
fn for_each_border(mut visit: impl FnMut([u8; 2], &BTreeMap<i32, Edge>, &BTreeMap<i32, Edge>)) {
    let (terrain, half) = (terrain(), config().chunk_size / 2.0);
    for coord in chunks() {
        for (axis, next) in [0, 2].into_iter().zip(after(coord)) {
            let own = LEVELS.map(|level| border(&at(&terrain, coord, level), axis, half));
            let own: Vec<_> = own.collect();
            let next = LEVELS.map(|level| border(&at(&terrain, next, level), axis, -half));
            for (next_level, next) in next.enumerate() {
                for (level, own) in own.iter().enumerate() {
                    visit([level as u8, next_level as u8], own, &next);
                }
            }
        }
    }
}

#[test]
fn neighbours_of_one_level_share_the_vertices_of_their_border() {
    let mut borders = 0;
    for_each_border(|[level, next_level], own, next| {
        if level == next_level {
            borders += 1;
            assert_eq!(own.len(), (config().cells as usize >> level) + 1);
            assert!(own.keys().eq(next.keys()));
            for (own, next) in own.values().zip(next.values()) {
                assert_eq!(own.top, next.top);
                assert_eq!(own.colour, next.colour);
                assert!(
                    own.normal.abs_diff_eq(next.normal, 1e-4),
                    "{own:?} {next:?}"
                );
            }
        }
    });
    assert_eq!(borders, 2 * 3 * chunks().count());
}

#[test]
fn vertices_that_two_levels_share_are_the_same() {
    for_each_border(|levels, own, next| {
        let common = own
            .iter()
            .filter_map(|(along, own)| Some((own, next.get(along)?)));
        let mut count = 0;
        for (own, next) in common {
            count += 1;
            assert_eq!((own.top, own.colour), (next.top, next.colour), "{levels:?}");
            assert!(
                own.normal.abs_diff_eq(next.normal, 1e-4),
                "{own:?} {next:?}"
            );
        }
        assert_eq!(count, own.len().min(next.len()));
    });
}

#[test]
fn no_gap_is_seen_between_any_two_levels() {
    let (mut gaps, mut widest) = (0, 0.0_f32);
    for_each_border(|levels, own, next| {
        let (first, last) = (
            *own.keys().next().unwrap(),
            *own.keys().next_back().unwrap(),
        );
        for along in (first..=last).step_by(10) {
            let [[top, bottom], [next_top, next_bottom]] = [own, next].map(|it| between(it, along));
            // Through the wall between both edges one would see the sky, unless the skirt of the higher one is there.
            let covered = if top > next_top { bottom } else { next_bottom };
            assert!(covered <= top.min(next_top), "{levels:?} at {along} cm");
            gaps += u32::from(top != next_top);
            widest = widest.max((top - next_top).abs());
        }
    });
    assert!(
        gaps > 1_000 && widest > 0.5,
        "skirts have something to cover: {gaps}, {widest} m"
    );
}

#[test]
fn a_skirt_faces_outwards_and_the_surface_up() {
    let (terrain, half) = (terrain(), config().chunk_size / 2.0);
    for level in LEVELS {
        let chunk = at(&terrain, ChunkCoord::planar(33, 7), level);
        let cells = config().cells as usize >> level;
        let (mut surface, mut skirt) = (0, 0);
        for [a, b, c] in triangles(chunk.mesh.mesh()) {
            let facing = (b - a).cross(c - a);
            let middle = (a + b + c) / 3.0;
            // In a skirt's triangle all corners are at one border, and two of them are above each other.
            let borders = [Vec3::X, Vec3::NEG_X, Vec3::Z, Vec3::NEG_Z];
            let at_border = |side: &Vec3| [a, b, c].iter().all(|corner| corner.dot(*side) == half);
            if let Some(side) = borders.iter().find(|side| at_border(side)) {
                skirt += 1;
                assert!(
                    facing.normalize().abs_diff_eq(*side, 1e-4),
                    "{facing} at {middle}"
                );
            } else {
                surface += 1;
                assert!(facing.y > 0.0, "{facing} at {middle}");
            }
        }
        assert_eq!((surface, skirt), (2 * cells * cells, 8 * cells));
    }
}

#[test]
fn a_collider_is_the_surface_of_level_0_and_no_other_level_has_one() {
    let terrain = terrain();
    for coord in chunks() {
        let chunk = at(&terrain, coord, 0);
        let seen = triangles(chunk.mesh.mesh());
        let collider = chunk.collider.expect("level 0 has one");
        let TypedShape::HeightField(field) = collider.shape().as_typed_shape() else {
            panic!("it is a heightfield");
        };
        let key = |[a, b, c]: &[Vec3; 3]| {
            // To the nearest hundredth; which corner is the first does not matter.
            let mut corners = [a, b, c].map(|it| (*it * 100.0).round().as_ivec3().to_array());
            corners.sort_unstable();
            corners
        };
        let mut felt: Vec<_> = field
            .triangles()
            .map(|it| key(&[it.a, it.b, it.c]))
            .collect();
        let surface = 2 * config().cells.pow(2) as usize;
        let mut seen: Vec<_> = seen[..surface].iter().map(key).collect();
        felt.sort_unstable();
        seen.sort_unstable();
        assert_eq!(felt, seen, "{coord}");
        for level in 1..=TerrainConfig::LEVELS {
            assert!(at(&terrain, coord, level).collider.is_none());
        }
    }
}

#[test]
fn a_level_has_a_quarter_of_the_triangles_of_the_one_before() {
    let terrain = terrain();
    let bytes = LEVELS.map(|level| at(&terrain, ChunkCoord::ORIGIN, level).mesh.bytes());
    let bytes: Vec<_> = bytes.collect();
    // 33², 17² and 9² vertices of 40 bytes, and the skirts.
    assert_eq!(bytes, [62_504, 17_960, 5_672]);
    let beyond = at(&terrain, ChunkCoord::ORIGIN, 9);
    assert_eq!((beyond.level, beyond.mesh.bytes()), (2, bytes[2]));
}
