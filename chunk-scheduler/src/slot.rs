//! One job's shared state: the only thing about a job that two threads write.

use std::time::Duration;

use crate::{
    durations::{coarse, from_coarse},
    key::{Lane, Version},
    sync::{AtomicU32, Ordering},
};

/// Where a job is in its life.
///
/// ```text
///            ┌──────────── due again (main) ────────────┐
///            ▼                                          │
/// ┌────── Queued ──started (worker)──► InFlight ──► Retrying ──► Failed
/// │known     ▲                            │ finished    ▲  (main: attempts spent)
/// │empty     │                            ▼ (worker)    │
/// │(main)    │                        Completed         │ spawning failed (main)
/// │          │                            │ drained     │
/// └──────────┼──────────────────────► Delivered ────────┘
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
    /// The end everyone hopes for.
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

    fn from_bits(bits: u8) -> Self {
        match bits {
            0 => Self::Queued,
            1 => Self::InFlight,
            2 => Self::Retrying,
            3 => Self::Completed,
            4 => Self::Delivered,
            5 => Self::Applied,
            6 => Self::Cancelled,
            7 => Self::Stale,
            _ => Self::Failed,
        }
    }
}

/// The packed word: four bits of state, two of lane, ten of how long generating took, sixteen of
/// attempt. One word, so that one swap moves all of them.
#[derive(Clone, Copy)]
struct Word {
    state: JobState,
    lane: Lane,
    /// See [`coarse`].
    took: u16,
    attempt: u16,
}

impl Word {
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
            state: JobState::from_bits(word as u8 & 0xf),
            lane: Lane::from_bits((word >> 4) as u8 & 0x3),
            took: (word >> 6) as u16 & 0x3ff,
            attempt: (word >> 16) as u16,
        }
    }
}

/// A job as the main thread, the queue and a worker share it. 40 bytes for a 12-byte key, its
/// reference counts included.
#[derive(Debug)]
pub(crate) struct Slot<K> {
    pub(crate) version: Version,
    pub(crate) key: K,
    word: AtomicU32,
}

impl<K> Slot<K> {
    pub(crate) fn new(key: K, version: Version, lane: Lane) -> Self {
        Self::with_attempt(key, version, lane, 1)
    }

    /// A job that needs no attempt, because its key alone says that there is nothing to make.
    pub(crate) fn known_empty(key: K, version: Version, lane: Lane) -> Self {
        Self::with_attempt(key, version, lane, 0)
    }

    fn with_attempt(key: K, version: Version, lane: Lane, attempt: u16) -> Self {
        let word = Word {
            state: JobState::Queued,
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

    /// Whether no generator was ever asked for it.
    pub(crate) fn is_known_empty(&self) -> bool {
        self.word().attempt == 0
    }

    fn word(&self) -> Word {
        Word::unpack(self.word.load(Ordering::Acquire))
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
    fn update(&self, mut change: impl FnMut(Word) -> Option<Word>) -> Option<Word> {
        self.word
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                change(Word::unpack(word)).map(Word::pack)
            })
            .ok()
            .map(Word::unpack)
    }

    /// Takes the arrow `from → to`; false when the job is not in `from` (any more).
    pub(crate) fn advance(&self, from: JobState, to: JobState) -> bool {
        self.update(|word| (word.state == from).then_some(Word { state: to, ..word }))
            .is_some()
    }

    /// `InFlight → Completed`, after a generator that took so long; false when it has ended.
    pub(crate) fn complete(&self, took: Duration) -> bool {
        let (state, took) = (JobState::Completed, coarse(took));
        let change = |word: Word| Word {
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
            (word.state == JobState::Queued && word.lane == lane).then_some(Word {
                state: JobState::InFlight,
                ..word
            })
        })
        .map(|word| u32::from(word.attempt))
    }

    /// `Retrying → Queued`, with the next attempt. Returns the lane to queue it in.
    pub(crate) fn retry(&self) -> Option<Lane> {
        self.update(|word| {
            (word.state == JobState::Retrying).then_some(Word {
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
            (word.state.is_live() && lane < word.lane).then_some(Word { lane, ..word })
        })
        .map(|word| word.state)
    }

    /// Any live state → `end`. Returns the state it was in, or `None` when it had ended already.
    pub(crate) fn end(&self, end: JobState) -> Option<JobState> {
        debug_assert!(!end.is_live(), "{end:?} is no end");
        self.update(|word| word.state.is_live().then_some(Word { state: end, ..word }))
            .map(|word| word.state)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn slot() -> Slot<[i32; 3]> {
        Slot::new([1, 2, 3], Version(7), Lane::Normal)
    }

    #[test]
    fn a_job_is_started_once() {
        let slot = slot();
        assert_eq!(slot.start(Lane::Normal), Some(1));
        assert_eq!(slot.start(Lane::Normal), None);
        assert_eq!(slot.state(), JobState::InFlight);
    }

    #[test]
    fn a_promoted_job_is_not_started_through_its_old_entry() {
        let slot = slot();
        assert_eq!(slot.promote(Lane::Urgent), Some(JobState::Queued));
        assert_eq!(slot.promote(Lane::Prefetch), None);
        assert_eq!(slot.start(Lane::Normal), None);
        assert_eq!(slot.start(Lane::Urgent), Some(1));
    }

    #[test]
    fn an_ended_job_accepts_nothing() {
        let slot = slot();
        assert_eq!(slot.start(Lane::Normal), Some(1));
        assert_eq!(slot.end(JobState::Cancelled), Some(JobState::InFlight));
        assert_eq!(slot.end(JobState::Stale), None);
        assert!(!slot.advance(JobState::InFlight, JobState::Completed));
        assert_eq!(slot.state(), JobState::Cancelled);
    }

    #[test]
    fn a_retry_keeps_the_lane_and_counts_the_attempt() {
        let slot = slot();
        assert_eq!(slot.start(Lane::Normal), Some(1));
        assert!(slot.advance(JobState::InFlight, JobState::Retrying));
        assert_eq!(slot.promote(Lane::Urgent), Some(JobState::Retrying));
        assert_eq!(slot.retry(), Some(Lane::Urgent));
        assert_eq!(slot.start(Lane::Urgent), Some(2));
    }

    #[test]
    fn everything_in_the_word_keeps_its_value() {
        let slot = slot();
        assert_eq!(slot.promote(Lane::Urgent), Some(JobState::Queued));
        assert_eq!(slot.start(Lane::Urgent), Some(1));
        assert!(slot.complete(Duration::from_secs(1)));
        assert_eq!(slot.end(JobState::Failed), Some(JobState::Completed));
        assert_eq!(
            (slot.state(), slot.lane()),
            (JobState::Failed, Lane::Urgent)
        );
        assert_eq!(
            (slot.attempt(), slot.took().as_secs_f32().round() as u32),
            (1, 1)
        );
    }

    #[test]
    fn a_slot_stays_within_its_share_of_the_memory_bound() {
        let counts = 2 * size_of::<usize>();
        assert!(size_of::<Slot<[i32; 3]>>() + counts <= 40);
    }
}
