//! Many viewers at once: each should cost what it costs alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};
use criterion::Criterion;

use crate::case::{Case, figure};
use crate::filter::Filter;

/// How much of what a viewer costs among ten it may cost among a thousand, at worst: three times.
const SHARE: f64 = 1.0 / 3.0;

/// The most that an update without any time may take, in microseconds.
const QUANTUM: f64 = 250.0;

const APPEAR: &str = "crowd/500 viewers appear: largest update without any time";

/// Viewers in a square, `apart` chunks from each other.
fn square(count: i32, apart: i32) -> Vec<Viewer> {
    let range = ViewRange::disc(8, 10).expect("10 is more than 8");
    let side = f64::from(count).sqrt().ceil() as i32;
    (0..count)
        .map(|index| Viewer {
            id: index as u64,
            coord: ChunkCoord::planar(apart * (index % side), apart * (index / side)),
            range,
        })
        .collect()
}

/// All of them cross a border in each update.
pub(crate) fn crossing(criterion: &mut Criterion, filter: &Filter) {
    for (how, apart) in [("apart", 25), ("close", 5)] {
        let name = format!("crowd/1,000 viewers {how} cross, each");
        if !filter.any_of(&[&name]) {
            continue;
        }
        let mut case = Case::new(criterion, name, Some(SHARE));
        for (way, count) in [("of 1,000", 1000), ("of 10", 10)] {
            let mut viewers = square(count, apart);
            let mut wanted = WantedSet::new();
            let mut changes = Changes::new();
            case.way_of(way, count as u32, || {
                for viewer in &mut viewers {
                    viewer.coord.x += 1;
                }
                changes.clear();
                wanted.update(
                    black_box(&viewers),
                    &mut ScanBudget::unlimited(),
                    &mut changes,
                );
                changes.entered.len() + changes.left.len()
            });
        }
    }
}

/// How often they appear. Without any time the updates are the same each time, so the median of each excludes
/// interruptions of the machine.
const TIMES: usize = 9;

/// They appear all at once, and updates do the least they can.
pub(crate) fn appearing(filter: &Filter) {
    if !filter.any_of(&[APPEAR]) {
        return;
    }
    let mut largest = Duration::ZERO;
    for apart in [25, 5, 1] {
        let mut times = [(); TIMES].map(|()| updates(&square(500, apart)));
        let count = times[0].len();
        assert!(times.iter().all(|updates| updates.len() == count));
        for update in 0..count {
            times.sort_unstable_by_key(|updates| updates[update]);
            largest = largest.max(times[TIMES / 2][update]);
        }
    }
    let micros = largest.as_nanos() as f64 / 1e3;
    figure(APPEAR, micros, None, Some(QUANTUM));
}

/// What each update takes until all of them are served, and gone again.
fn updates(viewers: &[Viewer]) -> Vec<Duration> {
    let (mut wanted, mut changes, mut took) = (WantedSet::new(), Changes::new(), Vec::new());
    for viewers in [viewers, &[]] {
        loop {
            changes.clear();
            let start = Instant::now();
            wanted.update(viewers, &mut ScanBudget::time(Duration::ZERO), &mut changes);
            took.push(start.elapsed());
            if wanted.is_settled() {
                break;
            }
        }
    }
    took
}
