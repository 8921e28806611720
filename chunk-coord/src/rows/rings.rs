//! Footprints cut into rings, one chunk thick, around their centres.

use super::interval::Interval;
use super::isqrt::{isqrt, isqrt_up};
use super::placed_footprint::{Layer, PlacedFootprint};
use crate::coord::square;
use crate::footprint::Footprint;

/// The number of the ring with the outermost chunks of a footprint. Every chunk beyond the ring before it
/// belongs to it.
pub(crate) fn last_ring(target: &PlacedFootprint) -> u32 {
    isqrt(target.footprint.outermost_sq())
}

/// The radius, in chunks, of a ball around the centre of `target` in which every chunk of `target` is a
/// member; -1 where there is none, and [`i64::MAX`] where all of `target` are members.
///
/// Given is that the chunks of `complete` are members, as far as they lie within `reached` of its own centre.
pub(crate) fn complete_radius(
    complete: &PlacedFootprint,
    target: &PlacedFootprint,
    reached: i64,
) -> i64 {
    let (from, to) = (complete.centre, target.centre);
    let [x, y, z] = [
        from.x.abs_diff(to.x),
        from.y.abs_diff(to.y),
        from.z.abs_diff(to.z),
    ];
    let [far_x, far_y, far_z] = target.footprint.half_extents().map(u64::from);
    let away = isqrt_up(from.distance_sq(to));
    let away_flat = isqrt_up(square(x).saturating_add(square(z)));
    let far = isqrt_up(target.footprint.outermost_sq());
    let far_flat = isqrt_up(target.footprint.outermost_flat_sq());
    let [own_x, own_y, own_z] = complete.footprint.half_extents().map(i64::from);
    let shape = match complete.footprint {
        Footprint::Disc { .. } | Footprint::Cylinder { .. } => {
            inside(own_x, away_flat, far_flat).min(inside(own_y, y.into(), far_y))
        }
        // How far the target reaches from the axis is at most how far it reaches at all.
        Footprint::DiscXy { .. } => {
            let away_upright = isqrt_up(square(x).saturating_add(square(y)));
            inside(own_x, away_upright, far).min(inside(own_z, z.into(), far_z))
        }
        Footprint::Sphere { .. } => inside(own_x, away, far),
        Footprint::Cuboid { .. } => inside(own_x, x.into(), far_x)
            .min(inside(own_y, y.into(), far_y))
            .min(inside(own_z, z.into(), far_z)),
    };
    shape.min(inside(reached, away, far)).max(-1)
}

/// The largest radius of a ball whose part within a shape that reaches `far` stays within `own` of a centre
/// that is `away`, by the triangle inequality; along one axis, two axes or in space.
fn inside(own: i64, away: u64, far: u64) -> i64 {
    // Each is at most 2³³.
    let (away, far) = (away as i64, far as i64);
    if away + far <= own {
        i64::MAX
    } else {
        own - away
    }
}

/// The layers in which ring number `ring` of `target` may have chunks.
pub(crate) fn ring_layers(target: &PlacedFootprint, ring: u32) -> Interval {
    if ring == last_ring(target) {
        return target.y_interval();
    }
    let ball = Interval::around(target.centre.y, ring);
    // Both contain the centre.
    ball.intersection(target.y_interval()).unwrap_or(ball)
}

/// The chunks of `target` in layer `y` whose distance is in (`ring` - 1, `ring`], or more in the last
/// ring.
pub(crate) fn ring_region(target: &PlacedFootprint, ring: u32, y: i32) -> Option<Region> {
    let centre = target.centre;
    let disc = |ball: u32| {
        let radius_sq = square(ball).checked_sub(square(y.abs_diff(centre.y)))?;
        Some(Layer::round(centre.x, centre.z, radius_sq))
    };
    let is_round = match target.footprint {
        Footprint::Disc { .. } | Footprint::Sphere { .. } => true,
        Footprint::DiscXy { .. } | Footprint::Cylinder { .. } | Footprint::Cuboid { .. } => false,
    };
    let own = target.layer(y)?;
    let (all, within) = if ring == last_ring(target) {
        (own, None)
    } else {
        (disc(ring)?, (!is_round).then_some(own))
    };
    Some(Region {
        all,
        within,
        without: ring.checked_sub(1).and_then(disc),
    })
}

/// A part of a layer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Region {
    all: Layer,
    within: Option<Layer>,
    without: Option<Layer>,
}

