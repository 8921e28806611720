//! Where the job of a key is, and what it waits for.

use std::{fmt, time::Duration};

use super::{outbox::Outbox, workers::Workers};
use crate::{
    job::{JobCell, JobState, Key, Lane, Version},
    queue::Rank,
    sync::{Arc, Ordering},
    worker::Shared,
};

/// Everything the scheduler knows about a key, and a sentence of it through `Display`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<K> {
    /// What was asked about.
    pub key: K,
    /// Where it is.
    pub status: Status,
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// No job is live for it: it was never requested, or it was applied or withdrawn.
    Unknown,
    /// It failed as often as it may, and nobody asked again.
    Quarantined {
        /// How many attempts it had.
        attempts: u32,
        /// What the last failure said.
        message: String,
    },
    /// A job is live.
    Live(LiveStatus),
}

/// Where a live job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveStatus {
    /// Its state.
    pub state: JobState,
    /// Which request of the key.
    pub version: Version,
    /// Its lane.
    pub lane: Lane,
    /// Its current attempt, counted from 1; 0 when its key is known to be empty.
    pub attempt: u32,
    /// The time since it was requested: to the tick if that was lately, roughly otherwise.
    pub age: Duration,
    /// How many queued jobs would start before it by the latest snapshot, when it is queued.
    /// `None` while a worker holds the queue.
    pub position: Option<usize>,
    /// What has to happen before it starts, when it is queued; `None` when only its turn has to
    /// come.
    pub waits_for: Option<WaitsFor>,
    /// The time until its next attempt, when it waits for one.
    pub retry_in: Option<Duration>,
    /// How long its generator has been running, when it is in flight.
    pub running_for: Option<Duration>,
}

/// What a queued job waits for beside its turn. Where it is several things, the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitsFor {
    /// It was requested since the last [`Scheduler::tick`](crate::Scheduler::tick); the next one submits it.
    Tick,
    /// A superseded attempt at the same key has not returned yet.
    FormerAttempt,
    /// The completed queue is full: results must be drained, or applied, before another job starts.
    Permit,
    /// As many jobs are in flight as may be.
    Worker,
}

/// What a queued job waits for.
pub(super) fn waits_for<K: Key, T: Send + 'static, R: Rank<K>>(
    cell: &Arc<JobCell<K>>,
    outbox: &Outbox<K>,
    workers: &Workers<K, T>,
    shared: &Shared<K, T, R>,
) -> Option<WaitsFor> {
    let is_former = |other: &JobCell<K>| other.key == cell.key && other.version != cell.version;
    let free = match cell.lane() {
        Lane::Urgent => shared.permits.free_urgent(),
        Lane::Normal | Lane::Prefetch => shared.permits.free(),
    };
    if outbox.contains(cell) {
        Some(WaitsFor::Tick)
    } else if workers.current().any(|(other, _)| is_former(&other)) {
        Some(WaitsFor::FormerAttempt)
    } else if free == 0 {
        Some(WaitsFor::Permit)
    } else if shared.worker_count.get() >= shared.limit.load(Ordering::Acquire) {
        Some(WaitsFor::Worker)
    } else {
        None
    }
}

impl<K: fmt::Debug> fmt::Display for Explanation<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.key)?;
        match &self.status {
            Status::Unknown => f.write_str("is not being waited for"),
            Status::Quarantined { attempts, message } => {
                write!(f, "was given up after {attempts} attempts: {message}")
            }
            Status::Live(live) => live.fmt(f),
        }
    }
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tick => "the next tick",
            Self::FormerAttempt => "a superseded attempt at it to return",
            Self::Permit => "results to be drained, since the completed queue is full",
            Self::Worker => "a worker, since as many jobs are in flight as may be",
        })
    }
}

impl fmt::Display for LiveStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            JobState::Queued => {
                f.write_str("is queued")?;
                if let Some(position) = self.position {
                    write!(f, " behind {position} others")?;
                }
                if let Some(waits_for) = self.waits_for {
                    write!(f, " and waits for {waits_for}")?;
                }
            }
            JobState::Retrying => match self.retry_in {
                Some(wait) => write!(f, "will be tried again in {wait:?}")?,
                None => f.write_str("has just failed")?,
            },
            JobState::InFlight => {
                let running = self.running_for.unwrap_or_default();
                write!(f, "has been generating for {running:?}")?;
            }
            JobState::Completed => f.write_str("is generated and waits to be drained")?,
            JobState::Delivered => f.write_str("is in the backlog and waits to be applied")?,
            JobState::Applied | JobState::Cancelled | JobState::Stale | JobState::Failed => {
                f.write_str("has ended")?;
            }
        }
        let Self {
            attempt, lane, age, ..
        } = self;
        write!(
            f,
            " (attempt {attempt}, {lane:?} lane, requested {age:?} ago)"
        )
    }
}
