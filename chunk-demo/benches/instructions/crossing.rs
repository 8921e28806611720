//! The wanted set: a viewer that crosses borders, and viewers at rest.

use std::hint::black_box;

use chunk_coord::{Changes, ChunkCoord, ScanBudget, ViewRange, Viewer, WantedSet};

use super::Path;

fn settled(viewers: &[Viewer]) -> WantedSet {
    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    wanted.update(viewers, &mut ScanBudget::unlimited(), &mut changes);
    wanted
}

fn viewer(id: u64, x: i32, radius: u32) -> Viewer {
    Viewer {
        id,
        coord: ChunkCoord::new(x, 0, 0),
        range: ViewRange::disc(radius, radius + 2).expect("two more are more"),
    }
}

pub(super) fn crossing() -> Path {
    let mut viewer = viewer(1, 0, 64);
    let mut wanted = settled(&[viewer]);
    let mut changes = Changes::new();
    Box::new(move || {
        for _ in 0..100 {
            viewer.coord.x += 1;
            changes.clear();
            wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
            black_box(&changes);
        }
    })
}

pub(super) fn at_rest() -> Path {
    let viewers: Vec<_> = (0..64).map(|id| viewer(id, id as i32 * 40, 12)).collect();
    let mut wanted = settled(&viewers);
    let mut changes = Changes::new();
    Box::new(move || {
        for _ in 0..1_000 {
            changes.clear();
            wanted.update(
                black_box(&viewers),
                &mut ScanBudget::unlimited(),
                &mut changes,
            );
        }
    })
}