impl Region {
    pub(crate) fn whole(layer: Layer) -> Self {
        Self {
            all: layer,
            within: None,
            without: None,
        }
    }

    /// The rows (values of z) that the region may have chunks in.
    pub(crate) fn z_interval(&self) -> Interval {
        let rows = self.all.z_interval();
        self.within
            .and_then(|within| rows.intersection(within.z_interval()))
            .unwrap_or(rows)
    }

    /// The chunks (values of x) of row `z`.
    #[inline]
    pub(crate) fn x_intervals(&self, z: i32) -> [Option<Interval>; 2] {
        let Some(within) = self.within else {
            return self.all.x_interval_minus(z, self.without.as_ref());
        };
        let all = self.all.x_interval(z).zip(within.x_interval(z));
        match all.and_then(|(all, within)| all.intersection(within)) {
            Some(all) => all.minus(self.without.and_then(|without| without.x_interval(z))),
            None => [None; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coord::ChunkCoord;
    use crate::footprint::tests::footprints;
    use proptest::prelude::*;

    fn placed() -> impl Strategy<Value = PlacedFootprint> {
        ((-4..=4_i32, -2..=2_i32, -4..=4_i32), footprints(0..7)).prop_map(
            |((x, y, z), footprint)| PlacedFootprint::new(ChunkCoord::new(x, y, z), footprint),
        )
    }

    fn every_chunk(placed: PlacedFootprint) -> impl Iterator<Item = ChunkCoord> {
        let [x, y, z] = placed.bounds().map(|interval| interval.low..=interval.high);
        x.flat_map(move |x| {
            let z = z.clone();
            (y.clone()).flat_map(move |y| z.clone().map(move |z| ChunkCoord::new(x, y, z)))
        })
        .filter(move |&coord| placed.footprint.contains(placed.centre, coord))
    }

    proptest! {
        #[test]
        fn within_the_complete_radius_nothing_is_missing(
            complete in placed(), target in placed(), reached in prop_oneof![-1..9_i64, Just(i64::MAX)],
        ) {
            let radius = complete_radius(&complete, &target, reached);
            prop_assert!(radius >= -1);
            let is_near = |from: ChunkCoord, coord, ball: i64| {
                ball == i64::MAX || ball >= 0 && from.distance_sq(coord) <= (ball * ball) as u64
            };
            for coord in every_chunk(target).filter(|&coord| is_near(target.centre, coord, radius)) {
                let is_done = complete.footprint.contains(complete.centre, coord)
                    && is_near(complete.centre, coord, reached);
                prop_assert!(is_done, "{coord} of a ball of {radius}");
            }
        }

        #[test]
        fn the_rings_of_a_footprint_are_all_of_it_and_share_nothing(target in placed()) {
            let mut found = alloc::vec::Vec::new();
            for ring in 0..=last_ring(&target) {
                let layers = ring_layers(&target, ring);
                for y in layers.low..=layers.high {
                    let Some(region) = ring_region(&target, ring, y) else { continue };
                    let rows = region.z_interval();
                    for z in rows.low..=rows.high {
                        for interval in region.x_intervals(z).into_iter().flatten() {
                            interval.each(|x| found.push(ChunkCoord::new(x, y, z)));
                        }
                    }
                }
            }
            found.sort_unstable();
            let mut expected: alloc::vec::Vec<_> = every_chunk(target).collect();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn after_a_step_only_the_axes_that_moved_bound_the_complete_radius() {
        let at = |x, y, footprint| PlacedFootprint::new(ChunkCoord::new(x, y, 0), footprint);
        let step =
            |footprint, x, y| complete_radius(&at(0, 0, footprint), &at(x, y, footprint), i64::MAX);
        let disc = Footprint::Disc { radius: 64 };
        assert_eq!(
            [step(disc, 0, 0), step(disc, 1, 0), step(disc, 0, 1)],
            [i64::MAX, 63, -1]
        );
        let tall = Footprint::Cylinder {
            radius: 2,
            half_height: 100,
        };
        assert_eq!(
            [step(tall, 1, 0), step(tall, 5, 0), step(tall, 0, 1)],
            [1, -1, 99]
        );
        let flat = Footprint::Cuboid {
            half_extents: [64, 1, 64],
        };
        assert_eq!(
            [step(flat, 1, 0), step(flat, 0, 1), step(flat, 0, 2)],
            [63, 0, -1]
        );
    }
}
