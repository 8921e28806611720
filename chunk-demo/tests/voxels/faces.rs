//! The mesh of a chunk against brute force: each visible face once, in its block's colour, with the light of its corners,
//! across all borders.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;

use bevy_color::{Color, ColorToComponents, LinearRgba};
use bevy_math::{IVec3, Vec3};
use bevy_mesh::{Mesh, VertexAttributeValues};
use chunk_assets::ChunkMesh;
use chunk_coord::ChunkCoord;
use chunk_demo::voxels::{
    BRIGHTNESS, Block, Column, Land, SIZE, Surroundings, Voxels, chunk_of, corner, mesh,
};
use proptest::prelude::*;

/// A face of a voxel: where the voxel is, and where the face looks to.
type Face = ([i32; 3], [i32; 3]);
/// The colours at the four corners of a face, by their places.
type Corners = BTreeMap<[i32; 3], [f32; 3]>;

/// Reads chunks as layers would, from what each place is.
fn surroundings(coord: ChunkCoord, block_at: &dyn Fn(IVec3) -> Block) -> Option<Surroundings> {
    let read = |coord| {
        let voxels = Voxels::from_fn(|place| block_at(corner(coord) + place));
        Ok::<_, Infallible>(voxels)
    };
    let Ok(surroundings) = Surroundings::read(coord, read);
    surroundings
}

/// The faces that are seen of a chunk, worked out voxel by voxel.
fn expected(coord: ChunkCoord, block_at: &dyn Fn(IVec3) -> Block) -> BTreeMap<Face, Corners> {
    let from = corner(coord);
    let mut faces = BTreeMap::new();
    let places = (0..SIZE.pow(3)).map(|n| IVec3::new(n % SIZE, n / SIZE % SIZE, n / SIZE / SIZE));
    for place in places {
        let block = block_at(from + place);
        for normal in [
            IVec3::X,
            IVec3::NEG_X,
            IVec3::Y,
            IVec3::NEG_Y,
            IVec3::Z,
            IVec3::NEG_Z,
        ] {
            if !block.is_solid() || block_at(from + place + normal).is_solid() {
                continue;
            }
            let corners = corners_of(place, normal).map(|corner| {
                let light = light(corner, place + normal, normal, |it| block_at(from + it));
                let [red, green, blue] = block.colour();
                let colour = LinearRgba::from(Color::srgb_u8(red, green, blue));
                let colour = colour.to_f32_array_no_alpha();
                (corner.to_array(), colour.map(|it| it * BRIGHTNESS[light]))
            });
            faces.insert((place.to_array(), normal.to_array()), corners.collect());
        }
    }
    faces
}

/// The four corners of a face.
fn corners_of(place: IVec3, normal: IVec3) -> impl Iterator<Item = IVec3> {
    let all = (0..8).map(move |n| place + IVec3::new(n & 1, n >> 1 & 1, n >> 2));
    let middle = 2 * place + IVec3::ONE + normal;
    all.filter(move |corner| (2 * *corner - middle).dot(normal) == 0)
}

/// How much light reaches a corner of a face through the voxels in front of it.
fn light(corner: IVec3, air: IVec3, normal: IVec3, block_at: impl Fn(IVec3) -> Block) -> usize {
    // Of the eight voxels that meet at the corner the four in front of the face, one of which is the air.
    let around = (0..8).map(|n| corner - IVec3::new(n & 1, n >> 1 & 1, n >> 2));
    let steps: Vec<i32> = around
        .filter(|place| (*place - air).dot(normal) == 0 && block_at(*place).is_solid())
        .map(|place| (place - air).abs().element_sum())
        .collect();
    // Two beside the air meet in the corner, and nothing comes through.
    if steps.iter().filter(|steps| **steps == 1).count() == 2 {
        return 0;
    }
    3 - steps.len()
}

/// The faces that a mesh has, cut into those of single voxels.
fn found(mesh: &Mesh) -> BTreeMap<Face, Corners> {
    let floats = |attribute| match mesh.attribute(attribute) {
        Some(VertexAttributeValues::Float32x3(values)) => {
            values.iter().map(|it| Vec3::from(*it)).collect::<Vec<_>>()
        }
        Some(VertexAttributeValues::Float32x4(values)) => values
            .iter()
            .map(|[r, g, b, _]| Vec3::new(*r, *g, *b))
            .collect(),
        other => panic!("{other:?}"),
    };
    let positions = floats(Mesh::ATTRIBUTE_POSITION);
    let normals = floats(Mesh::ATTRIBUTE_NORMAL);
    let colours = floats(Mesh::ATTRIBUTE_COLOR);
    let indices: Vec<usize> = mesh.indices().expect("it has indices").iter().collect();
    let mut faces = BTreeMap::new();
    for quad in indices.chunks_exact(6) {
        let normal = normals[quad[0]];
        for [a, b, c] in [[quad[0], quad[1], quad[2]], [quad[3], quad[4], quad[5]]] {
            let turn = (positions[b] - positions[a]).cross(positions[c] - positions[a]);
            assert!(
                turn.dot(normal) > 0.0,
                "a triangle is wound the wrong way round"
            );
        }
        let (low, high) = quad
            .iter()
            .map(|it| positions[*it])
            .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), it| {
                (low.min(it), high.max(it))
            });
        // The voxels lie behind the face.
        let behind = normal.as_ivec3().max(IVec3::ZERO);
        let (low, high) = (low.as_ivec3() - behind, high.as_ivec3() - behind);
        let size = (high - low).max(IVec3::ONE);
        let all = (0..size.element_product())
            .map(|n| low + IVec3::new(n % size.x, n / size.x % size.y, n / size.x / size.y));
        for voxel in all {
            let colour_at = |corner: IVec3| {
                let colours = [[quad[0], quad[1], quad[2]], [quad[3], quad[4], quad[5]]]
                    .into_iter()
                    .filter_map(|triangle| {
                        let corners = triangle.map(|it| positions[it]);
                        let [a, b, c] = shares(corners, corner.as_vec3())?;
                        let [x, y, z] = triangle.map(|it| colours[it]);
                        Some((a * x + b * y + c * z).to_array())
                    });
                let mut colours = colours.collect::<Vec<_>>().into_iter();
                colours.next().expect("a face is in one of the triangles")
            };
            let normal = normal.as_ivec3();
            let corners = corners_of(voxel, normal);
            let corners = corners
                .map(|corner| (corner.to_array(), colour_at(corner)))
                .collect();
            let before = faces.insert((voxel.to_array(), normal.to_array()), corners);
            assert_eq!(before, None, "a face is there twice");
        }
    }
    faces
}

