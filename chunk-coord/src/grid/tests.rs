//! Positions, borders and sizes at their extremes.

use super::*;
use proptest::prelude::*;

#[test]
fn sizes_that_make_no_grid_are_refused_with_the_size() {
    for size in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(ChunkGrid::planar(size).is_err());
    }
    let error = ChunkGrid::volumetric(Vec3::new(1.0, -2.0, 1.0)).unwrap_err();
    assert_eq!((error.axis, error.size), (Axis::Y, -2.0));
    assert_eq!(error.kind, GridErrorKind::NotPositive);
}

#[test]
fn a_planar_grid_ignores_height_even_where_it_is_not_finite() {
    let grid = ChunkGrid::planar(10.0).unwrap();
    let coord = grid.coord_at(Vec3::new(25.0, f32::NAN, -0.001)).unwrap();
    assert_eq!(coord, ChunkCoord::planar(2, -1));
    assert!(grid.is_planar());
    assert_eq!(grid.min_corner(coord), Vec3::new(20.0, 0.0, -10.0));
}

#[test]
fn the_last_chunks_of_the_range_are_reachable_and_the_next_are_not() {
    let grid = ChunkGrid::planar(1.0).unwrap();
    let last = f64::from(i32::MAX);
    assert_eq!(
        grid.coord_at_precise(DVec3::new(last + 0.5, 0.0, 0.0)),
        Ok(ChunkCoord::planar(i32::MAX, 0))
    );
    let error = grid
        .coord_at_precise(DVec3::new(last + 1.0, 0.0, 0.0))
        .unwrap_err();
    assert_eq!(error.kind, PositionErrorKind::OutOfRange);
    assert!(grid.coord_at(Vec3::new(0.0, 0.0, f32::MAX)).is_err());
}

#[test]
fn a_position_a_hair_below_a_border_stays_below_it() {
    let size = 0.1_f32;
    let grid = ChunkGrid::planar(size).unwrap();
    // The double just below a border divides to exactly the whole number of the border.
    let border = 3.0 * f64::from(size);
    let below = border.next_down();
    assert_eq!(
        grid.coord_at_precise(DVec3::new(below, 0.0, 0.0))
            .unwrap()
            .x,
        2
    );
    assert_eq!(
        grid.coord_at_precise(DVec3::new(border, 0.0, 0.0))
            .unwrap()
            .x,
        3
    );
}

#[test]
fn oblong_chunks_differ_along_x_and_z() {
    let grid = ChunkGrid::planar_rect(10.0, 40.0).unwrap();
    let coord = grid.coord_at(Vec3::new(39.0, -5.0, 39.0)).unwrap();
    assert_eq!(coord, ChunkCoord::planar(3, 0));
    assert_eq!(grid.centre(coord), Vec3::new(35.0, 0.0, 20.0));
    assert!(grid.is_planar());
    let error = ChunkGrid::planar_rect(10.0, f32::NAN).unwrap_err();
    assert_eq!(
        (error.axis, error.kind),
        (Axis::Z, GridErrorKind::NotFinite)
    );
}

#[test]
fn the_way_ahead_ends_where_the_velocity_leads() {
    let grid = ChunkGrid::volumetric(Vec3::new(10.0, 5.0, 10.0)).unwrap();
    let ahead = |velocity, seconds| {
        let horizon = Duration::from_secs_f32(seconds);
        grid.coord_ahead(Vec3::splat(1.0), velocity, horizon)
    };
    assert_eq!(ahead(Vec3::ZERO, 9.0), Ok(ChunkCoord::ORIGIN));
    assert_eq!(
        ahead(Vec3::new(9.0, -4.0, 18.0), 0.5),
        Ok(ChunkCoord::new(0, -1, 1))
    );
    assert_eq!(
        ahead(Vec3::NAN, 1.0).unwrap_err().kind,
        PositionErrorKind::NotFinite
    );
    let kind = ahead(Vec3::Y * f32::MAX, 1.0).unwrap_err().kind;
    assert_eq!(kind, PositionErrorKind::OutOfRange);
    // A standing viewer is where it is, whatever the horizon; ten million metres out as well.
    let far = DVec3::splat(1e7 + 9.99);
    let ahead = grid.coord_ahead_precise(far, DVec3::X * 0.02, Duration::from_secs(1));
    assert_eq!(ahead.unwrap().x, 1_000_001);
}

proptest! {
    #[test]
    fn centres_lie_in_their_chunks_ten_million_metres_out(
        x in -10_000_000..10_000_000_i32, y in -1_000_000..1_000_000_i32,
        z in any::<i32>(), sizes in prop::array::uniform3(0.01_f32..1000.0),
    ) {
        let grid = ChunkGrid::volumetric(Vec3::from_array(sizes)).unwrap();
        let coord = ChunkCoord::new(x, y, z);
        prop_assert_eq!(grid.coord_at_precise(grid.centre_precise(coord)), Ok(coord));
    }

    #[test]
    fn corners_lie_in_their_chunks_where_sizes_are_short(
        coord in any::<[i32; 3]>(), sixty_fourths in 1..4_000_000_u32,
    ) {
        let grid = ChunkGrid::volumetric(Vec3::splat(sixty_fourths as f32 / 64.0)).unwrap();
        let coord = ChunkCoord::from(coord);
        prop_assert_eq!(grid.coord_at_precise(grid.min_corner_precise(coord)), Ok(coord));
    }

    #[test]
    fn single_precision_positions_are_placed_exactly(steps in -0x7fff_ff00..0x7fff_ff00_i32, size in 0.5_f32..600.0) {
        let position = steps as f32 / 256.0;
        let grid = ChunkGrid::planar(size).unwrap();
        let x = i64::from(grid.coord_at(Vec3::new(position, 0.0, 0.0)).unwrap().x);
        // 2⁻⁶⁴ units: every single-precision position and size above is a whole number of them.
        let whole = |value: f32| (f64::from(value) * 2.0_f64.powi(64)) as i128;
        let position = whole(position);
        prop_assert!(i128::from(x) * whole(size) <= position);
        prop_assert!(position < i128::from(x + 1) * whole(size));
    }
}
