//! Viewers at rest.

use std::hint::black_box;

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};
use criterion::Criterion;

use crate::case::{Case, figure};
use crate::filter::Filter;
use crate::rescan::Rescan;

const VIEWERS: i32 = 64;

/// The most an update of all of them may take, in microseconds.
const TARGET: f64 = 1.0;

const NAME: &str = "rest/64 viewers";
const IN_ALL: &str = "rest/64 viewers, in all";

pub(crate) fn at_rest(criterion: &mut Criterion, filter: &Filter) {
    if !filter.any_of(&[NAME, IN_ALL]) {
        return;
    }
    let range = ViewRange::disc(8, 10).expect("10 is more than 8");
    let centres = (0..VIEWERS).map(|index| ChunkCoord::planar(40 * (index % 8), 40 * (index / 8)));
    let viewers: Vec<_> = (0..)
        .zip(centres)
        .map(|(id, coord)| Viewer { id, coord, range })
        .collect();

    let mut case = Case::new(criterion, NAME, None);
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    wanted.update(&viewers, &mut ScanBudget::unlimited(), &mut changes);
    changes.clear();
    let own = case.way("wanted set", || {
        wanted.update(
            black_box(&viewers),
            &mut ScanBudget::unlimited(),
            &mut changes,
        );
        changes.entered.len() + changes.left.len()
    });
    assert!(changes.is_empty(), "viewers at rest change nothing");

    let mut plain = Rescan::new();
    for viewer in &viewers {
        plain.add(viewer.coord, range);
    }
    case.way("re-scan, look-ups only", || {
        let absent = viewers
            .iter()
            .map(|viewer| plain.look_up(black_box(viewer.coord), range));
        absent.sum::<usize>()
    });
    figure(IN_ALL, own / 1e3, None, Some(TARGET));
}
