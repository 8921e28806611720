//! Viewer scripts: bytes that move viewers, and the checks after every step.
//!
//! The property tests and the fuzz target run the same scripts against the same brute-force model.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use chunk_coord::{
    Changes, ChunkCoord, Footprint, Plane, ScanBudget, ViewRange, Viewer, WantedSet,
    nearest_distance_sq,
};

/// Viewers a script may have at a time.
const MOST_VIEWERS: usize = 8;

/// How far a far teleport goes, in chunks.
const FAR: i32 = 3_000_017;

/// Runs the script written in `bytes`; any bytes are a script.
///
/// # Panics
///
/// When the wanted set differs from the model.
pub(crate) fn run(bytes: &[u8]) {
    let mut bytes = bytes.iter().copied();
    let Some(start) = bytes.next() else { return };
    let mut script = Script::new(start);
    while let Some(step) = bytes.next() {
        let mut next = || bytes.next().unwrap_or(0);
        let arguments = [next(), next(), next(), next()];
        script.step(step, arguments);
    }
    script.settle();
}

struct Script {
    /// Where viewers appear.
    home: ChunkCoord,
    /// Where viewers move; `None` for a volume.
    plane: Option<Plane>,
    next_id: u64,
    viewers: Vec<Viewer>,
    /// The small step that was last taken.
    last_step: [i32; 3],
    wanted: WantedSet,
    changes: Changes,
    /// The set according to the changes.
    mirror: BTreeSet<ChunkCoord>,
}

impl Script {
    fn new(start: u8) -> Self {
        let end = |bit: u8, end: i32| if start & bit != 0 { end } else { 0 };
        let plane = match start & 17 {
            1 => Some(Plane::Xz),
            17 => Some(Plane::Xy),
            _ => None,
        };
        let home = [end(2, i32::MAX), end(4, i32::MIN), end(8, i32::MIN + 2)];
        Self {
            home: ChunkCoord::from(within(plane, home)),
            plane,
            next_id: 0,
            viewers: Vec::new(),
            last_step: [1, 0, 0],
            wanted: WantedSet::new(),
            changes: Changes::new(),
            mirror: BTreeSet::new(),
        }
    }

    fn step(&mut self, step: u8, [which, x, y, z]: [u8; 4]) {
        let index = usize::from(which) % self.viewers.len().max(1);
        let offset = |byte: u8, most: i32| i32::from(byte) % (2 * most + 1) - most;
        let plane = self.plane;
        let moved = |from: ChunkCoord, most| {
            let [x, y, z] = within(plane, [x, y, z].map(|byte| offset(byte, most)));
            from.saturating_offset(x, y, z)
        };
        match step % 8 {
            // Small steps are what viewers do most, and more of them in the same direction.
            kind @ 0..=2 => {
                if kind == 0 {
                    self.last_step = within(plane, [x, y, z].map(|byte| offset(byte, 1)));
                }
                let [x, y, z] = self.last_step;
                if let Some(viewer) = self.viewers.get_mut(index) {
                    viewer.coord = viewer.coord.saturating_offset(x, y, z);
                }
            }
            3 => {
                // One teleport in eight ends far from everything, but where others may follow.
                let far = i32::from(x % 8 == 7) * (i32::from(z % 3) - 1) * FAR;
                if let Some(viewer) = self.viewers.get_mut(index) {
                    let near = moved(self.home, 12);
                    let [x, y, z] = within(plane, [far, 0, -far]);
                    viewer.coord = near.saturating_offset(x, y, z);
                }
            }
            4 if self.viewers.len() < MOST_VIEWERS => {
                // Now and then two viewers share an id.
                self.next_id += u64::from(x % 8 != 7);
                self.viewers.push(Viewer {
                    id: self.next_id,
                    coord: moved(self.home, 6),
                    range: self.range(which, z),
                });
            }
            5 => {
                let range = self.range(x, y);
                if let Some(viewer) = self.viewers.get_mut(index) {
                    viewer.range = range;
                }
            }
            6 if !self.viewers.is_empty() => {
                self.viewers.remove(index);
            }
            7 => self.viewers.rotate_left(index),
            _ => {}
        }
        match step / 8 % 4 {
            0 => self.update(ScanBudget::unlimited(), usize::MAX),
            1 => self.update(ScanBudget::coordinates(1), 1),
            2 => self.update(ScanBudget::coordinates(20), 20),
            _ => {
                let count = usize::from(step);
                self.update(ScanBudget::coordinates(count), count);
            }
        }
    }

