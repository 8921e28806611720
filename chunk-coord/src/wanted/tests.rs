use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use core::time::Duration;

use proptest::prelude::*;

use super::WantedSet;
use crate::budget::QUANTUM;
use crate::stencil::{MOST_STEPS, Stencils};
use crate::{Changes, ChunkCoord, Footprint, ScanBudget, ViewRange, Viewer};

fn ranges() -> impl Strategy<Value = ViewRange> {
    let shape = |shape: u8, size: u32| match shape {
        0 => Footprint::Disc { radius: size },
        1 => Footprint::Sphere { radius: size },
        2 => Footprint::Cylinder {
            radius: size,
            half_height: size / 3,
        },
        _ => Footprint::Cuboid {
            half_extents: [size, size / 2, 2 * size],
        },
    };
    (0..4_u8, 1..9_u32, 0..3_u32).prop_map(move |(kind, size, more)| {
        let range = ViewRange::new(shape(kind, size), shape(kind, size + more));
        range.expect("the unload footprint is the larger")
    })
}

/// A viewer in the middle, and some who may be near.
fn viewers(range: ViewRange, others: &[[i32; 3]]) -> Vec<Viewer> {
    let all =
        core::iter::once(ChunkCoord::ORIGIN).chain(others.iter().copied().map(ChunkCoord::from));
    let viewer = |(id, coord)| Viewer { id, coord, range };
    (0..).zip(all).map(viewer).collect()
}

/// A set that has settled around viewers.
fn settled(viewers: &[Viewer]) -> WantedSet {
    let mut wanted = WantedSet::new();
    changes_of(&mut wanted, viewers, ScanBudget::unlimited());
    wanted
}

fn changes_of(wanted: &mut WantedSet, viewers: &[Viewer], mut budget: ScanBudget<'_>) -> Changes {
    let mut changes = Changes::new();
    wanted.update(viewers, &mut budget, &mut changes);
    changes
}

proptest! {
    #[test]
    fn a_step_that_is_known_changes_the_same_in_the_same_order_as_one_that_is_not(
        range in ranges(),
        others in prop::collection::vec((prop::array::uniform3(-40..40_i32), ranges()), 0..3),
        steps in prop::collection::vec(prop::array::uniform3(-2..3_i32), 1..4),
        length in 1..9_i32,
        walk in prop::collection::vec(0..4_usize, 1..20),
    ) {
        let (places, ranges): (Vec<_>, Vec<_>) = others.into_iter().unzip();
        let mut viewers = viewers(range, &places);
        for (viewer, range) in viewers[1..].iter_mut().zip(ranges) {
            viewer.range = range;
        }
        let mut wanted = settled(&viewers);
        for step in walk {
            let [x, y, z] = steps[step % steps.len()].map(|step| step * length);
            viewers[0].coord = viewers[0].coord.saturating_offset(x, y, z);
            let mut forgetful = wanted.clone();
            forgetful.stencils = Stencils::default();
            let expected = changes_of(&mut forgetful, &viewers, ScanBudget::unlimited());
            prop_assert_eq!(changes_of(&mut wanted, &viewers, ScanBudget::unlimited()), expected);
            prop_assert_eq!(wanted.len(), forgetful.len());
        }
    }

    #[test]
    fn a_known_step_that_does_not_fit_a_budget_goes_on_in_the_next(
        range in ranges(), step in prop::array::uniform3(-1..2_i32), budgets in prop::collection::vec(0..70_usize, 1..40),
    ) {
        let [x, y, z] = step;
        let mut viewers = viewers(range, &[]);
        let mut wanted = WantedSet::new();
        let mut mirror = BTreeSet::new();
        let mut budgets = budgets.into_iter();
        for _ in 0..4 {
            let mut tell = |changes: Changes| {
                assert!(changes.left.iter().all(|coord| mirror.remove(coord)));
                assert!(changes.entered.iter().all(|coord| mirror.insert(*coord)));
            };
            for budget in budgets.by_ref() {
                let changes = changes_of(&mut wanted, &viewers, ScanBudget::coordinates(budget));
                prop_assert!(changes.entered.len() + changes.left.len() <= budget);
                tell(changes);
                if wanted.is_settled() {
                    break;
                }
            }
            tell(changes_of(&mut wanted, &viewers, ScanBudget::unlimited()));
            let members: BTreeSet<_> = wanted.iter().collect();
            prop_assert_eq!(&members, &mirror);
            let mut fresh = WantedSet::new();
            let loaded = changes_of(&mut fresh, &viewers, ScanBudget::unlimited()).entered;
            prop_assert!(loaded.iter().all(|coord| members.contains(coord)));
            let (centre, kept) = (viewers[0].coord, range.unload());
            prop_assert!(members.iter().all(|coord| kept.contains(centre, *coord)));
            viewers[0].coord = centre.saturating_offset(x, y, z);
        }
    }
}

