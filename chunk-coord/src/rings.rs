//! Footprints cut into rings, one chunk thick, around their centres.

use crate::Footprint;
use crate::placed::{Layer, Placed};
use crate::root::{root, root_up};
use crate::span::Span;

/// The ring that holds the outermost chunks of a footprint. Everything beyond the ring before it counts
/// as part of it.
pub(crate) fn last_ring(target: &Placed) -> u32 {
    root(target.footprint.outermost_sq())
}

/// The radius of a ball around the centre of `target` such that what it shares with `target` is done,
/// given that `complete` is done, as far as it lies in the ball of radius `reached` around its own
/// centre. -1 where there is none, and [`i64::MAX`] where all of `target` is done.
pub(crate) fn solid_ball(complete: &Placed, target: &Placed, reached: i64) -> i64 {
    let (from, to) = (complete.centre, target.centre);
    let square = |value: u32| u64::from(value) * u64::from(value);
    let [x, y, z] = [
        from.x.abs_diff(to.x),
        from.y.abs_diff(to.y),
        from.z.abs_diff(to.z),
    ];
    let [far_x, far_y, far_z] = target.footprint.half_extents().map(u64::from);
    let away = root_up(from.distance_sq(to));
    let away_flat = root_up(square(x).saturating_add(square(z)));
    let far = root_up(target.footprint.outermost_sq());
    let far_flat = root_up(target.footprint.outermost_flat_sq());
    let shape = match complete.footprint {
        Footprint::Disc { radius } => {
            inside(i64::from(radius), away_flat, far_flat).min(inside(0, y.into(), far_y))
        }
        Footprint::Cylinder {
            radius,
            half_height,
        } => inside(i64::from(radius), away_flat, far_flat).min(inside(
            half_height.into(),
            y.into(),
            far_y,
        )),
        Footprint::Sphere { radius } => inside(i64::from(radius), away, far),
        Footprint::Cuboid {
            half_extents: [own_x, own_y, own_z],
        } => inside(own_x.into(), x.into(), far_x)
            .min(inside(own_y.into(), y.into(), far_y))
            .min(inside(own_z.into(), z.into(), far_z)),
    };
    shape.min(inside(reached, away, far)).max(-1)
}

/// How far a ball may reach so that what it shares with a shape that reaches `far` stays within `own` of
/// a centre that is `away`. By the triangle inequality; along an axis or two, or in space.
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
pub(crate) fn ring_layers(target: &Placed, ring: u32) -> Span {
    if ring == last_ring(target) {
        return target.y_span();
    }
    let ball = Span::around(target.centre.y, ring);
    // Both contain the centre.
    ball.intersection(target.y_span()).unwrap_or(ball)
}

/// The chunks of `target` in layer `y` whose distance is in (`ring` - 1, `ring`], or more in the last
/// ring.
pub(crate) fn ring_region(target: &Placed, ring: u32, y: i32) -> Option<Region> {
    let centre = target.centre;
    let square = |value: u32| u64::from(value) * u64::from(value);
    let disc = |ball: u32| {
        let radius_sq = square(ball).checked_sub(square(y.abs_diff(centre.y)))?;
        Some(Layer::round(centre.x, centre.z, radius_sq))
    };
    let is_round = matches!(
        target.footprint,
        Footprint::Disc { .. } | Footprint::Sphere { .. }
    );
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

    /// The layer, where the region is all of it.
    #[inline]
    pub(crate) fn as_whole(&self) -> Option<&Layer> {
        (self.within.is_none() && self.without.is_none()).then_some(&self.all)
    }

    /// The rows (values of z) that the region may have chunks in.
    pub(crate) fn z_span(&self) -> Span {
        let rows = self.all.z_span();
        self.within
            .and_then(|within| rows.intersection(within.z_span()))
            .unwrap_or(rows)
    }

    /// The chunks (values of x) of row `z`.
    #[inline]
    pub(crate) fn x_spans(&self, z: i32) -> [Option<Span>; 2] {
        let Some(within) = self.within else {
            return self.all.x_span_minus(z, self.without.as_ref());
        };
        let all = self.all.x_span(z).zip(within.x_span(z));
        match all.and_then(|(all, within)| all.intersection(within)) {
            Some(all) => all.minus(self.without.and_then(|without| without.x_span(z))),
            None => [None; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChunkCoord;
    use proptest::prelude::*;

    fn placed() -> impl Strategy<Value = Placed> {
        let footprint = prop_oneof![
            (0..7_u32).prop_map(|radius| Footprint::Disc { radius }),
            (0..7_u32).prop_map(|radius| Footprint::Sphere { radius }),
            (0..7_u32, 0..7_u32).prop_map(|(radius, half_height)| Footprint::Cylinder {
                radius,
                half_height
            }),
            prop::array::uniform3(0..7_u32)
                .prop_map(|half_extents| Footprint::Cuboid { half_extents }),
        ];
        let centre = (-4..=4_i32, -2..=2_i32, -4..=4_i32);
        (centre, footprint)
            .prop_map(|((x, y, z), footprint)| Placed::new(ChunkCoord::new(x, y, z), footprint))
    }

    fn every_chunk(placed: Placed) -> impl Iterator<Item = ChunkCoord> {
        let [x, y, z] = placed.bounds().map(|span| span.low..=span.high);
        x.flat_map(move |x| {
            let z = z.clone();
            (y.clone()).flat_map(move |y| z.clone().map(move |z| ChunkCoord::new(x, y, z)))
        })
        .filter(move |&coord| placed.footprint.contains(placed.centre, coord))
    }

    proptest! {
        #[test]
        fn nothing_in_the_solid_ball_is_left_to_do(
            complete in placed(), target in placed(), reached in prop_oneof![-1..9_i64, Just(i64::MAX)],
        ) {
            let solid = solid_ball(&complete, &target, reached);
            prop_assert!(solid >= -1);
            let is_near = |from: ChunkCoord, coord, ball: i64| {
                ball == i64::MAX || ball >= 0 && from.distance_sq(coord) <= (ball * ball) as u64
            };
            for coord in every_chunk(target).filter(|&coord| is_near(target.centre, coord, solid)) {
                let is_done = complete.footprint.contains(complete.centre, coord)
                    && is_near(complete.centre, coord, reached);
                prop_assert!(is_done, "{coord} of a ball of {solid}");
            }
        }

        #[test]
        fn the_rings_of_a_footprint_are_all_of_it_and_share_nothing(target in placed()) {
            let mut found = alloc::vec::Vec::new();
            for ring in 0..=last_ring(&target) {
                let layers = ring_layers(&target, ring);
                for y in layers.low..=layers.high {
                    let Some(region) = ring_region(&target, ring, y) else { continue };
                    let rows = region.z_span();
                    for z in rows.low..=rows.high {
                        for span in region.x_spans(z).into_iter().flatten() {
                            span.each(|x| found.push(ChunkCoord::new(x, y, z)));
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
    fn a_step_leaves_a_ball_that_only_what_moved_bounds() {
        let at = |x, y, footprint| Placed::new(ChunkCoord::new(x, y, 0), footprint);
        let step =
            |footprint, x, y| solid_ball(&at(0, 0, footprint), &at(x, y, footprint), i64::MAX);
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
