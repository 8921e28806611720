//! Several viewers, and so many that queries use the tree: the set stays exact, and in order.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chunk_coord::{
    Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet, nearest_distance_sq,
};
use proptest::prelude::*;

/// A viewer's coordinates and load radius.
type Ball = ([i32; 3], u32);

fn viewers(balls: &[Ball]) -> Vec<Viewer> {
    (0..)
        .zip(balls)
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
    fn many_viewers_that_move_at_once_agree_with_brute_force(
        mut balls in prop::collection::vec(
            ((-30..30_i32, -3..3_i32, -30..30_i32).prop_map(|(x, y, z)| [x, y, z]), 0..4_u32),
            17..60,
        ),
        moves in prop::collection::vec((steps(), any::<bool>()), 1..5),
    ) {
        let mut wanted = WantedSet::new();
        let mut expected = BTreeSet::new();
        for (steps, is_limited) in moves {
            for ((coord, _), step) in balls.iter_mut().zip(steps) {
                for (at, by) in coord.iter_mut().zip(step) {
                    *at += by;
                }
            }
            let viewers = viewers(&balls);
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
fn after_a_jump_past_another_viewer_chunks_leave_in_the_order_around_it() {
    let disc = ViewRange::disc(8, 8).expect("equal radii");
    let sphere = ViewRange::sphere(9, 9).expect("equal radii");
    let point = ViewRange::sphere(0, 0).expect("equal radii");
    let cases = [
        (disc, [16, 0, 16], disc, [48, 1, 48]),
        (sphere, [18, 18, 18], point, [54 - 11, 54, 54]),
    ];
    for (range, [x, y, z], other_range, other) in cases {
        let viewer = |id, coord, range| Viewer { id, coord, range };
        let other = ChunkCoord::from(other);
        let mut viewers = [
            viewer(0, ChunkCoord::ORIGIN, range),
            viewer(1, other, other_range),
        ];
        let mut wanted = WantedSet::new();
        let mut changes = Changes::new();
        for _ in 0..6 {
            wanted.update(&viewers, &mut ScanBudget::unlimited(), &mut changes);
            let centres = viewers.map(|viewer| viewer.coord);
            let farthest_first =
                |coord: &ChunkCoord| (Reverse(nearest_distance_sq(*coord, &centres)), *coord);
            assert!(changes.left.is_sorted_by_key(farthest_first));
            changes.clear();
            viewers[0].coord = viewers[0].coord.saturating_offset(x, y, z);
        }
    }
}

#[test]
fn a_footprint_that_ends_at_the_end_of_the_range_moves_on_inside_it() {
    let half_the_range = 1 << 31;
    let range = ViewRange::cuboid([3, 0, 3], [half_the_range, 0, 3]).expect("the second is larger");
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    for x in [i32::MIN, 0, 1, 2] {
        let coord = ChunkCoord::planar(x, 0);
        let viewer = Viewer {
            id: 0,
            coord,
            range,
        };
        wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
    }
    assert!(!wanted.contains(ChunkCoord::planar(i32::MIN + 1, 0)));
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