/// How near a place is to each corner of a triangle, if it is in there.
fn shares([a, b, c]: [Vec3; 3], place: Vec3) -> Option<[f32; 3]> {
    let normal = (b - a).cross(c - a);
    let area = normal.length_squared();
    let share = |from: Vec3, to: Vec3| (to - from).cross(place - from).dot(normal) / area;
    let shares = [share(b, c), share(c, a), share(a, b)];
    shares.iter().all(|share| *share >= -1e-4).then_some(shares)
}

#[track_caller]
fn assert_is_as_expected(coord: ChunkCoord, block_at: &dyn Fn(IVec3) -> Block) -> usize {
    let expected = expected(coord, block_at);
    let Some(surroundings) = surroundings(coord, block_at) else {
        assert!(expected.is_empty(), "{coord} has {} faces", expected.len());
        return 0;
    };
    let mesh = mesh(&surroundings);
    let quads = mesh.count_vertices() / 4;
    let found = if quads == 0 {
        BTreeMap::new()
    } else {
        found(&mesh)
    };
    assert!(found.keys().eq(expected.keys()), "{coord} has other faces");
    for (face, corners) in &expected {
        for (corner, colour) in corners {
            let shown = Vec3::from(found[face][corner]);
            let difference = (shown - Vec3::from(*colour)).abs().max_element();
            assert!(
                difference < 1e-4,
                "{coord}, {face:?} at {corner:?}: {shown} is not {colour:?}"
            );
        }
    }
    ChunkMesh::new(mesh).expect("it can be drawn");
    quads
}

/// One of the blocks, by chance, from a place and a seed.
fn random_block(place: IVec3, seed: u64, density: u64) -> Block {
    let mut hash = seed;
    for part in place.to_array() {
        hash = (hash ^ part as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash ^= hash >> 29;
    }
    if hash % 100 >= density {
        return Block::Air;
    }
    [Block::Stone, Block::Dirt, Block::Brick][(hash >> 32) as usize % 3]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn random_voxels_have_exactly_the_faces_and_the_light_of_brute_force(
        seed: u64,
        density in 0_u64..=100,
        x in -3..3,
        y in -3..3,
        z in -3..3,
    ) {
        let block_at = |place| random_block(place, seed, density);
        assert_is_as_expected(ChunkCoord::new(x, y, z), &block_at);
    }
}

#[test]
fn the_land_has_exactly_the_faces_and_the_light_of_brute_force() {
    let land = Land::new(1);
    // Chunk by chunk, which is what the places are, as another test shows.
    let chunks = RefCell::new(HashMap::new());
    let block_at = |place| {
        let (coord, within) = chunk_of(place);
        let make = || land.voxels(coord, &land.heights(Column::from(coord)));
        chunks
            .borrow_mut()
            .entry(coord)
            .or_insert_with(make)
            .at(within)
    };
    let mut quads = 0;
    for (x, y, z) in [(0, 0, 0), (0, 1, 0), (-4, 1, 3), (7, -2, -5)] {
        quads += assert_is_as_expected(ChunkCoord::new(x, y, z), &block_at);
    }
    assert!(quads > 1_000, "{quads}");
}

#[test]
fn a_chunk_of_rock_shows_only_what_its_neighbours_lay_bare() {
    let is_in = |place: IVec3| place.min_element() >= 0 && place.max_element() < SIZE;
    let rock = |place| {
        if is_in(place) {
            Block::Stone
        } else {
            Block::Air
        }
    };
    assert_eq!(assert_is_as_expected(ChunkCoord::ORIGIN, &rock), 6);
    let all_rock = |_| Block::Stone;
    assert_eq!(assert_is_as_expected(ChunkCoord::ORIGIN, &all_rock), 0);
    // One voxel of air beyond a face.
    let hole = IVec3::new(SIZE, 7, 9);
    let dug = |place| {
        if place == hole {
            Block::Air
        } else {
            Block::Stone
        }
    };
    assert_eq!(assert_is_as_expected(ChunkCoord::ORIGIN, &dug), 1);
}

#[test]
fn a_voxel_across_a_corner_darkens_a_face() {
    // A floor over two chunks in each direction, and a block above it diagonally across the corner of four chunks.
    let floor = |place: IVec3| match place.y {
        ..0 => Block::Stone,
        0 if place == IVec3::ZERO => Block::Brick,
        _ => Block::Air,
    };
    let coord = ChunkCoord::new(-1, -1, -1);
    assert_is_as_expected(coord, &floor);
    let lit = expected(coord, &floor);
    let face = ([SIZE - 1; 3], [0, 1, 0]);
    let dark = lit[&face][&[SIZE; 3]];
    let bright = lit[&face][&[SIZE - 1, SIZE, SIZE - 1]];
    assert!(dark[0] < bright[0], "{dark:?} {bright:?}");
}