#[test]
fn steps_are_known_from_the_second_time_on_and_the_oldest_are_forgotten() {
    let range = ViewRange::sphere(5, 6).expect("6 is more than 5");
    let mut viewers = viewers(range, &[]);
    let mut wanted = settled(&viewers);
    let mut known = Vec::new();
    for step in [1, 1, 1, 2, 2] {
        viewers[0].coord = viewers[0].coord.saturating_offset(step, 0, 0);
        changes_of(&mut wanted, &viewers, ScanBudget::unlimited());
        known.push(wanted.stencils.len());
    }
    assert_eq!(known, [0, 1, 1, 1, 2]);
    for step in (0..2 * 60).map(|n| n / 2) {
        viewers[0].coord = (viewers[0].coord).saturating_offset(step % 3, step % 5, step % 4);
        changes_of(&mut wanted, &viewers, ScanBudget::unlimited());
    }
    assert_eq!(wanted.stencils.len(), MOST_STEPS);
}

#[test]
fn a_step_that_changes_very_many_chunks_or_crosses_very_many_rows_is_not_remembered() {
    // A plate that goes up changes all of its chunks, and a wall that does so has a row for each.
    for half_extents in [[60, 0, 60], [0, 130, 130]] {
        let range = ViewRange::cuboid(half_extents, half_extents).expect("they are equal");
        let mut viewers = viewers(range, &[]);
        let mut wanted = WantedSet::new();
        for _ in 0..3 {
            viewers[0].coord.y += 1;
            changes_of(&mut wanted, &viewers, ScanBudget::unlimited());
        }
        let [x, y, z] = half_extents.map(|half| 2 * half as usize + 1);
        assert_eq!((wanted.len(), wanted.stencils.len()), (x * y * z, 0));
    }
}

/// Lets the first viewer take the same step again and again, and compares with a set that knows no steps.
fn walk(mut viewers: Vec<Viewer>, step: [i32; 3], steps: usize) {
    let mut wanted = settled(&viewers);
    for _ in 0..steps {
        let [x, y, z] = step;
        viewers[0].coord = viewers[0].coord.saturating_offset(x, y, z);
        let mut forgetful = wanted.clone();
        forgetful.stencils = Stencils::default();
        let expected = changes_of(&mut forgetful, &viewers, ScanBudget::unlimited());
        let changes = changes_of(&mut wanted, &viewers, ScanBudget::unlimited());
        assert_eq!(changes, expected);
    }
}

#[test]
fn a_viewer_that_jumps_past_another_leaves_chunks_in_the_order_around_the_other() {
    let disc = ViewRange::disc(8, 8).expect("equal radii");
    let mut jumping = viewers(disc, &[[48, 1, 48]]);
    walk(jumping.clone(), [16, 0, 16], 5);
    let sphere = ViewRange::sphere(9, 9).expect("equal radii");
    let point = ViewRange::sphere(0, 0).expect("equal radii");
    jumping = viewers(sphere, &[[54 - 11, 54, 54]]);
    jumping[1].range = point;
    walk(jumping, [18, 18, 18], 5);
}

#[test]
fn a_step_at_the_end_of_the_world_is_not_one_in_the_middle() {
    let half_the_world = 1 << 31;
    let wide = ViewRange::cuboid([3, 0, 3], [half_the_world, 0, 3]).expect("the second is larger");
    let mut viewers = viewers(wide, &[]);
    viewers[0].coord.x = i32::MIN;
    let mut wanted = WantedSet::new();
    for x in [i32::MIN, 0, 1, 2] {
        viewers[0].coord.x = x;
        changes_of(&mut wanted, &viewers, ScanBudget::unlimited());
    }
    assert!(!wanted.contains(ChunkCoord::planar(i32::MIN + 1, 0)));
}

#[test]
fn what_leaves_nothing_behind_costs_nothing_of_a_count() {
    // So far behind the viewer nothing was ever loaded.
    let range = ViewRange::disc(8, 64).expect("64 is more than 8");
    let mut viewers = viewers(range, &[]);
    let mut wanted = settled(&viewers);
    for _ in 0..4 {
        viewers[0].coord.x += 1;
        changes_of(&mut wanted, &viewers, ScanBudget::coordinates(40));
        assert!(wanted.is_settled());
    }
}

#[test]
fn a_known_step_stops_when_the_time_is_over_and_goes_on_in_the_next_update() {
    let range = ViewRange::sphere(12, 12).expect("equal radii");
    let mut viewers = viewers(range, &[]);
    let mut wanted = settled(&viewers);
    for _ in 0..2 {
        viewers[0].coord.z += 1;
        changes_of(&mut wanted, &viewers, ScanBudget::unlimited());
    }
    assert_eq!(wanted.stencils.len(), 1);
    viewers[0].coord.z += 1;
    let mut found = (0, 0);
    let mut now = || Duration::ZERO;
    while !wanted.is_settled() || found == (0, 0) {
        let budget = ScanBudget::with_clock(Duration::ZERO, &mut now);
        let changes = changes_of(&mut wanted, &viewers, budget);
        let count = changes.entered.len() + changes.left.len();
        assert!((1..=QUANTUM as usize).contains(&count));
        found = (
            found.0 + changes.entered.len(),
            found.1 + changes.left.len(),
        );
    }
    // As many rows as a disc of 12 has chunks, one at each end.
    assert_eq!(found, (441, 441));
    assert_eq!(wanted.len(), settled(&viewers).len());
}
