//! Chunks of which all entities are spawned and that wait for their gates.

use chunk_coord::ChunkCoord;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use tracing::warn;

/// A version of a chunk that waits.
#[derive(Clone, Copy)]
struct Waiting {
    version: u64,
    since: Duration,
    /// Whether it has waited for longer than anybody should.
    is_late: bool,
}

/// The chunks, which the applier holds.
#[derive(Default)]
pub(in crate::streaming) struct Gates {
    waiting: BTreeMap<ChunkCoord, Waiting>,
    /// Those that are not late, the one that waits longest first.
    punctual: BTreeSet<(Duration, ChunkCoord)>,
}

impl Gates {
    pub(super) fn enter(&mut self, coord: ChunkCoord, version: u64, now: Duration) {
        let waiting = Waiting {
            version,
            since: now,
            is_late: false,
        };
        if let Some(former) = self.waiting.insert(coord, waiting) {
            self.punctual.remove(&(former.since, coord));
        }
        self.punctual.insert((now, coord));
    }

    /// This version of the chunk does not wait any more.
    pub(super) fn leave(&mut self, coord: ChunkCoord, version: u64) {
        if let Some(waiting) = self.waiting.get(&coord).copied()
            && waiting.version == version
        {
            self.waiting.remove(&coord);
            self.punctual.remove(&(waiting.since, coord));
        }
    }

    /// Tells of those that have waited for so long, with one warning. Returns how many they are.
    pub(in crate::streaming) fn tell_late(&mut self, now: Duration, patience: Duration) -> u64 {
        let mut late = 0;
        let mut first = None;
        while let Some((since, coord)) = self.punctual.first().copied()
            && now.saturating_sub(since) >= patience
        {
            self.punctual.pop_first();
            if let Some(waiting) = self.waiting.get_mut(&coord) {
                waiting.is_late = true;
            }
            first = first.or(Some(coord));
            late += 1;
        }
        if let Some(coord) = first {
            warn!(
                ?coord,
                "a chunk and {} others are spawned and not seen because their gates are not open since {patience:?}",
                late - 1
            );
        }
        late
    }

    /// Whether a version of the chunk waits that a newer one must not take the place of before it is seen.
    pub(super) fn keeps(&self, coord: ChunkCoord) -> bool {
        (self.waiting.get(&coord)).is_some_and(|waiting| !waiting.is_late)
    }

    /// Whether a version of the chunk waits and may do so forever.
    pub(super) fn is_late(&self, coord: ChunkCoord) -> bool {
        (self.waiting.get(&coord)).is_some_and(|waiting| waiting.is_late)
    }

    /// Since when a version of the chunk waits, and whether it is late.
    pub(super) fn find(&self, coord: ChunkCoord) -> Option<(Duration, bool)> {
        let waiting = self.waiting.get(&coord)?;
        Some((waiting.since, waiting.is_late))
    }

    /// The chunks that are late, in their order.
    pub(super) fn late(&self) -> impl Iterator<Item = ChunkCoord> + '_ {
        let late = self.waiting.iter().filter(|(_, waiting)| waiting.is_late);
        late.map(|(coord, _)| *coord)
    }
}
