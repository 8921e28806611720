//! What a scan budget lets through.

use std::cell::Cell;
use std::time::Duration;

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};

/// Coordinates looked at between two looks at the clock.
const QUANTUM: usize = 128;

fn viewer(x: i32) -> Viewer {
    Viewer {
        id: 1,
        coord: ChunkCoord::planar(x, 0),
        range: ViewRange::disc(32, 34).expect("34 is more than 32"),
    }
}

/// A clock that moves on by `step` every time it is read, and how often it was.
struct Ticking {
    step: Duration,
    read: Cell<u32>,
}

impl Ticking {
    fn new(step: Duration) -> Self {
        Self {
            step,
            read: Cell::new(0),
        }
    }

    fn now(&self) -> Duration {
        self.read.set(self.read.get() + 1);
        self.step * self.read.get()
    }
}

#[test]
fn an_update_stops_when_the_given_clock_says_so_and_the_next_goes_on() {
    let clock = Ticking::new(Duration::from_micros(100));
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut updates = 0;
    while updates == 0 || !wanted.is_settled() {
        let before = changes.entered.len();
        let mut now = || clock.now();
        let mut budget = ScanBudget::with_clock(Duration::from_micros(250), &mut now);
        wanted.update(&[viewer(0)], &mut budget, &mut changes);
        // Two looks at the clock find time left.
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
fn time_is_kept_back_for_putting_in_order_what_was_found() {
    // Far too little for the order of 3,209 chunks, though the clock never moves.
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut now = || Duration::ZERO;
    let mut budget = ScanBudget::with_clock(Duration::from_micros(10), &mut now);
    wanted.update(&[viewer(0)], &mut budget, &mut changes);
    assert!(!wanted.is_settled());
    assert!(changes.entered.len() > QUANTUM);
}

#[test]
fn without_any_time_each_update_does_a_little_and_comes_to_its_end() {
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
fn the_machines_clock_lets_everything_through_in_the_end() {
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
