//! Which spans cost the most.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};

use super::FRAME;
use super::tape::{Tape, Track};

/// So many are shown.
const MOST: usize = 10;

/// The sums of one span, wherever it was called from, on the main thread or on all others.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    name: &'static str,
    is_main: bool,
    calls: u64,
    own: Duration,
    longest: Duration,
}

/// A table of the costliest spans by own time, per frame. A frame is what the demo ran as one.
pub(crate) fn table(tape: &Tape) -> String {
    let costs = costs(tape);
    let frames = costs.iter().filter(|cost| cost.name == FRAME);
    let frames: u64 = frames.map(|cost| cost.calls).sum();
    let a_frame = |sum: f64| sum / frames.max(1) as f64;
    let mut table = Table::new();
    table.load_style(UTF8_BORDERS_ONLY);
    table.set_header([
        "span",
        "thread",
        "calls a frame",
        "own time a frame, µs",
        "share of thread's",
        "longest call, µs",
    ]);
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    for cost in costs.iter().take(MOST) {
        let same = costs.iter().filter(|other| other.is_main == cost.is_main);
        let all: Duration = same.map(|other| other.own).sum();
        let share = micros(cost.own) / micros(all).max(f64::MIN_POSITIVE);
        table.add_row([
            cost.name.to_owned(),
            if cost.is_main { "main" } else { "workers" }.to_owned(),
            format!("{:.2}", a_frame(cost.calls as f64)),
            format!("{:.2}", a_frame(micros(cost.own))),
            format!("{:.1} %", share * 100.0),
            format!("{:.1}", micros(cost.longest)),
        ]);
    }
    for numbers in table.column_iter_mut().skip(2) {
        numbers.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "{table}\nthe costliest spans of {frames} frames, by the time spent in each and in no span within it"
    )
}

/// Costliest first.
fn costs(tape: &Tape) -> Vec<Cost> {
    let mut sums: BTreeMap<(bool, &'static str), Cost> = BTreeMap::new();
    for track in tape.tracks() {
        let is_main = is_main(track);
        for node in &track.nodes {
            let cost = sums.entry((is_main, node.name)).or_insert(Cost {
                name: node.name,
                is_main,
                calls: 0,
                own: Duration::ZERO,
                longest: Duration::ZERO,
            });
            cost.calls += node.calls;
            cost.own += node.own;
            cost.longest = cost.longest.max(node.longest);
        }
    }
    let mut costs: Vec<Cost> = sums.into_values().collect();
    costs.sort_by_key(|cost| core::cmp::Reverse(cost.own));
    costs
}

/// Whichever thread ran the frames.
fn is_main(track: &Track) -> bool {
    track.nodes.iter().any(|node| node.name == FRAME)
}

#[cfg(test)]
mod tests {
    use super::super::tape::tests::{micros, two_frames};
    use super::*;

    #[test]
    fn the_costliest_comes_first_and_callers_do_not_pay_for_what_they_call() {
        let costs = costs(&two_frames());
        let own: Vec<_> = costs.iter().map(|cost| (cost.name, cost.own)).collect();
        assert_eq!(own, [("inner", micros(120)), (FRAME, micros(80))]);
    }

    #[test]
    fn the_table_counts_by_the_frame() {
        let table = table(&two_frames());
        let row = table.lines().find(|line| line.contains("inner"));
        let cells: Vec<&str> = (row.unwrap_or_default().split_whitespace())
            .filter(|cell| *cell != "│" && *cell != "┆")
            .collect();
        assert_eq!(
            cells,
            ["inner", "main", "2.00", "60.00", "60.0", "%", "30.0"],
            "{table}"
        );
        assert!(table.contains("of 2 frames"), "{table}");
    }

    #[test]
    fn no_more_than_ten_are_shown_and_workers_are_told_from_the_main_thread() {
        const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
        let mut tape = two_frames();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for (number, name) in (1..).zip(NAMES) {
                    tape.enter(name, None, || micros(0));
                    tape.leave(micros(number * 1_000));
                }
            });
        });
        let table = table(&tape);
        assert_eq!(table.matches("workers").count(), 10, "{table}");
        assert!(!table.contains("main"), "{table}");
    }
}
