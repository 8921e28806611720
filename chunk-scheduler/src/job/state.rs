//! The state of one job, which the main thread and a worker change.

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
///            ▲                            │ finished    ▲  (main: gave up)
///            │     known empty (main)     ▼ (worker)    │
///            │   ─────────────────────► Completed       │ spawning failed (main)
///            │                            │ drained     │
///            │                        Delivered ────────┤
///            │               begun (main) │             │
///            │                        Applying ─────────┘
///            │                            │ applied (main), also from Delivered
///            │                            ▼
///     any live state                   Applied
///       ├── cancel, shutdown (main) ──► Cancelled
///       └── superseded (main) ────────► Stale
/// ```
///
/// A key that is refreshed has several jobs at the same time, of which the newest is queued, or not older than any
/// other that is finished. A job is *superseded* when a newer one of its key is finished; while it is being applied,
/// only when the newer one is applied or begun; and when its attempt failed while a newer one exists.
///
/// Every arrow is one compare-and-swap. Where two threads race for a job, the second one fails and learns that it
/// did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum JobState {
    /// Requested and not started.
    Queued,
    /// On a worker.
    InFlight,
    /// Its last attempt failed, or came too early. It waits for the next one, or for the main thread to decide whether
    /// there is one.
    Retrying,
    /// Its result waits to be drained.
    Completed,
    /// Drained and not applied: part of the backlog.
    Delivered,
    /// The caller has begun to apply its result.
    Applying,
    /// Its result reached its destination.
    Applied,
    /// Withdrawn.
    Cancelled,
    /// Superseded by a newer version of its key.
    Stale,
    /// Its last permitted attempt failed; the key is quarantined.
    Failed,
}

impl JobState {
    /// Whether the job has not ended.
    #[must_use]
    pub fn is_live(self) -> bool {
        (self as u8) < (Self::Applied as u8)
    }

    /// Whether the job has a result that was not applied yet.
    pub(crate) fn is_finished(self) -> bool {
        matches!(self, Self::Completed | Self::Delivered | Self::Applying)
    }

    /// Every state, in the order of their bits.
    pub(crate) const ALL: [Self; 10] = [
        Self::Queued,
        Self::InFlight,
        Self::Retrying,
        Self::Completed,
        Self::Delivered,
        Self::Applying,
        Self::Applied,
        Self::Cancelled,
        Self::Stale,
        Self::Failed,
    ];
}

/// What changes about a job. It is packed into 32 bits, so that one compare-and-swap changes all of it.
#[derive(Clone, Copy)]
struct PackedState {
    /// Four bits.
    state: JobState,
    /// Two bits.
    lane: Lane,
    /// Ten bits: how long generating took, see [`coarse`].
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
        reason = "each field is cut out of the bits on purpose"
    )]
    fn unpack(bits: u32) -> Self {
        Self {
            state: JobState::ALL[(bits & 0xf) as usize],
            lane: Lane::ALL[(bits >> 4 & 0x3) as usize],
            took: (bits >> 6) as u16 & 0x3ff,
            attempt: (bits >> 16) as u16,
        }
    }

    fn is_startable(self, lane: Lane) -> bool {
        self.state == JobState::Queued && self.lane == lane
    }
}

/// A job as the main thread, the queue and a worker share it. It takes 40 bytes for a 12-byte key, reference counts
/// included.
#[derive(Debug)]
pub(crate) struct JobCell<K> {
    pub(crate) version: Version,
    pub(crate) key: K,
    packed: AtomicU32,
}

impl<K> JobCell<K> {
    pub(crate) fn new(key: K, version: Version, lane: Lane) -> Self {
        Self::in_state(key, version, lane, JobState::Queued, 1)
    }

    /// A job that needs no attempt, because its key is known to be empty.
    pub(crate) fn known_empty(key: K, version: Version, lane: Lane) -> Self {
        Self::in_state(key, version, lane, JobState::Completed, 0)
    }

    fn in_state(key: K, version: Version, lane: Lane, state: JobState, attempt: u16) -> Self {
        let packed = PackedState {
            state,
            lane,
            took: 0,
            attempt,
        };
        Self {
            version,
            key,
            packed: AtomicU32::new(packed.pack()),
        }
    }

    #[inline]
    fn packed(&self) -> PackedState {
        PackedState::unpack(self.packed.load(Ordering::Acquire))
    }

    #[inline]
    pub(crate) fn state(&self) -> JobState {
        self.packed().state
    }

    #[inline]
    pub(crate) fn lane(&self) -> Lane {
        self.packed().lane
    }

    /// Counted from 1; 0 for a job whose key is known to be empty.
    pub(crate) fn attempt(&self) -> u32 {
        u32::from(self.packed().attempt)
    }

    /// Whether no generator made the content, because the key is known to be empty.
    pub(crate) fn is_known_empty(&self) -> bool {
        self.attempt() == 0
    }

    /// How long the completing attempt took, within one part in sixteen.
    pub(crate) fn took(&self) -> Duration {
        from_coarse(self.packed().took)
    }

