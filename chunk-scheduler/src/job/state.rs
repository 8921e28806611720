//! One job's shared state: the only thing about a job that two threads write.

use std::time::Duration;

use super::key::{Lane, Version};
use crate::{
    histogram::{coarse, from_coarse},
    sync::{AtomicU32, Ordering},
};

/// Where a job is in its life.
///
/// ```text
///            ┌──────────── due again (main) ────────────┐
///            ▼                                          │
///         Queued ──started (worker)──► InFlight ──► Retrying ──► Failed
///            ▲                            │ finished    ▲  (main: attempts spent)
///            │     known empty (main)     ▼ (worker)    │
///            │   ─────────────────────► Completed       │ spawning failed (main)
///            │                            │ drained     │
///            │                        Delivered ────────┘
///            │                            │ applied (main)
///            │                            ▼
///     any live state                   Applied
///       ├── cancel, shutdown (main) ──► Cancelled
///       └── superseded (main) ────────► Stale
/// ```
///
/// Every arrow is one compare-and-swap, so whoever comes second learns that it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum JobState {
    /// Requested and not started.
    Queued,
    /// On a worker.
    InFlight,
    /// Failed at least once; waits for the main thread's verdict or for its next attempt.
    Retrying,
    /// Finished; its result is not drained yet.
    Completed,
    /// Drained, not applied: part of the backlog.
    Delivered,
    /// Its result reached its destination.
    Applied,
    /// Withdrawn.
    Cancelled,
    /// Superseded by a newer version of its key.
    Stale,
    /// Gave up after its last attempt; the key is quarantined.
    Failed,
}

impl JobState {
    /// Whether the job has not reached one of its four ends.
    #[must_use]
    pub fn is_live(self) -> bool {
        (self as u8) < (Self::Applied as u8)
    }

    /// Every state, in the order of their bits.
    pub(crate) const ALL: [Self; 9] = [
        Self::Queued,
        Self::InFlight,
        Self::Retrying,
        Self::Completed,
        Self::Delivered,
        Self::Applied,
        Self::Cancelled,
        Self::Stale,
        Self::Failed,
    ];
}

/// The packed word: four bits of state, two of lane, ten of how long generating took, sixteen of
/// attempt. One word, so that one swap moves all of them.
#[derive(Clone, Copy)]
struct PackedState {
    state: JobState,
    lane: Lane,
    /// See [`coarse`].
    took: u16,
    attempt: u16,
}

impl PackedState {
    fn pack(self) -> u32 {
        self.state as u32
            | (self.lane as u32) << 4
            | u32::from(self.took) << 6
            | u32::from(self.attempt) << 16
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "each field is cut out of the word on purpose"
    )]
    fn unpack(word: u32) -> Self {
        Self {
            state: JobState::ALL[(word & 0xf) as usize],
            lane: Lane::from_bits((word >> 4) as u8 & 0x3),
            took: (word >> 6) as u16 & 0x3ff,
            attempt: (word >> 16) as u16,
        }
    }
}

/// A job as the main thread, the queue and a worker share it. 40 bytes for a 12-byte key, its
/// reference counts included.
#[derive(Debug)]
pub(crate) struct JobCell<K> {
    pub(crate) version: Version,
    pub(crate) key: K,
    word: AtomicU32,
}

impl<K> JobCell<K> {
    pub(crate) fn new(key: K, version: Version, lane: Lane) -> Self {
        Self::in_state(key, version, lane, JobState::Queued, 1)
    }

    /// A job that needs no attempt, because its key alone says that there is nothing to make.
    pub(crate) fn known_empty(key: K, version: Version, lane: Lane) -> Self {
        Self::in_state(key, version, lane, JobState::Completed, 0)
    }

    fn in_state(key: K, version: Version, lane: Lane, state: JobState, attempt: u16) -> Self {
        let word = PackedState {
            state,
            lane,
            took: 0,
            attempt,
        };
        Self {
            version,
            key,
            word: AtomicU32::new(word.pack()),
        }
    }

    /// Whether its key was known to be empty, so that no generator made its content.
    pub(crate) fn is_known_empty(&self) -> bool {
        self.word().attempt == 0
    }

    fn word(&self) -> PackedState {
        PackedState::unpack(self.word.load(Ordering::Acquire))
    }

    pub(crate) fn state(&self) -> JobState {
        self.word().state
    }

    pub(crate) fn lane(&self) -> Lane {
        self.word().lane
    }

    pub(crate) fn attempt(&self) -> u32 {
        u32::from(self.word().attempt)
    }

