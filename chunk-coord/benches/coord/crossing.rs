//! Viewers cross one border: the wanted set against a re-scan of the footprints.

use std::hint::black_box;

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};
use criterion::Criterion;

use crate::asked::Asked;
use crate::case::Case;
use crate::plain::Plain;

/// Which way viewers go, and how many of them, side by side.
const WAYS: [(&str, Way, i32); 6] = [
    ("along x", Way::Straight([1, 0, 0]), 1),
    ("along y", Way::Straight([0, 1, 0]), 1),
    ("along z", Way::Straight([0, 0, 1]), 1),
    ("diagonally", Way::Straight([1, 1, 1]), 1),
    ("by a new step each time", Way::New(0), 1),
    ("two viewers along x", Way::Straight([1, 0, 0]), 2),
];

/// Where viewers go, step after step.
#[derive(Clone, Copy)]
enum Way {
    Straight([i32; 3]),
    /// One along x and up to three along y and z: 49 steps in turn, so many that none is remembered when it comes
    /// again. Counts them.
    New(i32),
}

impl Way {
    fn step(&mut self) -> [i32; 3] {
        match self {
            Self::Straight(step) => *step,
            Self::New(count) => {
                *count = (*count + 1) % 49;
                [1, *count / 7 - 3, *count % 7 - 3]
            }
        }
    }

    /// Whether this leads out of a plane.
    fn leads_up(self) -> bool {
        matches!(self, Self::Straight([0, 1, 0]) | Self::New(_))
    }
}

pub(crate) fn crossing(criterion: &mut Criterion, asked: &Asked) {
    let disc = ViewRange::disc(64, 66).expect("66 is more than 64");
    let sphere = ViewRange::sphere(24, 26).expect("26 is more than 24");
    for (shape, range, target) in [("disc 64", disc, 30.0), ("sphere 24", sphere, 50.0)] {
        for (name, mut way, count) in WAYS {
            if range.load().half_extents()[1] == 0 {
                if way.leads_up() {
                    continue;
                }
                if let Way::Straight(step) = &mut way {
                    step[1] = 0;
                }
            }
            let viewers = side_by_side(range, count);
            check(&viewers, way);
            let name = format!("crossing/{shape} {name}");
            let lookups = format!("{name} (look-ups only)");
            if asked.any_of(&[&name, &lookups]) {
                cross(criterion, name, target, viewers, way);
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

fn cross(
    criterion: &mut Criterion,
    name: String,
    target: f64,
    mut viewers: Vec<Viewer>,
    mut way: Way,
) {
    let range = viewers[0].range;
    let mut plain = Plain::new();
    let mut centres = centres(&viewers);
    let mut case = Case::new(criterion, name, Some(target));
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut plain_way = way;
    let mut own = || {
        advance(&mut viewers, way.step());
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
        let [x, y, z] = plain_way.step();
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
fn check(viewers: &[Viewer], mut way: Way) {
    let mut viewers = viewers.to_vec();
    let (mut wanted, mut changes, mut plain) = (WantedSet::new(), Changes::new(), Plain::new());
    // Steps are known from the second on.
    for _ in 0..6 {
        changes.clear();
        wanted.update(&viewers, &mut ScanBudget::unlimited(), &mut changes);
        plain.update(&centres(&viewers), viewers[0].range);
        assert_eq!(changes.entered, plain.entered);
        changes.left.sort_unstable();
        plain.left.sort_unstable();
        assert_eq!(changes.left, plain.left);
        advance(&mut viewers, way.step());
    }
}
