//! The order in which chunks enter over several updates, when the budget is too small for one.

use chunk_coord::{
    Changes, ChunkCoord, Footprint, ScanBudget, ViewRange, Viewer, WantedSet, nearest_distance_sq,
};
use proptest::prelude::*;

/// Footprints that take several updates of [`few`] coordinates.
fn footprints() -> impl Strategy<Value = Footprint> {
    prop_oneof![
        (12..40_u32).prop_map(|radius| Footprint::Disc { radius }),
        (12..40_u32).prop_map(|radius| Footprint::DiscXy { radius }),
        (6..14_u32).prop_map(|radius| Footprint::Sphere { radius }),
        (1..20_u32, 0..20_u32).prop_map(|(radius, half_height)| Footprint::Cylinder {
            radius,
            half_height
        }),
        (0..20_u32, 0..6_u32, 0..20_u32).prop_map(|(x, y, z)| Footprint::Cuboid {
            half_extents: [x, y, z]
        }),
    ]
}

/// The budget of one update.
fn few() -> impl Strategy<Value = usize> {
    40..300_usize
}

fn viewer(id: u64, coord: ChunkCoord, footprint: Footprint) -> Viewer {
    let range = ViewRange::new(footprint, footprint).expect("a footprint covers itself");
    Viewer { id, coord, range }
}

/// How much nearer a chunk may be than one that entered in an earlier update, in chunks: the two of a ring, and a
/// sixteenth of the way to the outermost chunk for the rim that a small step adds.
fn tolerance(footprint: Footprint) -> f64 {
    let outermost_sq: f64 = (footprint.half_extents().iter())
        .map(|&extent| f64::from(extent).powi(2))
        .sum();
    2.0 + outermost_sq.sqrt() / 16.0
}

/// Updates until everything is done, and returns the distances at which chunks entered, in order, and how
/// many updates it took.
fn distances(wanted: &mut WantedSet, viewers: &[Viewer], count: usize) -> (Vec<f64>, usize) {
    let centres: Vec<_> = viewers.iter().map(|viewer| viewer.coord).collect();
    let mut changes = Changes::new();
    let mut updates = 0;
    loop {
        wanted.update(viewers, &mut ScanBudget::coordinates(count), &mut changes);
        updates += 1;
        if wanted.is_settled() {
            break;
        }
    }
    let distances = (changes.entered.iter())
        .map(|&coord| (nearest_distance_sq(coord, &centres) as f64).sqrt())
        .collect();
    (distances, updates)
}

/// How far the nearest-first order is broken at worst, in chunks.
fn worst_inversion(distances: &[f64]) -> f64 {
    let mut farthest = 0.0_f64;
    let mut worst = 0.0_f64;
    for &distance in distances {
        worst = worst.max(farthest - distance);
        farthest = farthest.max(distance);
    }
    worst
}

proptest! {
    #[test]
    fn what_is_carried_over_enters_nearest_first(
        footprint in footprints(), count in few(),
        step in prop::array::uniform3(-3..=3_i32), is_far in prop::bool::weighted(0.2),
    ) {
        let mut wanted = WantedSet::new();
        let (order, _) = distances(&mut wanted, &[viewer(1, ChunkCoord::ORIGIN, footprint)], count);
        prop_assert!(worst_inversion(&order) <= 2.0, "appearing");
        let [x, y, z] = step.map(|step| if is_far { step * 1_000_000 } else { step });
        let there = viewer(1, ChunkCoord::new(x, y, z), footprint);
        let (order, updates) = distances(&mut wanted, &[there], count);
        let worst = worst_inversion(&order);
        prop_assert!(worst <= tolerance(footprint), "{worst} over {updates} updates");
    }

    #[test]
    fn several_viewers_are_served_nearest_first(
        radius in 4..20_u32, count in few(),
        coords in prop::collection::vec(prop::array::uniform2(-25..25_i32), 2..6),
    ) {
        let footprint = Footprint::Disc { radius };
        let viewers: Vec<_> = (0..).zip(&coords)
            .map(|(id, &[x, z])| viewer(id, ChunkCoord::planar(x, z), footprint))
            .collect();
        let (order, updates) = distances(&mut WantedSet::new(), &viewers, count);
        let worst = worst_inversion(&order);
        prop_assert!(worst <= 2.0, "{worst} over {updates} updates");
    }
}

#[test]
fn after_a_step_out_of_a_flat_footprint_the_nearest_enter_first() {
    // Nothing of the old layer is in the new one: the step is as good as a teleport.
    let disc = Footprint::Disc { radius: 64 };
    let flat = Footprint::Cuboid {
        half_extents: [24, 1, 24],
    };
    let tall = Footprint::Cylinder {
        radius: 2,
        half_height: 100,
    };
    for (footprint, [x, y, z]) in [(disc, [0, 1, 0]), (flat, [0, 1, 0]), (tall, [5, 0, 0])] {
        let mut wanted = WantedSet::new();
        let mut changes = Changes::new();
        let here = viewer(1, ChunkCoord::ORIGIN, footprint);
        wanted.update(&[here], &mut ScanBudget::unlimited(), &mut changes);
        let there = viewer(1, ChunkCoord::new(x, y, z), footprint);
        let (order, updates) = distances(&mut wanted, &[there], 64);
        assert!(updates > 5, "{footprint:?} enters in {updates} updates");
        let worst = worst_inversion(&order);
        assert!(
            worst <= tolerance(footprint),
            "{footprint:?}: {worst} chunks out of order"
        );
    }
}
