//! Many viewers at once: each should cost what it costs alone.

use std::hint::black_box;
use std::time::Duration;

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};
use criterion::Criterion;

use crate::asked::Asked;
use crate::case::{Case, figure};
use crate::stretch::Stretches;

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
pub(crate) fn crossing(criterion: &mut Criterion, asked: &Asked) {
    for (how, apart) in [("apart", 25), ("close", 5)] {
        let name = format!("crowd/1,000 viewers {how} cross, each");
        if !asked.any_of(&[&name]) {
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

/// They come all at once, and updates do the least they can.
pub(crate) fn appearing(asked: &Asked) {
    if !asked.any_of(&[APPEAR]) {
        return;
    }
    let mut updates = Stretches::default();
    for apart in [25, 5, 1] {
        let viewers = square(500, apart);
        let mut wanted = WantedSet::new();
        let mut changes = Changes::new();
        // They vanish in the same way.
        for viewers in [viewers.as_slice(), &[]] {
            loop {
                changes.clear();
                updates.measure(|| {
                    wanted.update(viewers, &mut ScanBudget::time(Duration::ZERO), &mut changes);
                });
                if wanted.is_settled() {
                    break;
                }
            }
        }
    }
    updates.tell("updates");
    figure(APPEAR, updates.longest_of(1000), None, Some(QUANTUM));
}
