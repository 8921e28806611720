//! The levels of the wanted chunks, and what their generators read of them.

use super::neighbour_levels::NeighbourLevels;
use crate::streaming::order::ViewerRank;
use ahash::AHashMap;
use chunk_coord::{ChunkCoord, LevelRings, Plane};
use smallvec::SmallVec;
use std::collections::BTreeSet;

/// The levels of the wanted chunks. Workers and the main thread share it under a lock.
pub(super) struct KnownLevels {
    rings: LevelRings,
    rank: ViewerRank,
    /// In a planar grid chunks have neighbours in their own layer alone.
    plane: Option<Plane>,
    chunks: AHashMap<ChunkCoord, Wanted>,
    /// Whether any generator read the levels of neighbours. Until then nobody looks for chunks that depend on them.
    has_dependants: bool,
}

/// A wanted chunk.
struct Wanted {
    level: u8,
    /// What the versions read that are whole or on their way, the newest last.
    reads: SmallVec<[Read; 1]>,
    /// Whether a version is asked for that will read the levels of now.
    is_asked: bool,
}

/// What the generator of one version read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read {
    version: u64,
    levels: NeighbourLevels,
    /// Whether of the neighbours as well.
    is_around: bool,
}

/// So many versions of a chunk are remembered. There are more only if generators that were superseded still run.
const MOST_READS: usize = 4;

impl KnownLevels {
    pub(super) fn new(rings: LevelRings) -> Self {
        Self {
            rings,
            rank: ViewerRank::default(),
            plane: None,
            chunks: AHashMap::new(),
            has_dependants: false,
        }
    }

    /// Forgets everything but the rings.
    pub(super) fn reset(&mut self) {
        *self = Self::new(self.rings.clone());
    }

    /// The level that a chunk is wanted at, or would be.
    pub(super) fn level(&self, coord: ChunkCoord) -> u8 {
        match self.chunks.get(&coord) {
            Some(chunk) => chunk.level,
            None => self.rings.level(self.rank.distance_sq(coord), None),
        }
    }

    pub(super) fn set_viewers(&mut self, rank: ViewerRank, plane: Option<Plane>) {
        (self.rank, self.plane) = (rank, plane);
    }

    /// Sets the level of a chunk that became wanted. Adds the neighbours that depend on it to `suspects`.
    pub(super) fn enter(&mut self, coord: ChunkCoord, suspects: &mut BTreeSet<ChunkCoord>) {
        let level = self.rings.level(self.rank.distance_sq(coord), None);
        let chunk = Wanted {
            level,
            reads: SmallVec::new(),
            is_asked: false,
        };
        self.chunks.insert(coord, chunk);
        self.suspect_neighbours(coord, level, suspects);
    }

    pub(super) fn leave(&mut self, coord: ChunkCoord) {
        self.chunks.remove(&coord);
    }

    /// Decides the level of a wanted chunk anew. If it changes, adds the chunk to `changed`, or to `suspects` if it
    /// depends on levels that may be about to change as well; and to `suspects` the neighbours that depend on it.
    pub(super) fn review(
        &mut self,
        coord: ChunkCoord,
        changed: &mut Vec<ChunkCoord>,
        suspects: &mut BTreeSet<ChunkCoord>,
    ) {
        let Some(chunk) = self.chunks.get_mut(&coord) else {
            return;
        };
        let level = (self.rings).level(self.rank.distance_sq(coord), Some(chunk.level));
        if level == chunk.level {
            return;
        }
        chunk.level = level;
        if chunk.reads.last().is_some_and(|read| read.is_around) {
            suspects.insert(coord);
        } else {
            changed.push(coord);
        }
        self.suspect_neighbours(coord, level, suspects);
    }

    /// Adds the neighbours of a chunk whose newest version read another level of it.
    fn suspect_neighbours(
        &self,
        coord: ChunkCoord,
        level: u8,
        suspects: &mut BTreeSet<ChunkCoord>,
    ) {
        if !self.has_dependants {
            return;
        }
        for neighbour in self.neighbours(coord) {
            let read = (self.chunks.get(&neighbour)).and_then(|chunk| chunk.reads.last());
            if read.is_some_and(|read| read.is_around && read.of(neighbour, coord) != level) {
                suspects.insert(neighbour);
            }
        }
    }

