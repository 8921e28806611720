//! Priorities beside the plain distance: the way a viewer moves, and the direction in which it looks.
//!
//! Each function returns a squared distance, smaller being sooner, and takes what another returns: they compose.

use bevy_math::{DVec3, Vec3};

use crate::coord::ChunkCoord;

/// The squared distance from `coord` to the way from `from` to `ahead`, in chunks².
///
/// With the chunk that a viewer is in as `from`, and the chunk that it will be in by the time a chunk is
/// generated as `ahead`, chunks on its way are as near as chunks around it. The fraction is cut off. With
/// `ahead` equal to `from` the result is [`distance_sq`](ChunkCoord::distance_sq).
///
/// ```
/// use chunk_coord::{ChunkCoord, look_ahead_sq};
///
/// let (here, there) = (ChunkCoord::ORIGIN, ChunkCoord::planar(10, 0));
/// assert_eq!(look_ahead_sq(here, there, ChunkCoord::planar(5, 2)), 4);
/// assert_eq!(look_ahead_sq(here, there, ChunkCoord::planar(-2, 0)), 4);
/// ```
#[must_use]
pub fn look_ahead_sq(from: ChunkCoord, ahead: ChunkCoord, coord: ChunkCoord) -> u64 {
    let between = |to: ChunkCoord| [(from.x, to.x), (from.y, to.y), (from.z, to.z)];
    let way = between(ahead).map(|(a, b)| i128::from(b) - i128::from(a));
    let off = between(coord).map(|(a, b)| i128::from(b) - i128::from(a));
    let dot = |a: [i128; 3], b: [i128; 3]| -> i128 { (0..3).map(|axis| a[axis] * b[axis]).sum() };
    let (along, length_sq) = (dot(off, way), dot(way, way));
    if along <= 0 {
        from.distance_sq(coord)
    } else if along >= length_sq {
        ahead.distance_sq(coord)
    } else {
        // |off|² − (off·way)² / |way|², over one denominator. Each factor is below 2⁶⁷, so a product overflows
        // i128 only for ways across the whole world.
        let beside = dot(off, off)
            .checked_mul(length_sq)
            .and_then(|product| product.checked_sub(along.checked_mul(along)?))
            .map(|product| product / length_sq);
        beside
            .and_then(|beside| u64::try_from(beside).ok())
            .unwrap_or_else(|| from.distance_sq(coord).min(ahead.distance_sq(coord)))
    }
}

