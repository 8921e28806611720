//! A plain implementation of the wanted set.

use std::collections::HashSet;

use ahash::RandomState;
use chunk_coord::{ChunkCoord, Footprint, ViewRange, nearest_distance_sq};

/// Looks up every chunk of the footprints, then checks every member.
pub(crate) struct Rescan {
    members: HashSet<ChunkCoord, RandomState>,
    pub(crate) entered: Vec<ChunkCoord>,
    pub(crate) left: Vec<ChunkCoord>,
}

impl Rescan {
    pub(crate) fn new() -> Self {
        Self {
            members: HashSet::with_hasher(RandomState::with_seeds(1, 2, 3, 4)),
            entered: Vec::new(),
            left: Vec::new(),
        }
    }

    pub(crate) fn update(&mut self, centres: &[ChunkCoord], range: ViewRange) {
        self.entered.clear();
        self.left.clear();
        let (load, unload) = (range.load(), range.unload());
        for centre in centres {
            for coord in every_chunk(load, *centre) {
                if self.members.insert(coord) {
                    self.entered.push(coord);
                }
            }
        }
        let left = &mut self.left;
        self.members.retain(|&coord| {
            let is_kept = centres.iter().any(|&centre| unload.contains(centre, coord));
            if !is_kept {
                left.push(coord);
            }
            is_kept
        });
        self.entered
            .sort_unstable_by_key(|&coord| (nearest_distance_sq(coord, centres), coord));
    }

    /// Only adds what a viewer loads, for scenes of several.
    pub(crate) fn add(&mut self, centre: ChunkCoord, range: ViewRange) {
        self.members.extend(every_chunk(range.load(), centre));
    }

    pub(crate) fn look_up(&self, centre: ChunkCoord, range: ViewRange) -> usize {
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