    /// Applies `change` where `is_allowed` says so, and returns what was there before.
    #[inline]
    fn update(
        &self,
        is_allowed: impl Fn(PackedState) -> bool,
        change: impl Fn(&mut PackedState),
    ) -> Option<PackedState> {
        let update = |bits| {
            let mut packed = PackedState::unpack(bits);
            is_allowed(packed).then(|| {
                change(&mut packed);
                packed.pack()
            })
        };
        let former = self
            .packed
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, update);
        former.ok().map(PackedState::unpack)
    }

    /// Moves the job along the arrow `from → to`. False where it is not in `from`.
    #[inline]
    pub(crate) fn advance(&self, from: JobState, to: JobState) -> bool {
        self.update(|job| job.state == from, |job| job.state = to)
            .is_some()
    }

    /// `InFlight → Completed`, after a generator that took `took`. False where the job has ended.
    pub(crate) fn complete(&self, took: Duration) -> bool {
        let took = coarse(took);
        let complete = |job: &mut PackedState| {
            job.state = JobState::Completed;
            job.took = took;
        };
        self.update(|job| job.state == JobState::InFlight, complete)
            .is_some()
    }

    /// Whether the job can be started through its queue entry in `lane`. Promoting a job leaves a dead entry in its
    /// former lane; that entry stays dead, because a job never returns to a less urgent lane.
    pub(crate) fn is_startable(&self, lane: Lane) -> bool {
        self.packed().is_startable(lane)
    }

    /// `Queued → InFlight`, through the entry in `lane`. Returns the number of the attempt.
    pub(crate) fn start(&self, lane: Lane) -> Option<u32> {
        self.update(
            |job| job.is_startable(lane),
            |job| job.state = JobState::InFlight,
        )
        .map(|job| u32::from(job.attempt))
    }

    /// `Retrying → Queued`, with the next attempt. Returns the lane to queue it in.
    pub(crate) fn retry(&self) -> Option<Lane> {
        self.queue_again(1)
    }

    /// `Retrying → Queued`, with the same attempt. Returns the lane to queue it in.
    pub(crate) fn ask_again(&self) -> Option<Lane> {
        self.queue_again(0)
    }

    fn queue_again(&self, attempts: u16) -> Option<Lane> {
        let retry = |job: &mut PackedState| {
            job.state = JobState::Queued;
            job.attempt = job.attempt.saturating_add(attempts);
        };
        self.update(|job| job.state == JobState::Retrying, retry)
            .map(|job| job.lane)
    }

    /// Makes a job start over whose generator was not started: with its first attempt, in `lane` if that is more
    /// urgent. Returns the lane it was in, or `None` where it is not queued.
    ///
    /// It writes to the cell even if nothing changes. So the worker that starts the job sees what this thread wrote
    /// before, also to atomics without an order of their own.
    pub(crate) fn start_over(&self, lane: Lane) -> Option<Lane> {
        let start_over = |job: &mut PackedState| {
            job.lane = job.lane.min(lane);
            job.attempt = 1;
        };
        self.update(|job| job.state == JobState::Queued, start_over)
            .map(|job| job.lane)
    }

    /// Moves a job from the backlog to `to`. False where it is not there.
    pub(crate) fn settle(&self, to: JobState) -> bool {
        let is_in_backlog =
            |job: PackedState| matches!(job.state, JobState::Delivered | JobState::Applying);
        self.update(is_in_backlog, |job| job.state = to).is_some()
    }

    /// Moves a live job to `lane` if that is more urgent, and returns its state. `None` where nothing changed.
    pub(crate) fn promote(&self, lane: Lane) -> Option<JobState> {
        let rises = |job: PackedState| job.state.is_live() && lane < job.lane;
        self.update(rises, |job| job.lane = lane)
            .map(|job| job.state)
    }

    /// Any live state → `end`. Returns the former state, or `None` where the job had ended already.
    pub(crate) fn end(&self, end: JobState) -> Option<JobState> {
        debug_assert!(!end.is_live(), "{end:?} is no end");
        self.update(|job| job.state.is_live(), |job| job.state = end)
            .map(|job| job.state)
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
    fn a_promoted_job_is_not_started_through_its_former_entry() {
        let cell = cell();
        assert_eq!(cell.promote(Lane::Urgent), Some(JobState::Queued));
        assert_eq!(cell.promote(Lane::Prefetch), None);
        assert_eq!(cell.start(Lane::Normal), None);
        assert_eq!(cell.start(Lane::Urgent), Some(1));
    }

    #[test]
    fn an_ended_job_does_not_change() {
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
        assert!(cell.advance(JobState::InFlight, JobState::Retrying));
        assert_eq!(cell.ask_again(), Some(Lane::Urgent));
        assert_eq!(cell.start(Lane::Urgent), Some(2));
    }

    #[test]
    fn a_queued_job_starts_over_with_its_first_attempt_and_a_started_one_does_not() {
        let cell = cell();
        assert_eq!(cell.start(Lane::Normal), Some(1));
        assert_eq!(cell.start_over(Lane::Urgent), None);
        assert!(cell.advance(JobState::InFlight, JobState::Retrying));
        assert_eq!(cell.retry(), Some(Lane::Normal));
        assert_eq!(cell.start_over(Lane::Prefetch), Some(Lane::Normal));
        assert_eq!(cell.start_over(Lane::Urgent), Some(Lane::Normal));
        assert_eq!(cell.start(Lane::Urgent), Some(1));
    }

    #[test]
    fn every_packed_field_keeps_its_value() {
        let cell = cell();
        assert_eq!(cell.promote(Lane::Urgent), Some(JobState::Queued));
        assert_eq!(cell.start(Lane::Urgent), Some(1));
        assert!(cell.complete(Duration::from_secs(1)));
        assert_eq!(cell.end(JobState::Failed), Some(JobState::Completed));
        let ended = (cell.state(), cell.lane(), cell.attempt());
        assert_eq!(ended, (JobState::Failed, Lane::Urgent, 1));
        assert_eq!(cell.took().as_secs_f32().round() as u32, 1);
    }

    #[test]
    fn a_job_cell_stays_within_its_share_of_the_memory_bound() {
        let counts = 2 * size_of::<usize>();
        assert!(size_of::<JobCell<[i32; 3]>>() + counts <= 40);
    }
}
