//! A viewer teleports: no single update may take long.

use std::time::{Duration, Instant};

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};

use crate::case::figure;
use crate::filter::Filter;
use crate::rescan::Rescan;
use crate::timing::Timings;

/// What each update is given.
const BUDGET: Duration = Duration::from_micros(250);

/// The most an update may take, in microseconds.
const TARGET: f64 = 300.0;

/// Jumps of the viewer; each takes about three updates.
const JUMPS: usize = 5000;

const LARGEST: &str = "teleport/disc 64: largest update";
const MOST: &str = "teleport/disc 64: largest of 999 in 1,000 updates";
const MEDIAN: &str = "teleport/disc 64: half of all updates";
const CLOCK: &str = "teleport/reading the clock for 0.25 ms, largest";
const MOST_CLOCK: &str = "teleport/reading the clock for 0.25 ms, largest of 999 in 1,000";

pub(crate) fn teleport(filter: &Filter) {
    if !filter.any_of(&[LARGEST, MOST, MEDIAN, CLOCK, MOST_CLOCK]) {
        return;
    }
    let range = ViewRange::disc(64, 66).expect("66 is more than 64");
    let mut viewer = Viewer {
        id: 1,
        coord: ChunkCoord::ORIGIN,
        range,
    };
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
    let mut updates = Timings::default();
    // The machine's own interruptions, measured in between: the same time, spent on reading the clock.
    let mut idle = Timings::default();
    for _ in 0..JUMPS {
        viewer.coord.x += 10_000;
        loop {
            changes.clear();
            updates.measure(|| {
                wanted.update(&[viewer], &mut ScanBudget::time(BUDGET), &mut changes);
            });
            if wanted.is_settled() {
                break;
            }
            idle.measure(|| {
                let start = Instant::now();
                while start.elapsed() < BUDGET {}
            });
        }
        assert_eq!(wanted.len(), 12_853);
    }

    let mut plain = Rescan::new();
    let mut centre = ChunkCoord::ORIGIN;
    plain.update(&[centre], range);
    let mut rescans = Timings::default();
    for _ in 0..200 {
        centre.x += 10_000;
        rescans.measure(|| plain.update(&[centre], range));
    }

    updates.tell("updates");
    idle.tell("loops that only read the clock");
    figure(LARGEST, updates.longest_of(1000), None, Some(TARGET));
    figure(CLOCK, idle.longest_of(1000), None, None);
    figure(MOST, updates.longest_of(999), None, Some(TARGET));
    figure(MOST_CLOCK, idle.longest_of(999), None, None);
    let rescan = rescans.longest_of(500);
    figure(MEDIAN, updates.longest_of(500), Some(rescan), None);
}
