//! The land, by chunks and by voxels.

use bevy_math::IVec3;
use chunk_coord::ChunkCoord;
use chunk_demo::voxels::{Block, Column, Land, SIZE, Voxels, chunk_of, corner};
use proptest::prelude::*;

#[test]
fn a_chunk_has_the_same_voxels_as_its_places() {
    let land = Land::new(3);
    for (x, y, z) in [
        (0, 0, 0),
        (-1, 1, 2),
        (5, 2, -7),
        (2, -3, 1),
        (0, 3, 0),
        (9, -1, 9),
    ] {
        let coord = ChunkCoord::new(x, y, z);
        let voxels = land.voxels(coord, &land.heights(Column::from(coord)));
        let expected = Voxels::from_fn(|place| land.block_at(corner(coord) + place));
        assert!(voxels == expected, "{coord} differs");
    }
}

#[test]
fn a_cube_anywhere_has_the_same_voxels_as_its_places() {
    let land = Land::new(3);
    for (origin, side) in [([-1, 31, 63], 34), ([5, -98, -7], 9), ([0, 64, 2], 1)] {
        let origin = IVec3::from(origin);
        let columns = (0..side * side).map(|n| (origin.x + n % side, origin.z + n / side));
        let heights: Vec<f32> = columns.map(|(x, z)| land.height_at(x, z)).collect();
        let places =
            (0..side * side * side).map(|n| IVec3::new(n % side, n / side % side, n / side / side));
        let expected: Vec<Block> = places.map(|place| land.block_at(origin + place)).collect();
        let cube = land.cube(origin, side as usize, &heights);
        assert!(*cube == *expected, "{side} at {origin} differs");
    }
}

#[test]
fn there_are_hills_overhangs_caves_and_an_empty_sky() {
    let land = Land::new(1);
    let (mut caves, mut overhangs, mut heights) = (0, 0, Vec::new());
    for (x, z) in (0..40).flat_map(|x| (0..40).map(move |z| (11 * x - 200, 11 * z - 200))) {
        let column: Vec<Block> = (-64..Land::SKY)
            .map(|y| land.block_at(IVec3::new(x, y, z)))
            .collect();
        let top = column
            .iter()
            .rposition(|block| block.is_solid())
            .expect("there is ground");
        heights.push(top);
        // Air below something solid: deep below the top it is a cave, near it an overhang.
        let below = &column[..top];
        caves += usize::from(below[..top.saturating_sub(20)].contains(&Block::Air));
        overhangs += usize::from(below[top.saturating_sub(12)..].contains(&Block::Air));
        assert_eq!(column.last(), Some(&Block::Air), "the sky is empty");
    }
    let [low, high] = [heights.iter().min(), heights.iter().max()].map(|it| it.copied());
    assert!(high > low.map(|low| low + 30), "{low:?} to {high:?}");
    assert!(
        caves > 400 && overhangs > 80,
        "{caves} caves, {overhangs} overhangs of 1600"
    );
}

proptest! {
    #[test]
    fn a_place_is_in_its_chunk(x in -9_999..9_999, y in -9_999..9_999, z in -9_999..9_999) {
        let place = IVec3::new(x, y, z);
        let (chunk, within) = chunk_of(place);
        prop_assert_eq!(corner(chunk) + within, place);
        prop_assert!(within.min_element() >= 0 && within.max_element() < SIZE);
    }
}