    /// Applies `change` unless it declines; returns the word it replaced.
    fn update(
        &self,
        mut change: impl FnMut(PackedState) -> Option<PackedState>,
    ) -> Option<PackedState> {
        self.word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                change(PackedState::unpack(word)).map(PackedState::pack)
            })
            .ok()
            .map(PackedState::unpack)
    }

    /// Takes the arrow `from → to`; false when the job is not in `from` (any more).
    pub(crate) fn advance(&self, from: JobState, to: JobState) -> bool {
        self.update(|word| (word.state == from).then_some(PackedState { state: to, ..word }))
            .is_some()
    }

    /// `InFlight → Completed`, after a generator that took so long; false when it has ended.
    pub(crate) fn complete(&self, took: Duration) -> bool {
        let (state, took) = (JobState::Completed, coarse(took));
        let change = |word: PackedState| PackedState {
            state,
            took,
            ..word
        };
        self.update(|word| (word.state == JobState::InFlight).then(|| change(word)))
            .is_some()
    }

    /// How long the attempt took that completed it, right to one part in sixteen.
    pub(crate) fn took(&self) -> Duration {
        from_coarse(self.word().took)
    }

    /// Whether a queue entry made for `lane` still stands for this job. A job that was promoted
    /// leaves a dead entry behind in its former lane; lanes only ever rise, so the pair of state
    /// and lane cannot come back.
    pub(crate) fn is_startable(&self, lane: Lane) -> bool {
        let word = self.word();
        word.state == JobState::Queued && word.lane == lane
    }

    /// `Queued → InFlight`, through the entry of `lane`. Returns the number of the attempt.
    pub(crate) fn start(&self, lane: Lane) -> Option<u32> {
        self.update(|word| {
            (word.state == JobState::Queued && word.lane == lane).then_some(PackedState {
                state: JobState::InFlight,
                ..word
            })
        })
        .map(|word| u32::from(word.attempt))
    }

    /// `Retrying → Queued`, with the next attempt. Returns the lane to queue it in.
    pub(crate) fn retry(&self) -> Option<Lane> {
        self.update(|word| {
            (word.state == JobState::Retrying).then_some(PackedState {
                state: JobState::Queued,
                attempt: word.attempt.saturating_add(1),
                ..word
            })
        })
        .map(|word| word.lane)
    }

    /// Raises a live job to a more urgent `lane`. Returns the state it was raised in, or `None`
    /// when there is nothing to raise.
    pub(crate) fn promote(&self, lane: Lane) -> Option<JobState> {
        self.update(|word| {
            (word.state.is_live() && lane < word.lane).then_some(PackedState { lane, ..word })
        })
        .map(|word| word.state)
    }

    /// Any live state → `end`. Returns the state it was in, or `None` when it had ended already.
    pub(crate) fn end(&self, end: JobState) -> Option<JobState> {
        debug_assert!(!end.is_live(), "{end:?} is no end");
        self.update(|word| {
            word.state
                .is_live()
                .then_some(PackedState { state: end, ..word })
        })
        .map(|word| word.state)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn cell() -> JobCell<[i32; 3]> {
        JobCell::new([1, 2, 3], Version(7), Lane::Normal)
    }

    #[test]
    fn a_job_is_started_once() {
        let cell = cell();
        assert_eq!(cell.start(Lane::Normal), Some(1));
        assert_eq!(cell.start(Lane::Normal), None);
        assert_eq!(cell.state(), JobState::InFlight);
    }

    #[test]
    fn a_promoted_job_is_not_started_through_its_old_entry() {
        let cell = cell();
        assert_eq!(cell.promote(Lane::Urgent), Some(JobState::Queued));
        assert_eq!(cell.promote(Lane::Prefetch), None);
        assert_eq!(cell.start(Lane::Normal), None);
        assert_eq!(cell.start(Lane::Urgent), Some(1));
    }

    #[test]
    fn an_ended_job_accepts_nothing() {
        let cell = cell();
        assert_eq!(cell.start(Lane::Normal), Some(1));
        assert_eq!(cell.end(JobState::Cancelled), Some(JobState::InFlight));
        assert_eq!(cell.end(JobState::Stale), None);
        assert!(!cell.advance(JobState::InFlight, JobState::Completed));
        assert_eq!(cell.state(), JobState::Cancelled);
    }

    #[test]
    fn a_retry_keeps_the_lane_and_counts_the_attempt() {
        let cell = cell();
        assert_eq!(cell.start(Lane::Normal), Some(1));
        assert!(cell.advance(JobState::InFlight, JobState::Retrying));
        assert_eq!(cell.promote(Lane::Urgent), Some(JobState::Retrying));
        assert_eq!(cell.retry(), Some(Lane::Urgent));
        assert_eq!(cell.start(Lane::Urgent), Some(2));
    }

    #[test]
    fn everything_in_the_word_keeps_its_value() {
        let cell = cell();
        assert_eq!(cell.promote(Lane::Urgent), Some(JobState::Queued));
        assert_eq!(cell.start(Lane::Urgent), Some(1));
        assert!(cell.complete(Duration::from_secs(1)));
        assert_eq!(cell.end(JobState::Failed), Some(JobState::Completed));
        assert_eq!(
            (cell.state(), cell.lane()),
            (JobState::Failed, Lane::Urgent)
        );
        assert_eq!(
            (cell.attempt(), cell.took().as_secs_f32().round() as u32),
            (1, 1)
        );
    }

    #[test]
    fn a_slot_stays_within_its_share_of_the_memory_bound() {
        let counts = 2 * size_of::<usize>();
        assert!(size_of::<JobCell<[i32; 3]>>() + counts <= 40);
    }
}
