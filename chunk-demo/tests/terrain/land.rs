//! The land by itself.

use bevy_math::Vec2;
use chunk_coord::ChunkCoord;
use chunk_demo::terrain::{Terrain, TerrainConfig, TerrainError};

use crate::{after, chunks, config, terrain};

#[test]
fn neighbours_have_the_same_heights_and_normals_at_their_border() {
    let terrain = terrain();
    for coord in chunks() {
        let own = terrain.heights(coord);
        let [east, south] = after(coord).map(|next| terrain.heights(next));
        let cells = own.cells();
        for along in 0..=cells {
            assert_eq!(own.at(cells, along), east.at(0, along), "{coord}");
            assert_eq!(own.at(along, cells), south.at(along, 0), "{coord}");
            assert_eq!(own.normal(cells, along), east.normal(0, along), "{coord}");
            assert_eq!(own.normal(along, cells), south.normal(along, 0), "{coord}");
        }
    }
}

#[test]
fn a_chunk_depends_on_the_seed_and_its_coordinate_alone() {
    let [one, same, other] = [1, 1, 2].map(|seed| {
        let config = TerrainConfig { seed, ..config() };
        Terrain::new(config).expect("the settings make a terrain")
    });
    for coord in chunks() {
        assert_eq!(one.heights(coord), same.heights(coord));
        assert_ne!(one.heights(coord), other.heights(coord));
        let above = ChunkCoord { y: 9, ..coord };
        assert_eq!(one.heights(coord), one.heights(above));
    }
}

#[test]
fn there_are_plains_and_mountains_and_no_cliffs() {
    let terrain = terrain();
    let (mut lowest, mut highest) = (f32::INFINITY, f32::NEG_INFINITY);
    let (mut flat, mut steep, mut steepest, mut all) = (0, 0, 1.0_f32, 0);
    let coords = (-40..40)
        .step_by(4)
        .flat_map(|x| (-40..40).step_by(4).map(move |z| (x, z)));
    for (x, z) in coords {
        let heights = terrain.heights(ChunkCoord::planar(x, z));
        for x in 0..=heights.cells() {
            for z in 0..=heights.cells() {
                let (height, up) = (heights.at(x, z), heights.normal(x, z).y);
                (lowest, highest) = (lowest.min(height), highest.max(height));
                steepest = steepest.min(up);
                all += 1;
                flat += u32::from(up > 0.97);
                steep += u32::from(up < 0.8);
            }
        }
    }
    let relief = config().relief;
    assert!(highest - lowest > 0.5 * relief, "{lowest} to {highest}");
    assert!(
        lowest.abs().max(highest) < 1.5 * relief,
        "{lowest} to {highest}"
    );
    assert!(
        flat > all / 4 && steep > all / 50,
        "{flat} and {steep} of {all}"
    );
    // No more than some 84 degrees.
    assert!(steepest > 0.1, "{steepest}");
}

#[test]
fn the_surface_goes_through_the_vertices_and_is_even_between_them() {
    let heights = terrain().heights(ChunkCoord::planar(33, 7));
    let step = heights.step();
    let at = |x: f32, z: f32| heights.surface(Vec2::new(x, z) * step);
    for x in 0..heights.cells() {
        for z in 0..heights.cells() {
            let [near, far] = [heights.at(x, z), heights.at(x + 1, z + 1)];
            let [next_x, next_z] = [heights.at(x + 1, z), heights.at(x, z + 1)];
            let (left, top) = (x as f32, z as f32);
            assert_eq!(at(left, top), near);
            let expected = [
                ((0.25, 0.25), (2.0 * near + next_x + next_z) / 4.0),
                ((0.5, 0.5), (next_x + next_z) / 2.0),
                ((0.75, 0.75), (2.0 * far + next_x + next_z) / 4.0),
                ((0.9, 0.1), 0.9 * next_x + 0.1 * next_z),
            ];
            for ((along_x, along_z), expected) in expected {
                let found = at(left + along_x, top + along_z);
                assert!(
                    (found - expected).abs() < 1e-3,
                    "{found} and not {expected}"
                );
            }
        }
    }
    let cells = heights.cells();
    assert_eq!(
        at(-5.0, 1e9),
        heights.at(0, cells),
        "outside, the nearest one"
    );
}

#[test]
fn settings_that_make_no_terrain_are_refused() {
    type Change = fn(&mut TerrainConfig);
    let cases: [(Change, &str); 7] = [
        (
            |it| it.chunk_size = 1.0,
            "a terrain has chunks of 20 m to 10000 m, not of 1 m",
        ),
        (
            |it| it.chunk_size = f32::NAN,
            "a terrain has chunks of 20 m to 10000 m, not of NaN m",
        ),
        (
            |it| it.cells = 30,
            "a chunk of terrain has a multiple of 4 from 8 to 128 cells along its side, not 30",
        ),
        (
            |it| it.cells = 132,
            "a chunk of terrain has a multiple of 4 from 8 to 128 cells along its side, not 132",
        ),
        (
            |it| it.relief = -1.0,
            "the mountains of a terrain are 0 m to 5000 m high, not -1 m",
        ),
        (
            |it| it.plains = f32::NAN,
            "the plains of a terrain are 10000 m above or below 0 at most, not at NaN m",
        ),
        (
            |it| it.rings = [5, 5],
            "the ring of radius 5 follows the one of radius 5",
        ),
    ];
    for (change, sentence) in cases {
        let mut config = config();
        change(&mut config);
        let refused: TerrainError = Terrain::new(config).expect_err("it makes no terrain");
        assert_eq!(refused.to_string(), sentence);
    }
}
