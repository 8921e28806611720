//! How long chunks take from wanted to visible.

use ahash::AHashMap;
use chunk_coord::ChunkCoord;
use chunk_scheduler::{DurationRecorder, DurationSummary, Version};
use core::time::Duration;

/// How long chunks took to become visible.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatencySummary {
    /// From wanted to visible, of chunks that were not there before. A chunk that is requested anew on the way still
    /// counts from when it was first wanted.
    pub shown: DurationSummary,
    /// The same by how far the chunk was from the nearest viewer when it became visible.
    pub by_ring: [RingLatency; RingLatency::RINGS],
    /// From requested anew, by an edit or another level of detail, to replaced by a version that was generated after
    /// that. Where a version is generated after several requests, from the first of them.
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

/// A chunk was requested anew, and no version that is generated after that is shown.
#[derive(Clone, Copy, Debug)]
struct Change {
    since: Duration,
    /// The version that is generated after it. `None` while what stands must be saved first.
    version: Option<Version>,
}

/// As many versions of one chunk are on their way at the same time, and one that is to be requested. What is older
/// failed, and the next one shows it.
const MOST_CHANGES: usize = 5;

/// The chunks that are waited for, and how long earlier ones took.
#[derive(Debug)]
pub(in crate::streaming) struct Latencies {
    /// Chunks of which no version was ever shown, and since when they are wanted.
    unseen: AHashMap<ChunkCoord, Duration>,
    /// The changes of chunks that were requested anew, oldest first; no list is empty.
    changes: AHashMap<ChunkCoord, Vec<Change>>,
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
            unseen: AHashMap::new(),
            changes: AHashMap::new(),
            recorders: Box::default(),
            missed: 0,
        }
    }
}

impl Latencies {
    /// The chunk became wanted.
    pub(in crate::streaming) fn wanted(&mut self, coord: ChunkCoord, now: Duration) {
        self.unseen.insert(coord, now);
        if !self.changes.is_empty() {
            self.changes.remove(&coord);
        }
    }

    /// The chunk was requested anew.
    pub(in crate::streaming) fn requested_anew(&mut self, coord: ChunkCoord, now: Duration) {
        let changes = self.changes.entry(coord).or_default();
        let is_full = changes.len() == MOST_CHANGES;
        match changes.last_mut() {
            Some(last) if last.version.is_none() => {}
            Some(last) if is_full => last.version = None,
            _ => changes.push(Change {
                since: now,
                version: None,
            }),
        }
    }

    /// This version of the chunk is generated after all that it was requested anew for.
    pub(in crate::streaming) fn is_made_as(&mut self, coord: ChunkCoord, version: Version) {
        let Some(changes) = self.changes.get_mut(&coord) else {
            return;
        };
        if let Some(last) = changes.last_mut() {
            last.version.get_or_insert(version);
        }
        // It counts from the first of them.
        changes.dedup_by_key(|change| change.version);
    }

    /// The chunk is no longer wanted; if it was never shown it was missed.
    pub(in crate::streaming) fn left(&mut self, coord: ChunkCoord) {
        self.changes.remove(&coord);
        self.missed += u64::from(self.unseen.remove(&coord).is_some());
    }

    /// The chunk is not loaded for now; nothing counts as missed.
    pub(in crate::streaming) fn hold_back(&mut self, coord: ChunkCoord) {
        self.changes.remove(&coord);
        self.unseen.remove(&coord);
    }

    /// Everything will be requested again; nothing counts as missed.
    pub(in crate::streaming) fn restart(&mut self) {
        self.unseen.clear();
        self.changes.clear();
    }

    /// This version of the chunk is visible. Returns how long that took.
    pub(in crate::streaming) fn shown(
        &mut self,
        coord: ChunkCoord,
        version: Version,
        distance_sq: u64,
        now: Duration,
    ) -> Duration {
        let oldest_change = self.take_changes(coord, version);
        if let Some(latency) = self.seen(coord, distance_sq, now) {
            return latency;
        }
        let latency = oldest_change.map(|since| now.saturating_sub(since));
        if let Some(latency) = latency {
            self.recorders.replaced.record(latency);
        }
        latency.unwrap_or_default()
    }

    /// A chunk that left is visible again, as it was. Returns how long that took.
    pub(in crate::streaming) fn returned(
        &mut self,
        coord: ChunkCoord,
        distance_sq: u64,
        now: Duration,
    ) -> Duration {
        self.seen(coord, distance_sq, now).unwrap_or_default()
    }

    /// The chunk is seen since it became wanted. Returns how long that took, if it was not seen before.
    fn seen(&mut self, coord: ChunkCoord, distance_sq: u64, now: Duration) -> Option<Duration> {
        let latency = now.saturating_sub(self.unseen.remove(&coord)?);
        self.recorders.shown.record(latency);
        self.recorders.by_ring[RingLatency::ring_of(distance_sq)].record(latency);
        Some(latency)
    }

