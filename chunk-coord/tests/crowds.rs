//! More viewers than are asked one by one: the set stays exact, and in order.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chunk_coord::{
    Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet, nearest_distance_sq,
};
use proptest::prelude::*;

/// Where a viewer is, and its radius.
type Place = ([i32; 3], u32);

fn viewers(places: &[Place]) -> Vec<Viewer> {
    (0..)
        .zip(places)
        .map(|(id, &([x, y, z], radius))| Viewer {
            id,
            coord: ChunkCoord::new(x, y, z),
            range: ViewRange::sphere(radius, radius + 1).expect("one more"),
        })
        .collect()
}

fn around(viewer: &Viewer, radius: u32) -> impl Iterator<Item = ChunkCoord> {
    let (centre, reach) = (viewer.coord, radius as i32);
    (-reach..=reach)
        .flat_map(move |y| (-reach..=reach).map(move |z| (y, z)))
        .flat_map(move |(y, z)| (-reach..=reach).map(move |x| centre.saturating_offset(x, y, z)))
        .filter(move |coord| coord.distance_sq(centre) <= u64::from(radius * radius))
}

/// What the set should be, after it was `before`.
fn model(before: &BTreeSet<ChunkCoord>, viewers: &[Viewer]) -> BTreeSet<ChunkCoord> {
    let loaded = viewers
        .iter()
        .flat_map(|viewer| around(viewer, viewer.range.load_radius()));
    let kept: BTreeSet<_> = (viewers.iter())
        .flat_map(|viewer| around(viewer, viewer.range.unload_radius()))
        .collect();
    before
        .iter()
        .copied()
        .chain(loaded)
        .filter(|coord| kept.contains(coord))
        .collect()
}

fn steps() -> impl Strategy<Value = Vec<[i32; 3]>> {
    prop::collection::vec(prop::array::uniform3(-2..=2_i32), 60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_crowd_that_moves_at_once_agrees_with_brute_force(
        mut places in prop::collection::vec(
            ((-30..30_i32, -3..3_i32, -30..30_i32).prop_map(|(x, y, z)| [x, y, z]), 0..4_u32),
            17..60,
        ),
        moves in prop::collection::vec((steps(), any::<bool>()), 1..5),
    ) {
        let mut wanted = WantedSet::new();
        let mut expected = BTreeSet::new();
        for (steps, is_limited) in moves {
            for ((place, _), step) in places.iter_mut().zip(steps) {
                for (at, by) in place.iter_mut().zip(step) {
                    *at += by;
                }
            }
            let viewers = viewers(&places);
            let centres: Vec<_> = viewers.iter().map(|viewer| viewer.coord).collect();
            expected = model(&expected, &viewers);
            loop {
                let mut changes = Changes::new();
                let mut budget = if is_limited {
                    ScanBudget::coordinates(300)
                } else {
                    ScanBudget::unlimited()
                };
                wanted.update(&viewers, &mut budget, &mut changes);
                let nearest = |coord: &ChunkCoord| nearest_distance_sq(*coord, &centres);
                prop_assert!(changes.entered.is_sorted_by_key(|coord| (nearest(coord), *coord)));
                prop_assert!(changes.left.is_sorted_by_key(|coord| (Reverse(nearest(coord)), *coord)));
                if wanted.is_settled() {
                    break;
                }
                prop_assert!(is_limited);
            }
            prop_assert_eq!(&wanted.iter().collect::<BTreeSet<_>>(), &expected);
        }
    }
}

#[test]
fn passengers_of_one_vehicle_want_what_one_of_them_wants() {
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    for x in 0..20 {
        changes.clear();
        let viewers = viewers(&[([x, 0, 0], 3); 100]);
        wanted.update(&viewers, &mut ScanBudget::unlimited(), &mut changes);
        let alone = model(&BTreeSet::new(), &viewers[..1]);
        assert!(alone.is_subset(&wanted.iter().collect()));
        assert!(
            wanted.len() <= 257,
            "no more than an unload footprint of radius 4"
        );
    }
    wanted.update(&[], &mut ScanBudget::unlimited(), &mut changes);
    assert!(wanted.is_empty());
}
