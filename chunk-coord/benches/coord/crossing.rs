//! One viewer crosses one border: the wanted set against a re-scan of the footprint.

use std::hint::black_box;

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};
use criterion::Criterion;

use crate::case::Case;
use crate::plain::Plain;

pub(crate) fn crossing(criterion: &mut Criterion) {
    let disc = ViewRange::disc(64, 66).expect("66 is more than 64");
    cross(criterion, "crossing/disc 64", 30.0, disc);
    let sphere = ViewRange::sphere(24, 26).expect("26 is more than 24");
    cross(criterion, "crossing/sphere 24", 50.0, sphere);
}

fn cross(criterion: &mut Criterion, name: &'static str, target: f64, range: ViewRange) {
    check(range);
    let mut case = Case::new(criterion, name, Some(target));

    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut viewer = Viewer {
        id: 1,
        coord: ChunkCoord::ORIGIN,
        range,
    };
    case.way("wanted set", || {
        viewer.coord.x += 1;
        changes.clear();
        wanted.update(
            black_box(&[viewer]),
            &mut ScanBudget::unlimited(),
            &mut changes,
        );
        changes.entered.len() + changes.left.len()
    });

    let mut plain = Plain::new();
    let mut centre = ChunkCoord::ORIGIN;
    plain.update(centre, range);
    case.way("re-scan", || {
        centre.x += 1;
        plain.update(black_box(centre), range);
        plain.entered.len() + plain.left.len()
    });
    case.way("re-scan, look-ups only", || {
        plain.look_up(black_box(centre), range)
    });
}

/// Both ways give the same answer.
fn check(range: ViewRange) {
    let (mut wanted, mut changes, mut plain) = (WantedSet::new(), Changes::new(), Plain::new());
    for x in 0..5 {
        let coord = ChunkCoord::new(x, 0, 0);
        changes.clear();
        let viewer = Viewer {
            id: 1,
            coord,
            range,
        };
        wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
        plain.update(coord, range);
        assert_eq!(changes.entered, plain.entered);
        changes.left.sort_unstable();
        plain.left.sort_unstable();
        assert_eq!(changes.left, plain.left);
    }
}