    /// Whether the newest version of a chunk read other levels than those of now, and no newer one is asked for. Then
    /// one is.
    pub(super) fn ask_if_outdated(&mut self, coord: ChunkCoord) -> bool {
        let Some(chunk) = self.chunks.get(&coord) else {
            return false;
        };
        let Some(read) = chunk.reads.last().filter(|_| !chunk.is_asked) else {
            return false;
        };
        // A neighbour that is not wanted is not there, so that nothing stands against it.
        let is_other = |neighbour: ChunkCoord| {
            (self.chunks.get(&neighbour))
                .is_some_and(|wanted| wanted.level != read.of(coord, neighbour))
        };
        let is_outdated = read.levels.own() != chunk.level
            || (read.is_around && self.neighbours(coord).any(is_other));
        if is_outdated && let Some(chunk) = self.chunks.get_mut(&coord) {
            chunk.is_asked = true;
        }
        is_outdated
    }

    /// What the generator of this version reads: always the same for one version.
    pub(super) fn read(
        &mut self,
        coord: ChunkCoord,
        version: u64,
        is_around: bool,
    ) -> NeighbourLevels {
        let before = (self.chunks.get(&coord)).and_then(|chunk| chunk.read_by(version));
        if let Some(read) = before
            && (read.is_around || !is_around)
        {
            return read.levels;
        }
        let own = before.map_or_else(|| self.level(coord), |read| read.levels.own());
        let mut levels = NeighbourLevels::uniform(own);
        if is_around {
            self.has_dependants = true;
            for neighbour in self.neighbours(coord) {
                levels.set(offset(coord, neighbour), self.level(neighbour));
            }
        }
        if let Some(chunk) = self.chunks.get_mut(&coord) {
            let read = Read {
                version,
                levels,
                is_around,
            };
            chunk.remember(read);
        }
        levels
    }

    /// The level that the version of a chunk was made at, which is whole now; if its generator read none, the level that
    /// the chunk is wanted at.
    pub(super) fn made(&mut self, coord: ChunkCoord, version: u64) -> u8 {
        let Some(chunk) = self.chunks.get_mut(&coord) else {
            return self.level(coord);
        };
        let own = chunk.read_by(version).map(|read| read.levels.own());
        chunk.reads.retain(|read| read.version >= version);
        chunk.is_asked &= !chunk.reads.is_empty();
        own.unwrap_or(chunk.level)
    }

    /// What the generator of a whole version read; if it read nothing, the level that the chunk is wanted at.
    pub(super) fn standing(&self, coord: ChunkCoord, version: u64) -> Option<Read> {
        let chunk = self.chunks.get(&coord)?;
        Some(chunk.read_by(version).unwrap_or(Read {
            version,
            levels: NeighbourLevels::uniform(chunk.level),
            is_around: false,
        }))
    }

    /// A version that read this stands there again.
    pub(super) fn restore(&mut self, coord: ChunkCoord, read: Read) {
        if let Some(chunk) = self.chunks.get_mut(&coord) {
            chunk.remember(read);
        }
    }

    fn neighbours(&self, coord: ChunkCoord) -> impl Iterator<Item = ChunkCoord> + use<> {
        let plane = self.plane;
        (coord.all_neighbours()).filter(move |neighbour| match plane {
            None => true,
            Some(Plane::Xz) => neighbour.y == coord.y,
            Some(Plane::Xy) => neighbour.z == coord.z,
        })
    }
}

impl Wanted {
    fn read_by(&self, version: u64) -> Option<Read> {
        let mut reads = self.reads.iter();
        reads.find(|read| read.version == version).copied()
    }

    /// A version that was superseded may read later than the one that superseded it.
    fn remember(&mut self, read: Read) {
        self.is_asked = false;
        self.reads.retain(|other| other.version != read.version);
        let place = (self.reads).partition_point(|other| other.version < read.version);
        self.reads.insert(place, read);
        if self.reads.len() > MOST_READS {
            self.reads.remove(0);
        }
    }
}

impl Read {
    /// The level that the generator of `coord` read of a neighbour.
    fn of(&self, coord: ChunkCoord, neighbour: ChunkCoord) -> u8 {
        let [x, y, z] = offset(coord, neighbour);
        self.levels.at(x, y, z)
    }
}

/// Where a neighbour is. Neighbours differ by at most one, so nothing overflows.
fn offset(coord: ChunkCoord, neighbour: ChunkCoord) -> [i32; 3] {
    [
        neighbour.x - coord.x,
        neighbour.y - coord.y,
        neighbour.z - coord.z,
    ]
}
