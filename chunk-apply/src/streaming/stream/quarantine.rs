//! Wanted chunks that were given up.

use chunk_coord::ChunkCoord;
use chunk_scheduler::Version;
use std::collections::BTreeMap;

/// The wanted chunks whose last permitted attempt failed and of which no newer version was loaded since. Chunks that are no longer wanted
/// are removed, so the wanted set bounds it; the scheduler's list, which has the messages as well, is bounded by number and
/// forgets.
#[derive(Debug, Default)]
pub(in crate::streaming) struct Quarantine {
    failed: BTreeMap<ChunkCoord, Version>,
    /// Those that are to be requested again, within the budgets of the coming frames.
    asked_again: BTreeMap<ChunkCoord, Version>,
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
        for chunks in [&mut self.failed, &mut self.asked_again] {
            if chunks
                .get(&coord)
                .is_some_and(|given_up| *given_up < version)
            {
                chunks.remove(&coord);
            }
        }
    }

    /// Removes a chunk that is no longer wanted.
    pub(in crate::streaming) fn remove(&mut self, coord: ChunkCoord) {
        self.failed.remove(&coord);
        self.asked_again.remove(&coord);
    }

    /// Asks for all of them again. Returns how many there were.
    pub(in crate::streaming) fn retry(&mut self) -> usize {
        let asked = self.failed.len();
        self.asked_again.append(&mut self.failed);
        asked
    }

    /// Takes the next chunk that is to be requested again, and its version that was given up.
    pub(in crate::streaming) fn next_retry(&mut self) -> Option<(ChunkCoord, Version)> {
        self.asked_again.pop_first()
    }

    /// Whether all that was asked for again was requested.
    pub(in crate::streaming) fn is_settled(&self) -> bool {
        self.asked_again.is_empty()
    }
}
