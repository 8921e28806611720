//! Finds the chunks that are to be made anew after the viewers moved.

use super::{chunk_levels::ChunkLevels, known_levels::Read};
use crate::{streaming::order::ViewerRank, sync::Arc};
use ahash::AHashMap;
use chunk_coord::{ChunkCoord, Plane};
use core::time::Duration;
use std::collections::BTreeSet;

/// Reviews the levels of all wanted chunks after each move of the viewers, as far as the frame's time allows.
#[derive(Debug)]
pub(in crate::streaming) struct LodTracker {
    levels: ChunkLevels,
    _claim: Arc<()>,
    /// Chunks that are still to be reviewed.
    todo: Vec<ChunkCoord>,
    /// Whether the viewers moved since the chunks were listed.
    is_outdated: bool,
    /// Chunks that depend on a level that changed. They are checked after a review, so that a move of the viewers makes
    /// each of them anew once.
    suspects: BTreeSet<ChunkCoord>,
    /// Those of them that are being checked.
    checking: Vec<ChunkCoord>,
    /// What the versions that left read, until they return or are despawned.
    departed: AHashMap<(ChunkCoord, u64), Read>,
    // Kept for its memory.
    changed: Vec<ChunkCoord>,
}

/// Chunks reviewed between two readings of the clock.
const BATCH: usize = 128;

impl LodTracker {
    /// `None` if another stream has the levels.
    pub(in crate::streaming) fn new(levels: ChunkLevels) -> Option<Self> {
        Some(Self {
            _claim: levels.claim()?,
            levels,
            todo: Vec::new(),
            is_outdated: false,
            suspects: BTreeSet::new(),
            checking: Vec::new(),
            departed: AHashMap::new(),
            changed: Vec::new(),
        })
    }

    pub(in crate::streaming) fn is_settled(&self) -> bool {
        self.todo.is_empty()
            && !self.is_outdated
            && self.suspects.is_empty()
            && self.checking.is_empty()
    }

    /// The viewers have moved: all wanted chunks are to be reviewed, after those that still wait for it.
    pub(in crate::streaming) fn viewers_moved(&mut self, rank: &ViewerRank, plane: Option<Plane>) {
        self.is_outdated = true;
        (self.levels).with_known(|known| known.set_viewers(rank.clone(), plane));
    }

    /// Sets the levels of chunks that became wanted.
    pub(in crate::streaming) fn enter(&mut self, coords: &[ChunkCoord]) {
        let suspects = &mut self.suspects;
        (self.levels).with_known(|known| {
            for coord in coords {
                known.enter(*coord, suspects);
            }
        });
    }

    /// Remembers what a whole version read that is about to leave.
    pub(in crate::streaming) fn depart(&mut self, coord: ChunkCoord, version: u64) {
        if let Some(read) = (self.levels).with_known(|known| known.standing(coord, version)) {
            self.departed.insert((coord, version), read);
        }
    }

    /// A version that left is back. It is made anew if its level, or one that it depends on, changed meanwhile.
    pub(in crate::streaming) fn come_back(&mut self, coord: ChunkCoord, version: u64) {
        if let Some(read) = self.departed.remove(&(coord, version)) {
            (self.levels).with_known(|known| known.restore(coord, read));
        }
        self.suspects.insert(coord);
    }

    /// A version that left is despawned.
    pub(in crate::streaming) fn forget(&mut self, coord: ChunkCoord, version: u64) {
        self.departed.remove(&(coord, version));
    }

    /// Forgets chunks that are no longer wanted.
    pub(in crate::streaming) fn leave(&self, coords: &[ChunkCoord]) {
        (self.levels).with_known(|known| {
            for coord in coords {
                known.leave(*coord);
            }
        });
    }

    /// The level that a version was made at, which is whole now.
    pub(in crate::streaming) fn made(&self, coord: ChunkCoord, version: u64) -> u8 {
        self.levels.with_known(|known| known.made(coord, version))
    }

    /// Reviews some chunks, one batch at least. `changed` gets those to be generated anew.
    pub(in crate::streaming) fn advance(
        &mut self,
        wanted: impl Iterator<Item = ChunkCoord>,
        mut time_left: impl FnMut() -> Duration,
        mut changed: impl FnMut(ChunkCoord),
    ) {
        if self.todo.is_empty() && self.checking.is_empty() {
            if core::mem::take(&mut self.is_outdated) {
                self.todo.extend(wanted);
            } else {
                self.list_suspects();
            }
        }
        while !(self.todo.is_empty() && self.checking.is_empty()) {
            if self.checking.is_empty() {
                self.review_batch();
                if self.todo.is_empty() {
                    self.list_suspects();
                }
            } else {
                self.check_batch();
            }
            self.changed.drain(..).for_each(&mut changed);
            if time_left().is_zero() {
                return;
            }
        }
    }

    fn list_suspects(&mut self) {
        self.checking.extend(core::mem::take(&mut self.suspects));
    }

    fn review_batch(&mut self) {
        let rest = self.todo.len().saturating_sub(BATCH);
        let (changed, suspects) = (&mut self.changed, &mut self.suspects);
        let batch = self.todo.drain(rest..);
        (self.levels).with_known(|known| {
            for coord in batch {
                known.review(coord, changed, suspects);
            }
        });
    }

    fn check_batch(&mut self) {
        let rest = self.checking.len().saturating_sub(BATCH);
        let batch = self.checking.drain(rest..);
        let changed = &mut self.changed;
        (self.levels).with_known(|known| {
            changed.extend(batch.filter(|coord| known.ask_if_outdated(*coord)))
        });
    }
}