/// `distance_sq`, increased for chunks outside the direction in which a viewer looks: unchanged straight
/// ahead, times `1 + weight / 2` at its sides and times `1 + weight` behind it. With a weight of 3, a chunk
/// behind counts as one twice as far.
///
/// The length of `direction` does not matter. The result is `distance_sq` where `direction` is zero or not
/// finite, where `weight` is not positive or not finite, and where `coord` is `viewer`. The increase is
/// computed in double precision, its fraction is cut off, and the sum saturates.
///
/// ```
/// use bevy_math::Vec3;
/// use chunk_coord::{ChunkCoord, view_weighted_sq};
///
/// let (viewer, east) = (ChunkCoord::ORIGIN, Vec3::X);
/// assert_eq!(view_weighted_sq(16, viewer, east, 3.0, ChunkCoord::planar(4, 0)), 16);
/// assert_eq!(view_weighted_sq(16, viewer, east, 3.0, ChunkCoord::planar(-4, 0)), 64);
/// ```
#[must_use]
pub fn view_weighted_sq(
    distance_sq: u64,
    viewer: ChunkCoord,
    direction: Vec3,
    weight: f32,
    coord: ChunkCoord,
) -> u64 {
    let difference = |from: i32, to: i32| f64::from(to) - f64::from(from);
    let off = DVec3::new(
        difference(viewer.x, coord.x),
        difference(viewer.y, coord.y),
        difference(viewer.z, coord.z),
    );
    // In double precision no single-precision vector is too long or too short to have a length.
    let direction = direction.as_dvec3();
    let cosine = off.dot(direction) / (off.length() * direction.length());
    let is_usable = weight.is_finite() && weight > 0.0 && cosine.is_finite();
    if !is_usable {
        return distance_sq;
    }
    // Clamped against rounding; `as` saturates.
    let away = ((1.0 - cosine) / 2.0).clamp(0.0, 1.0);
    distance_sq.saturating_add((distance_sq as f64 * (f64::from(weight) * away)) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn without_a_way_ahead_the_distance_is_plain(from: [i32; 3], coord: [i32; 3]) {
            let (from, coord) = (ChunkCoord::from(from), ChunkCoord::from(coord));
            prop_assert_eq!(look_ahead_sq(from, from, coord), from.distance_sq(coord));
        }

        #[test]
        fn the_way_is_never_farther_than_its_ends(
            from in prop::array::uniform3(-500..500_i32),
            ahead in prop::array::uniform3(-500..500_i32),
            coord in prop::array::uniform3(-500..500_i32),
        ) {
            let [from, ahead, coord] = [from, ahead, coord].map(ChunkCoord::from);
            let ends = from.distance_sq(coord).min(ahead.distance_sq(coord));
            let way = look_ahead_sq(from, ahead, coord);
            prop_assert!(way <= ends);
            // Against the same in floating point.
            let [a, b, c] = [from, ahead, coord].map(|at| {
                DVec3::new(f64::from(at.x), f64::from(at.y), f64::from(at.z))
            });
            let share = if a == b { 0.0 } else { ((c - a).dot(b - a) / (b - a).length_squared()).clamp(0.0, 1.0) };
            let expected = (a + (b - a) * share).distance_squared(c);
            prop_assert!((way as f64 - expected).abs() <= 1.001, "{way} {expected}");
        }

        #[test]
        fn no_coordinate_overflows(from: [i32; 3], ahead: [i32; 3], coord: [i32; 3], look: [f32; 3], weight: f32) {
            let [from, ahead, coord] = [from, ahead, coord].map(ChunkCoord::from);
            let way = look_ahead_sq(from, ahead, coord);
            prop_assert!(view_weighted_sq(way, from, Vec3::from_array(look), weight, coord) >= way);
        }

        #[test]
        fn the_length_of_a_direction_does_not_matter(
            look in prop::array::uniform3(-9..9_i8), power in -120..120_i32,
            coord in prop::array::uniform3(-99..99_i32), weight in 0.1..9.0_f32,
        ) {
            // A power of two, so that lengthening rounds nothing.
            let look = Vec3::from_array(look.map(f32::from));
            let (here, coord) = (ChunkCoord::ORIGIN, ChunkCoord::from(coord));
            let weighted = |look| view_weighted_sq(1_000_000, here, look, weight, coord);
            prop_assert_eq!(weighted(look * 2.0_f32.powi(power)), weighted(look));
        }
    }

    #[test]
    fn the_longest_and_the_shortest_directions_count() {
        let behind = ChunkCoord::planar(-3, 0);
        for length in [f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1)] {
            let look = Vec3::X * length;
            assert_eq!(
                view_weighted_sq(9, ChunkCoord::ORIGIN, look, 3.0, behind),
                36
            );
        }
    }

    #[test]
    fn unusable_directions_and_weights_change_nothing() {
        let coord = ChunkCoord::planar(-3, 0);
        for direction in [Vec3::ZERO, Vec3::NAN, Vec3::splat(f32::INFINITY)] {
            assert_eq!(
                view_weighted_sq(9, ChunkCoord::ORIGIN, direction, 3.0, coord),
                9
            );
        }
        for weight in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert_eq!(
                view_weighted_sq(9, ChunkCoord::ORIGIN, Vec3::X, weight, coord),
                9
            );
        }
    }

    #[test]
    fn priorities_compose() {
        let (here, ahead) = (ChunkCoord::ORIGIN, ChunkCoord::planar(3, 0));
        let edited = -9;
        let mut order = Vec::from([-9, -2, 2, 5]);
        order.sort_by_key(|&x| {
            let coord = ChunkCoord::planar(x, 0);
            let way = look_ahead_sq(here, ahead, coord);
            let weighted = view_weighted_sq(way, here, Vec3::X, 3.0, coord);
            (x != edited, weighted)
        });
        assert_eq!(order, [-9, 2, 5, -2]);
    }
}
