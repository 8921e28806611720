//! Viewers cross one border: the wanted set against a re-scan of the footprints.

use std::hint::black_box;

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};
use criterion::Criterion;

use crate::case::Case;
use crate::filter::Filter;
use crate::rescan::Rescan;

/// The step that viewers take again and again, and how many of them take it, side by side.
const WAYS: [(&str, [i32; 3], i32); 5] = [
    ("along x", [1, 0, 0], 1),
    ("along y", [0, 1, 0], 1),
    ("along z", [0, 0, 1], 1),
    ("diagonally", [1, 1, 1], 1),
    ("two viewers along x", [1, 0, 0], 2),
];

/// How many times faster than a re-scan the wanted set should be.
const TARGET: f64 = 30.0;

pub(crate) fn crossing(criterion: &mut Criterion, filter: &Filter) {
    let disc = ViewRange::disc(64, 66).expect("66 is more than 64");
    let sphere = ViewRange::sphere(24, 26).expect("26 is more than 24");
    for (shape, range) in [("disc 64", disc), ("sphere 24", sphere)] {
        let is_flat = range.load().half_extents()[1] == 0;
        for (name, [x, y, z], count) in WAYS {
            let step = if is_flat { [x, 0, z] } else { [x, y, z] };
            if step == [0; 3] {
                continue;
            }
            let viewers = side_by_side(range, count);
            check(&viewers, step);
            let name = format!("crossing/{shape} {name}");
            let lookups = format!("{name} (look-ups only)");
            if filter.any_of(&[&name, &lookups]) {
                cross(criterion, name, viewers, step);
            }
        }
    }
}

/// Viewers whose footprints overlap by half.
fn side_by_side(range: ViewRange, count: i32) -> Vec<Viewer> {
    let apart = range.load_radius() as i32;
    (0..count)
        .map(|index| Viewer {
            id: index as u64,
            coord: ChunkCoord::planar(0, apart * index),
            range,
        })
        .collect()
}

fn advance(viewers: &mut [Viewer], [x, y, z]: [i32; 3]) {
    for viewer in viewers {
        viewer.coord = viewer.coord.saturating_offset(x, y, z);
    }
}

fn centres(viewers: &[Viewer]) -> Vec<ChunkCoord> {
    viewers.iter().map(|viewer| viewer.coord).collect()
}

fn cross(criterion: &mut Criterion, name: String, mut viewers: Vec<Viewer>, step: [i32; 3]) {
    let range = viewers[0].range;
    let mut plain = Rescan::new();
    let mut centres = centres(&viewers);
    let mut case = Case::new(criterion, name, Some(TARGET));
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut own = || {
        advance(&mut viewers, step);
        changes.clear();
        wanted.update(
            black_box(&viewers),
            &mut ScanBudget::unlimited(),
            &mut changes,
        );
        changes.entered.len() + changes.left.len()
    };
    plain.update(&centres, range);
    let mut re_scan = || {
        let [x, y, z] = step;
        for centre in &mut centres {
            *centre = centre.saturating_offset(x, y, z);
        }
        plain.update(black_box(&centres), range);
        plain.entered.len() + plain.left.len()
    };
    case.way("wanted set", &mut own);
    case.way("re-scan", &mut re_scan);
    case.in_turns(own, re_scan);
    case.way("look-ups only", || {
        let absent = centres
            .iter()
            .map(|centre| plain.look_up(black_box(*centre), range));
        absent.sum::<usize>()
    });
}

/// Both ways give the same answer.
fn check(viewers: &[Viewer], step: [i32; 3]) {
    let mut viewers = viewers.to_vec();
    let (mut wanted, mut changes, mut plain) = (WantedSet::new(), Changes::new(), Rescan::new());
    for _ in 0..6 {
        changes.clear();
        wanted.update(&viewers, &mut ScanBudget::unlimited(), &mut changes);
        plain.update(&centres(&viewers), viewers[0].range);
        assert_eq!(changes.entered, plain.entered);
        changes.left.sort_unstable();
        plain.left.sort_unstable();
        assert_eq!(changes.left, plain.left);
        advance(&mut viewers, step);
    }
}
