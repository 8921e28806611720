//! A viewer jumps far away: no single update may take long.

use std::time::{Duration, Instant};

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};
use criterion::Criterion;

use crate::case::figure;
use crate::plain::Plain;

/// What each update is given.
const BUDGET: Duration = Duration::from_micros(250);

/// The most an update may take, in microseconds.
const TARGET: f64 = 300.0;

pub(crate) fn teleport(criterion: &mut Criterion) {
    let range = ViewRange::disc(64, 66).expect("66 is more than 64");
    let mut viewer = Viewer {
        id: 1,
        coord: ChunkCoord::ORIGIN,
        range,
    };
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
    let mut updates = Vec::new();
    let mut interrupted = 0;

    let mut group = criterion.benchmark_group("teleport/disc 64");
    group
        .sample_size(20)
        .measurement_time(Duration::from_secs(1));
    group.bench_function("wanted set, in updates of 0.25 ms", |bencher| {
        bencher.iter_custom(|iterations| {
            let mut total = Duration::ZERO;
            for _ in 0..iterations {
                viewer.coord.x += 10_000;
                loop {
                    changes.clear();
                    let before = interruptions();
                    let start = Instant::now();
                    wanted.update(&[viewer], &mut ScanBudget::time(BUDGET), &mut changes);
                    let took = start.elapsed();
                    total += took;
                    if interruptions() == before {
                        updates.push(took);
                    } else {
                        interrupted += 1;
                    }
                    if wanted.is_settled() {
                        break;
                    }
                }
                assert_eq!(wanted.len(), 12_853);
            }
            total
        });
    });

    let mut plain = Plain::new();
    let mut centre = ChunkCoord::ORIGIN;
    plain.update(centre, range);
    let mut longest = Vec::new();
    group.bench_function("re-scan, at once", |bencher| {
        bencher.iter_custom(|iterations| {
            let start = Instant::now();
            for _ in 0..iterations {
                centre.x += 10_000;
                plain.update(centre, range);
            }
            let took = start.elapsed();
            longest.push(took / iterations as u32);
            took
        });
    });
    let mut idle = Vec::new();
    group.bench_function("reading the clock for 0.25 ms", |bencher| {
        bencher.iter_custom(|iterations| {
            for _ in 0..iterations * 50 {
                let before = interruptions();
                let start = Instant::now();
                while start.elapsed() < BUDGET {}
                let took = start.elapsed();
                if interruptions() == before {
                    idle.push(took);
                }
            }
            BUDGET * iterations as u32
        });
    });
    group.finish();

    updates.sort_unstable();
    longest.sort_unstable();
    idle.sort_unstable();
    let micros = |times: &[Duration], rank: usize| {
        let time = times.get(rank.min(times.len().saturating_sub(1)));
        time.map(|time| time.as_nanos() as f64 / 1e3)
    };
    let count = updates.len();
    if let Some(most) = micros(&updates, count * 999 / 1000) {
        println!("{count} updates, and {interrupted} during which the system ran something else");
        let name = "teleport/disc 64: largest of 999 in 1,000 updates";
        figure(name, most, None, Some(TARGET));
    }
    for (share, rank) in [("half", 500), ("99 %", 990)] {
        if let Some(most) = micros(&updates, count * rank / 1000) {
            let name = format!("teleport/disc 64: largest of {share} of all updates");
            figure(&name, most, None, None);
        }
    }
    if let Some(most) = micros(&idle, idle.len() * 999 / 1000) {
        // What this machine adds to any 0.25 ms of work, whatever the work is.
        figure(
            "teleport/the clock alone: largest of 999 in 1,000",
            most,
            None,
            None,
        );
    }
    if let Some(most) = micros(&updates, count) {
        let rescan = micros(&longest, longest.len() / 2);
        figure("teleport/disc 64: largest of all", most, rescan, None);
    }
}

/// How often this thread had to give way; always 0 where the system does not tell.
///
/// On a machine with other work the longest of many thousand updates is one that waited for its turn,
/// which says nothing about the update.
fn interruptions() -> u64 {
    let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter_map(|line| line.strip_prefix("nonvoluntary_ctxt_switches:"));
    lines
        .filter_map(|count| count.trim().parse::<u64>().ok())
        .sum()
}
