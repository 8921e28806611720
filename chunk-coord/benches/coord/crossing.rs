//! One viewer crosses one border: the wanted set against a re-scan of the footprint.

mod support;

use std::collections::HashSet;
use std::hint::black_box;

use ahash::RandomState;
use chunk_coord::{Changes, ChunkCoord, Footprint, ScanBudget, ViewRange, Viewer, WantedSet};
use criterion::{Criterion, criterion_group, criterion_main};
use support::Case;

/// The set every game writes first: look every chunk of the footprint up, then look at every member.
struct Plain {
    members: HashSet<ChunkCoord, RandomState>,
    entered: Vec<ChunkCoord>,
    left: Vec<ChunkCoord>,
}

impl Plain {
    fn new() -> Self {
        Self {
            members: HashSet::with_hasher(RandomState::with_seeds(1, 2, 3, 4)),
            entered: Vec::new(),
            left: Vec::new(),
        }
    }

    fn update(&mut self, centre: ChunkCoord, range: ViewRange) {
        self.entered.clear();
        self.left.clear();
        let (load, unload) = (range.load(), range.unload());
        for coord in every_chunk(load, centre) {
            if self.members.insert(coord) {
                self.entered.push(coord);
            }
        }
        let left = &mut self.left;
        self.members.retain(|&coord| {
            let is_kept = unload.contains(centre, coord);
            if !is_kept {
                left.push(coord);
            }
            is_kept
        });
        self.entered
            .sort_unstable_by_key(|&coord| (coord.distance_sq(centre), coord));
    }

    fn look_up(&self, centre: ChunkCoord, range: ViewRange) -> usize {
        every_chunk(range.load(), centre)
            .filter(|coord| !self.members.contains(coord))
            .count()
    }
}

fn every_chunk(footprint: Footprint, centre: ChunkCoord) -> impl Iterator<Item = ChunkCoord> {
    let [x, y, z] = footprint.half_extents().map(|extent| extent as i32);
    (-y..=y)
        .flat_map(move |dy| (-z..=z).map(move |dz| (dy, dz)))
        .flat_map(move |(dy, dz)| {
            (-x..=x).map(move |dx| ChunkCoord::new(centre.x + dx, centre.y + dy, centre.z + dz))
        })
        .filter(move |&coord| footprint.contains(centre, coord))
}

fn crossing(criterion: &mut Criterion) {
    let disc = ViewRange::disc(64, 66).expect("66 is more than 64");
    cross(criterion, "crossing/disc 64", disc);
    let sphere = ViewRange::sphere(24, 26).expect("26 is more than 24");
    cross(criterion, "crossing/sphere 24", sphere);
}

fn cross(criterion: &mut Criterion, name: &'static str, range: ViewRange) {
    check(range);
    let mut case = Case::new(criterion, name);

    let mut wanted = WantedSet::new();
    let mut changes = Changes::new();
    let mut viewer = Viewer {
        id: 1,
        coord: ChunkCoord::ORIGIN,
        range,
    };
    case.way("wanted set", || {
        viewer.coord.x += 1;
        changes.clear();
        wanted.update(
            black_box(&[viewer]),
            &mut ScanBudget::unlimited(),
            &mut changes,
        );
        changes.entered.len() + changes.left.len()
    });

    let mut plain = Plain::new();
    let mut centre = ChunkCoord::ORIGIN;
    plain.update(centre, range);
    case.way("re-scan", || {
        centre.x += 1;
        plain.update(black_box(centre), range);
        plain.entered.len() + plain.left.len()
    });
    case.way("re-scan, look-ups only", || {
        plain.look_up(black_box(centre), range)
    });
}

/// Both ways give the same answer.
fn check(range: ViewRange) {
    let (mut wanted, mut changes, mut plain) = (WantedSet::new(), Changes::new(), Plain::new());
    for x in 0..5 {
        let coord = ChunkCoord::new(x, 0, 0);
        changes.clear();
        let viewer = Viewer {
            id: 1,
            coord,
            range,
        };
        wanted.update(&[viewer], &mut ScanBudget::unlimited(), &mut changes);
        plain.update(coord, range);
        assert_eq!(changes.entered, plain.entered);
        changes.left.sort_unstable();
        plain.left.sort_unstable();
        assert_eq!(changes.left, plain.left);
    }
}

criterion_group!(benches, crossing);
criterion_main!(benches);
