//! Wanted chunks that are not there and that nobody makes.

use chunk_coord::ChunkCoord;
use chunk_scheduler::Version;
use std::collections::{BTreeMap, BTreeSet};

/// The wanted chunks whose last permitted attempt failed and of which no newer version was loaded since. Chunks that are
/// no longer wanted are removed, so the wanted set bounds it; the scheduler's list, which has the messages as well, is
/// bounded by number and forgets.
#[derive(Debug, Default)]
pub(in crate::streaming) struct Quarantine {
    failed: BTreeMap<ChunkCoord, Version>,
    /// Those that are to be requested again, within the budgets of the coming frames, with the version that was given up.
    asked_again: BTreeMap<ChunkCoord, Option<Version>>,
    /// Those whose root a user despawned.
    despawned: BTreeSet<ChunkCoord>,
}

impl Quarantine {
    /// Those that nobody asked for again, in their order.
    pub(in crate::streaming) fn iter(&self) -> impl ExactSizeIterator<Item = ChunkCoord> + '_ {
        self.failed.keys().copied()
    }

    /// This version of the chunk was given up.
    pub(in crate::streaming) fn insert(&mut self, coord: ChunkCoord, version: Version) {
        self.failed.insert(coord, version);
    }

    /// This version of the chunk was loaded. An older one than was given up is out of date.
    pub(in crate::streaming) fn loaded(&mut self, coord: ChunkCoord, version: Version) {
        let is_newer = |given_up: Version| given_up < version;
        if self.failed.get(&coord).copied().is_some_and(is_newer) {
            self.failed.remove(&coord);
        }
        let asked = self.asked_again.get(&coord);
        if asked.is_some_and(|given_up| given_up.is_none_or(is_newer)) {
            self.asked_again.remove(&coord);
        }
        self.despawned.remove(&coord);
    }

    /// Removes a chunk that is no longer wanted.
    pub(in crate::streaming) fn remove(&mut self, coord: ChunkCoord) {
        self.failed.remove(&coord);
        self.asked_again.remove(&coord);
        self.despawned.remove(&coord);
    }

    /// Whether it was given up after failures, and nobody asked for it again.
    pub(in crate::streaming) fn is_given_up(&self, coord: ChunkCoord) -> bool {
        self.failed.contains_key(&coord)
    }

    /// Whether it was given up after failures.
    pub(in crate::streaming) fn has_failed(&self, coord: ChunkCoord) -> bool {
        self.failed.contains_key(&coord) || self.asked_again.contains_key(&coord)
    }

    /// A user despawned the root of a wanted chunk, and it is to stay gone.
    pub(in crate::streaming) fn note_despawned(&mut self, coord: ChunkCoord) {
        self.despawned.insert(coord);
    }

    /// The chunk is to be made in any case.
    pub(in crate::streaming) fn forget_despawned(&mut self, coord: ChunkCoord) {
        self.despawned.remove(&coord);
    }

    /// Whether a user despawned its root, and it is to stay gone.
    pub(in crate::streaming) fn is_despawned(&self, coord: ChunkCoord) -> bool {
        self.despawned.contains(&coord)
    }

    /// Whether nobody makes it before it is asked for.
    pub(in crate::streaming) fn is_gone(&self, coord: ChunkCoord) -> bool {
        self.is_given_up(coord) || self.is_despawned(coord)
    }

    /// Those, in their order.
    pub(in crate::streaming) fn despawned(&self) -> impl ExactSizeIterator<Item = ChunkCoord> + '_ {
        self.despawned.iter().copied()
    }

    /// Asks for a chunk again.
    pub(in crate::streaming) fn ask(&mut self, coord: ChunkCoord) {
        self.asked_again.insert(coord, None);
    }

    /// Asks for all of them again. Returns how many there were.
    pub(in crate::streaming) fn retry(&mut self) -> usize {
        let asked = self.failed.len();
        let failed = core::mem::take(&mut self.failed).into_iter();
        (self.asked_again).extend(failed.map(|(coord, given_up)| (coord, Some(given_up))));
        asked
    }

    /// Takes the next chunk that is to be requested again, and its version that was given up, if one was.
    pub(in crate::streaming) fn next_retry(&mut self) -> Option<(ChunkCoord, Option<Version>)> {
        self.asked_again.pop_first()
    }

    /// Whether all that was asked for again was requested.
    pub(in crate::streaming) fn is_settled(&self) -> bool {
        self.asked_again.is_empty()
    }
}