    fn range(&self, shape: u8, sizes: u8) -> ViewRange {
        // Now and then one that reaches over several pages of rows.
        let scale = match (self.plane, shape) {
            (Some(_), 224..) => 5,
            (None, 252..) => 3,
            _ => 1,
        };
        let (size, band) = (scale * u32::from(sizes % 6), u32::from(sizes / 6 % 3));
        let footprint = |size: u32, more: u32| match (shape % 8, self.plane) {
            (0 | 4, Some(_)) => {
                let [x, y, z] = within(self.plane, [size + more, 0, size / 2 + more]);
                Footprint::Cuboid {
                    half_extents: [x, y, z],
                }
            }
            (_, Some(Plane::Xy)) | (6, None) => Footprint::DiscXy {
                radius: size + more,
            },
            (_, Some(Plane::Xz)) | (2, None) => Footprint::Disc {
                radius: size + more,
            },
            (0 | 4, None) => Footprint::Cuboid {
                half_extents: [size / 2 + more, size + more, 1 + more],
            },
            (1 | 5, None) => Footprint::Cylinder {
                radius: size + more,
                half_height: 1 + more,
            },
            (_, None) => Footprint::Sphere {
                radius: size + more,
            },
        };
        ViewRange::new(footprint(size, 0), footprint(size, band)).expect("larger by the band")
    }

    fn update(&mut self, mut budget: ScanBudget<'_>, most: usize) {
        let expected = (self.wanted.is_settled() && most == usize::MAX).then(|| {
            let mut set = self.mirror.clone();
            set.extend(
                self.viewers
                    .iter()
                    .flat_map(|viewer| every_chunk(viewer.range.load(), viewer.coord)),
            );
            set.retain(|&coord| self.is_kept(coord));
            set
        });
        self.changes.clear();
        self.wanted
            .update(&self.viewers, &mut budget, &mut self.changes);
        let Changes { entered, left } = &self.changes;
        assert!(entered.len() + left.len() <= most, "over the budget");
        for &coord in entered {
            assert!(self.mirror.insert(coord), "{coord} entered twice");
            let is_loaded = |viewer: &Viewer| viewer.range.load().contains(viewer.coord, coord);
            assert!(
                self.viewers.iter().any(is_loaded),
                "{coord} entered outside every load footprint"
            );
        }
        for &coord in left {
            assert!(self.mirror.remove(&coord), "{coord} left without being in");
            assert!(!self.is_kept(coord), "{coord} left and is kept");
        }
        let centres: Vec<_> = self.viewers.iter().map(|viewer| viewer.coord).collect();
        let order = |&coord: &ChunkCoord| (nearest_distance_sq(coord, &centres), coord);
        assert!(entered.is_sorted_by_key(order), "not nearest first");
        let order = |&coord: &ChunkCoord| (Reverse(nearest_distance_sq(coord, &centres)), coord);
        assert!(left.is_sorted_by_key(order), "not farthest first");
        assert_eq!(self.wanted.len(), self.mirror.len());
        if let Some(expected) = expected {
            assert!(self.wanted.is_settled(), "an unlimited budget leaves work");
            assert_eq!(self.mirror, expected);
        }
        if self.wanted.is_settled() {
            self.check_settled();
        }
    }

    fn is_kept(&self, coord: ChunkCoord) -> bool {
        let mut viewers = self.viewers.iter();
        viewers.any(|viewer| viewer.range.unload().contains(viewer.coord, coord))
    }

    fn check_settled(&self) {
        for viewer in &self.viewers {
            for coord in every_chunk(viewer.range.load(), viewer.coord) {
                assert!(self.mirror.contains(&coord), "{coord} is missing");
                assert!(self.wanted.contains(coord));
            }
        }
        assert!(self.mirror.iter().all(|&coord| self.is_kept(coord)));
    }

    /// Finishes the work that was carried over, then removes all viewers.
    fn settle(&mut self) {
        let members: BTreeSet<_> = self.wanted.iter().collect();
        assert_eq!(members, self.mirror);
        for _ in 0..2 {
            let mut updates = 0;
            while !self.wanted.is_settled() {
                self.update(ScanBudget::coordinates(50), 50);
                updates += 1;
                assert!(updates < 10_000, "the work never ends");
            }
            self.check_settled();
            self.viewers.clear();
            self.update(ScanBudget::coordinates(50), 50);
        }
        assert!(self.wanted.is_empty());
    }
}

/// Lengths along x, y and z, as far as viewers move along these axes. In both planes a script does the same.
fn within<N: Default>(plane: Option<Plane>, [x, y, z]: [N; 3]) -> [N; 3] {
    match plane {
        None => [x, y, z],
        Some(Plane::Xz) => [x, N::default(), z],
        Some(Plane::Xy) => [x, z, N::default()],
    }
}

/// Every chunk of a footprint: those of its bounding box that it contains.
fn every_chunk(footprint: Footprint, centre: ChunkCoord) -> BTreeSet<ChunkCoord> {
    let [x, y, z] = footprint.half_extents().map(|extent| extent as i32);
    let mut chunks = BTreeSet::new();
    for dy in -y..=y {
        for dz in -z..=z {
            for dx in -x..=x {
                let coord = centre.checked_offset(dx, dy, dz);
                chunks.extend(coord.filter(|&coord| footprint.contains(centre, coord)));
            }
        }
    }
    chunks
}