    /// Forgets the changes that this version shows. Returns since when the oldest of them is waited for.
    fn take_changes(&mut self, coord: ChunkCoord, version: Version) -> Option<Duration> {
        // In a world without edits there are none.
        if self.changes.is_empty() {
            return None;
        }
        let changes = self.changes.get_mut(&coord)?;
        let is_seen = |change: &Change| change.version.is_some_and(|made| made <= version);
        let seen = changes.partition_point(is_seen);
        let oldest = changes.drain(..seen).next()?;
        if changes.is_empty() {
            self.changes.remove(&coord);
        }
        Some(oldest.since)
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
    use chunk_scheduler::{FnRank, Generator, Job, Runtime, Scheduler, SchedulerConfig};

    const MS: Duration = Duration::from_millis(1);
    const HERE: ChunkCoord = ChunkCoord::ORIGIN;

    /// Versions of a chunk, oldest first.
    fn versions(count: usize) -> Vec<Version> {
        let rank = FnRank(|_: &u32| 0_u32);
        let generator = Generator::new(|_: &Job<u32>| ());
        let budget = Duration::ZERO;
        let mut scheduler = Scheduler::new(
            SchedulerConfig::default(),
            generator,
            Runtime::Inline { budget },
            rank,
        )
        .expect("the configuration is valid");
        let request = |key| scheduler.request(key).version();
        (0..count as u32).map(request).collect()
    }

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

    fn refreshed(latencies: &mut Latencies, version: Version, now: Duration) {
        latencies.requested_anew(HERE, now);
        latencies.is_made_as(HERE, version);
    }

    #[test]
    fn a_chunk_that_is_refreshed_before_it_was_shown_counts_from_the_beginning() {
        let version = versions(1)[0];
        let mut latencies = Latencies::default();
        latencies.wanted(HERE, MS);
        refreshed(&mut latencies, version, 50 * MS);
        assert_eq!(latencies.shown(HERE, version, 9, 101 * MS), 100 * MS);
        let summary = latencies.summary();
        assert_eq!((summary.shown.count, summary.shown.max), (1, 100 * MS));
        let rings = summary.by_ring.map(|ring| ring.latency.count);
        assert_eq!(rings, [0, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(summary.replaced.count, 0);
    }

    #[test]
    fn a_version_counts_from_the_first_change_that_it_shows() {
        let versions = versions(4);
        let mut latencies = Latencies::default();
        refreshed(&mut latencies, versions[1], 10 * MS);
        refreshed(&mut latencies, versions[1], 20 * MS);
        refreshed(&mut latencies, versions[2], 30 * MS);
        // It was generated before all of them.
        assert_eq!(
            latencies.shown(HERE, versions[0], 0, 35 * MS),
            Duration::ZERO
        );
        assert_eq!(latencies.summary().replaced.count, 0);
        assert_eq!(latencies.shown(HERE, versions[1], 0, 37 * MS), 27 * MS);
        refreshed(&mut latencies, versions[3], 40 * MS);
        assert_eq!(latencies.shown(HERE, versions[3], 0, 41 * MS), 11 * MS);
        let replaced = latencies.summary().replaced;
        assert_eq!((replaced.count, replaced.max), (2, 27 * MS));
        assert_eq!(latencies.summary().shown.count, 0);
        assert!(latencies.changes.is_empty());
        latencies.left(HERE);
        assert_eq!(latencies.missed(), 0);
    }

    #[test]
    fn a_change_that_waits_for_a_save_counts_from_when_it_was_made() {
        let versions = versions(2);
        let mut latencies = Latencies::default();
        latencies.requested_anew(HERE, 10 * MS);
        latencies.requested_anew(HERE, 20 * MS);
        assert_eq!(
            latencies.shown(HERE, versions[0], 0, 25 * MS),
            Duration::ZERO
        );
        latencies.is_made_as(HERE, versions[1]);
        assert_eq!(latencies.shown(HERE, versions[1], 0, 40 * MS), 30 * MS);
        assert!(latencies.changes.is_empty());
    }

    #[test]
    fn versions_that_are_never_shown_take_bounded_memory_and_count_for_the_next_one() {
        let versions = versions(100);
        let mut latencies = Latencies::default();
        for (version, since) in versions.iter().zip(1..) {
            refreshed(&mut latencies, *version, since * MS);
        }
        assert_eq!(latencies.changes[&HERE].len(), MOST_CHANGES);
        let latency = latencies.shown(HERE, versions[99], 0, 101 * MS);
        assert_eq!(latency, 100 * MS);
        assert!(latencies.changes.is_empty());
    }

    #[test]
    fn what_leaves_before_it_was_shown_is_missed() {
        let version = versions(1)[0];
        let mut latencies = Latencies::default();
        latencies.wanted(HERE, MS);
        refreshed(&mut latencies, version, 2 * MS);
        latencies.left(HERE);
        latencies.left(HERE);
        assert_eq!(latencies.missed(), 1);
        latencies.wanted(HERE, 3 * MS);
        latencies.restart();
        latencies.left(HERE);
        assert_eq!(latencies.missed(), 1);
    }
}
