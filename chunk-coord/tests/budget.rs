//! How much work a scan budget allows.

use std::cell::Cell;
use std::time::Duration;

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};

/// Coordinates between two readings of the clock.
const QUANTUM: usize = 64;

fn viewer(x: i32) -> Viewer {
    Viewer {
        id: 1,
        coord: ChunkCoord::planar(x, 0),
        range: ViewRange::disc(32, 34).expect("34 is more than 32"),
    }
}

#[test]
fn an_update_stops_when_the_given_clock_says_so_and_the_next_goes_on() {
    let readings = Cell::new(0);
    // Moves on every time it is read.
    let mut now = || {
        readings.set(readings.get() + 1);
        Duration::from_micros(100) * readings.get()
    };
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut updates = 0;
    while updates == 0 || !wanted.is_settled() {
        let before = changes.entered.len();
        let mut budget = ScanBudget::with_clock(Duration::from_micros(250), &mut now);
        wanted.update(&[viewer(0)], &mut budget, &mut changes);
        // Two readings of the clock find time left.
        assert!(changes.entered.len() - before <= 2 * QUANTUM);
        updates += 1;
    }
    assert_eq!(changes.entered.len(), 3209);
    assert!(updates >= 3209 / (2 * QUANTUM));
}

#[test]
fn a_clock_that_stands_still_never_stops_an_update() {
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut now = || Duration::from_secs(7);
    let mut budget = ScanBudget::with_clock(Duration::from_secs(60), &mut now);
    wanted.update(&[viewer(0)], &mut budget, &mut changes);
    assert!(wanted.is_settled());
}

#[test]
fn time_is_kept_back_for_sorting() {
    // Far too little to sort 3,209 chunks, though the clock never moves.
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut now = || Duration::ZERO;
    let mut budget = ScanBudget::with_clock(Duration::from_micros(10), &mut now);
    wanted.update(&[viewer(0)], &mut budget, &mut changes);
    assert!(!wanted.is_settled());
    assert!(changes.entered.len() > QUANTUM);
}

#[test]
fn without_any_time_each_update_does_a_little_until_all_is_done() {
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut now = || Duration::ZERO;
    for x in [0, 1000] {
        for _ in 0..200 {
            let before = changes.entered.len() + changes.left.len();
            let mut budget = ScanBudget::with_clock(Duration::ZERO, &mut now);
            wanted.update(&[viewer(x)], &mut budget, &mut changes);
            let found = changes.entered.len() + changes.left.len() - before;
            assert!(found <= QUANTUM);
        }
        assert!(wanted.is_settled());
    }
    assert_eq!(
        (changes.entered.len(), changes.left.len()),
        (2 * 3209, 3209)
    );
}

#[test]
fn a_step_stops_when_the_time_is_over_and_goes_on_in_the_next_update() {
    let range = ViewRange::sphere(12, 12).expect("equal radii");
    let mut viewer = Viewer { range, ..viewer(0) };
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
    let all = wanted.len();
    viewer.coord.z += 1;
    let mut found = (0, 0);
    let mut now = || Duration::ZERO;
    while !wanted.is_settled() || found == (0, 0) {
        changes.clear();
        let mut budget = ScanBudget::with_clock(Duration::ZERO, &mut now);
        wanted.update(&[viewer], &mut budget, &mut changes);
        let (entered, left) = (changes.entered.len(), changes.left.len());
        assert!(entered + left <= QUANTUM);
        found = (found.0 + entered, found.1 + left);
    }
    // As many rows as a disc of 12 has chunks, one at each end.
    assert_eq!((found, wanted.len()), ((441, 441), all));
}

#[test]
fn chunks_that_were_never_loaded_cost_nothing_of_a_count_when_they_leave() {
    // So far behind the viewer nothing was ever loaded.
    let range = ViewRange::disc(8, 64).expect("64 is more than 8");
    let mut viewer = Viewer { range, ..viewer(0) };
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
    for _ in 0..4 {
        viewer.coord.x += 1;
        wanted.update(&[viewer], &mut ScanBudget::coordinates(40), &mut changes);
        assert!(wanted.is_settled());
    }
}

#[test]
fn a_budget_is_used_up_over_all_the_updates_it_goes_through() {
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut budget = ScanBudget::coordinates(300);
    for _ in 0..5 {
        wanted.update(&[viewer(0)], &mut budget, &mut changes);
    }
    assert!((200..=300).contains(&changes.entered.len()));
    wanted.update(&[viewer(0)], &mut ScanBudget::coordinates(0), &mut changes);
    assert!(changes.entered.len() <= 300);
}

#[test]
fn by_the_machines_clock_all_is_done_in_the_end() {
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    while !wanted.is_settled() || wanted.is_empty() {
        let mut budget = ScanBudget::time(Duration::from_micros(50));
        wanted.update(&[viewer(0)], &mut budget, &mut changes);
    }
    assert_eq!(wanted.len(), 3209);
}

#[test]
fn a_budget_says_what_is_left_of_it() {
    let mut budget = ScanBudget::coordinates(7);
    assert_eq!(format!("{budget:?}"), "ScanBudget::coordinates(7)");
    WantedSet::new().update(&[viewer(0)], &mut budget, &mut Changes::new());
    assert_eq!(format!("{budget:?}"), "ScanBudget::coordinates(0)");
    assert_eq!(
        format!("{:?}", ScanBudget::unlimited()),
        "ScanBudget::unlimited()"
    );
}
