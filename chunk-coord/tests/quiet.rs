//! Updates that must not allocate, must not change anything, or must return their memory.

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};

fn viewer(id: u64, x: i32) -> Viewer {
    Viewer {
        id,
        coord: ChunkCoord::planar(x, 0),
        range: ViewRange::disc(8, 10).expect("10 is not less than 8"),
    }
}

#[test]
fn an_update_with_64_viewers_at_rest_allocates_nothing() {
    let viewers: Vec<_> = (0..64).map(|id| viewer(id, 5 * id as i32)).collect();
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    wanted.update(&viewers, &mut ScanBudget::unlimited(), &mut changes);
    changes.clear();
    let used = allocation_counter::measure(|| {
        for _ in 0..100 {
            wanted.update(&viewers, &mut ScanBudget::unlimited(), &mut changes);
        }
    });
    assert_eq!(used.count_total, 0);
    assert_eq!(changes, Changes::new());
}

#[test]
fn moving_to_and_fro_inside_the_hysteresis_changes_nothing_in_100000_steps() {
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    for x in 0..=2 {
        wanted.update(&[viewer(1, x)], &mut ScanBudget::unlimited(), &mut changes);
    }
    changes.clear();
    for step in 0..100_000 {
        let x = [0, 1, 2, 1][step % 4];
        wanted.update(&[viewer(1, x)], &mut ScanBudget::unlimited(), &mut changes);
    }
    assert_eq!(changes, Changes::new());
}

#[test]
fn walking_to_and_fro_leaves_the_memory_as_it_was() {
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut walk = |wanted: &mut WantedSet| {
        for x in (0..200).chain((0..200).rev()) {
            changes.clear();
            wanted.update(&[viewer(1, x)], &mut ScanBudget::unlimited(), &mut changes);
        }
    };
    walk(&mut wanted);
    let used = allocation_counter::measure(|| walk(&mut wanted));
    assert_eq!(used.bytes_current, 0);
}

#[test]
fn the_memory_of_a_peak_is_returned() {
    let range = ViewRange::cuboid([4, 60, 400], [4, 60, 400]).expect("as large as itself");
    let peak = Viewer {
        range,
        ..viewer(1, 0)
    };
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let used = allocation_counter::measure(|| {
        for viewers in [[peak].as_slice(), &[]] {
            loop {
                changes.clear();
                wanted.update(viewers, &mut ScanBudget::coordinates(512), &mut changes);
                if wanted.is_settled() {
                    break;
                }
            }
            assert_eq!(wanted.len(), viewers.len() * 9 * 121 * 801);
        }
    });
    let held = u64::try_from(used.bytes_current).expect("something is held");
    assert!(
        held < used.bytes_max / 4,
        "{held} bytes held after a peak of {}",
        used.bytes_max
    );
}
