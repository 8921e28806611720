//! How long chunks take from wanted to visible.

use ahash::AHashMap;
use chunk_coord::ChunkCoord;
use chunk_scheduler::{DurationRecorder, DurationSummary};
use core::time::Duration;

/// How long chunks took to become visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatencySummary {
    /// From wanted to visible, of chunks that were not there before. A chunk that is requested anew on the way still
    /// counts from when it was first wanted.
    pub shown: DurationSummary,
    /// The same by how far the chunk was from the nearest viewer when it became visible.
    pub by_ring: [RingLatency; RingLatency::RINGS],
    /// From requested anew, by an edit or another level of detail, to replaced.
    pub replaced: DurationSummary,
}

/// How long the chunks at a certain distance took to become visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingLatency {
    /// The ring begins at this distance in chunks, and ends where the next one begins. Each is twice as wide as the one
    /// before, so that eight rings cover any usual range.
    pub from: u32,
    /// From wanted to visible.
    pub latency: DurationSummary,
}

impl RingLatency {
    /// How many rings there are; the last has no end.
    pub const RINGS: usize = 8;

    /// Rings begin at the distances 0, 1, 2, 4, 8, 16, 32 and 64.
    fn ring_of(distance_sq: u64) -> usize {
        let distance = distance_sq.isqrt();
        let ring = distance
            .checked_ilog2()
            .map_or(0, |doublings| doublings + 1);
        (ring as usize).min(Self::RINGS - 1)
    }

    fn start_of(ring: usize) -> u32 {
        if ring == 0 { 0 } else { 1 << (ring - 1) }
    }
}

/// Since when a chunk is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// No version of it was ever shown.
    ToBeShown(Duration),
    /// The version that stands is out of date since the chunk was last requested anew.
    ToBeReplaced(Duration),
}

/// The chunks that are waited for, and how long earlier ones took.
#[derive(Debug)]
pub(in crate::streaming) struct Latencies {
    waits: AHashMap<ChunkCoord, Wait>,
    // On the heap, because a resource is moved out of the `World` and back in each frame.
    recorders: Box<Recorders>,
    missed: u64,
}

#[derive(Debug, Default)]
struct Recorders {
    shown: DurationRecorder,
    by_ring: [DurationRecorder; RingLatency::RINGS],
    replaced: DurationRecorder,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            waits: AHashMap::new(),
            recorders: Box::default(),
            missed: 0,
        }
    }
}

impl Latencies {
    /// The chunk became wanted.
    pub(in crate::streaming) fn wanted(&mut self, coord: ChunkCoord, now: Duration) {
        self.waits.insert(coord, Wait::ToBeShown(now));
    }

    /// The chunk was requested anew. If it was never shown, it still counts from when it became wanted.
    pub(in crate::streaming) fn requested_anew(&mut self, coord: ChunkCoord, now: Duration) {
        let wait = self.waits.entry(coord);
        let wait = wait.or_insert(Wait::ToBeReplaced(now));
        if let Wait::ToBeReplaced(since) = wait {
            *since = now;
        }
    }

    /// The chunk is no longer wanted; if it was never shown it was missed.
    pub(in crate::streaming) fn left(&mut self, coord: ChunkCoord) {
        let wait = self.waits.remove(&coord);
        self.missed += u64::from(matches!(wait, Some(Wait::ToBeShown(_))));
    }

    /// Everything will be requested again; nothing counts as missed.
    pub(in crate::streaming) fn restart(&mut self) {
        self.waits.clear();
    }

    /// The chunk is visible. Returns how long that took.
    pub(in crate::streaming) fn shown(
        &mut self,
        coord: ChunkCoord,
        distance_sq: u64,
        now: Duration,
    ) -> Duration {
        match self.waits.remove(&coord) {
            Some(Wait::ToBeShown(since)) => {
                let latency = now.saturating_sub(since);
                self.recorders.shown.record(latency);
                self.recorders.by_ring[RingLatency::ring_of(distance_sq)].record(latency);
                latency
            }
            Some(Wait::ToBeReplaced(since)) => {
                let latency = now.saturating_sub(since);
                self.recorders.replaced.record(latency);
                latency
            }
            None => Duration::ZERO,
        }
    }

    /// Chunks that left before anything of them was shown.
    pub(in crate::streaming) fn missed(&self) -> u64 {
        self.missed
    }

    pub(in crate::streaming) fn summary(&self) -> LatencySummary {
        let Recorders {
            shown,
            by_ring,
            replaced,
        } = &*self.recorders;
        LatencySummary {
            shown: shown.summary(),
            by_ring: core::array::from_fn(|ring| RingLatency {
                from: RingLatency::start_of(ring),
                latency: by_ring[ring].summary(),
            }),
            replaced: replaced.summary(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn rings_begin_where_they_say() {
        for ring in 0..RingLatency::RINGS {
            let start = u64::from(RingLatency::start_of(ring));
            assert_eq!(RingLatency::ring_of(start * start), ring);
            if let Some(before) = (start * start).checked_sub(1) {
                assert_eq!(RingLatency::ring_of(before), ring - 1);
            }
        }
        assert_eq!(RingLatency::ring_of(u64::MAX), RingLatency::RINGS - 1);
    }

    #[test]
    fn a_chunk_that_is_refreshed_before_it_was_shown_counts_from_the_beginning() {
        let mut latencies = Latencies::default();
        latencies.wanted(ChunkCoord::ORIGIN, MS);
        latencies.requested_anew(ChunkCoord::ORIGIN, 50 * MS);
        assert_eq!(latencies.shown(ChunkCoord::ORIGIN, 9, 101 * MS), 100 * MS);
        let summary = latencies.summary();
        assert_eq!((summary.shown.count, summary.shown.max), (1, 100 * MS));
        let rings = summary.by_ring.map(|ring| ring.latency.count);
        assert_eq!(rings, [0, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(summary.replaced.count, 0);
    }

    #[test]
    fn a_chunk_that_is_there_counts_from_its_last_request() {
        let mut latencies = Latencies::default();
        latencies.requested_anew(ChunkCoord::ORIGIN, 10 * MS);
        latencies.requested_anew(ChunkCoord::ORIGIN, 30 * MS);
        assert_eq!(latencies.shown(ChunkCoord::ORIGIN, 0, 37 * MS), 7 * MS);
        assert_eq!(latencies.summary().replaced.max, 7 * MS);
        assert_eq!(latencies.summary().shown.count, 0);
        latencies.left(ChunkCoord::ORIGIN);
        assert_eq!(latencies.missed(), 0);
    }

    #[test]
    fn what_leaves_before_it_was_shown_is_missed() {
        let mut latencies = Latencies::default();
        latencies.wanted(ChunkCoord::ORIGIN, MS);
        latencies.requested_anew(ChunkCoord::ORIGIN, 2 * MS);
        latencies.left(ChunkCoord::ORIGIN);
        latencies.left(ChunkCoord::ORIGIN);
        assert_eq!(latencies.missed(), 1);
        latencies.wanted(ChunkCoord::ORIGIN, 3 * MS);
        latencies.restart();
        latencies.left(ChunkCoord::ORIGIN);
        assert_eq!(latencies.missed(), 1);
    }
}
