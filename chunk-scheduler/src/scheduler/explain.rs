//! The explanation of where a key is and what it waits for.

use std::{fmt, time::Duration};

use super::{outbox::Outbox, workers::Workers};
use crate::{
    job::{JobCell, JobState, Key, Lane, Version},
    queue::Rank,
    sync::{Arc, Ordering},
    worker::Shared,
};

/// What the scheduler knows about a key. `Display` makes a sentence of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation<K> {
    /// The key.
    pub key: K,
    /// Where the key is.
    pub status: Status,
}

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// No job is live for it, because it was never requested, or was applied or withdrawn.
    Unknown,
    /// Its last permitted attempt failed, and it was not requested again.
    Quarantined {
        /// How many attempts it had.
        attempts: u32,
        /// The message of the last failure.
        message: String,
    },
    /// A job is live. Where several are, this is about the newest.
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
    /// Its current attempt, counted from 1; 0 where the key is known to be empty.
    pub attempt: u32,
    /// The time since it was requested, which is exact for recent requests and approximate for old ones.
    pub age: Duration,
    /// While it is queued: how many queued jobs would start before it, by the latest snapshot. `None` also while a
    /// worker holds the queue.
    pub position: Option<usize>,
    /// While it is queued: what it waits for beside the jobs before it. While it waits for another attempt: why.
    pub waits_for: Option<WaitsFor>,
    /// While it waits for another attempt: the time until then.
    pub retry_in: Option<Duration>,
    /// While it is in flight: how long its generator has been running.
    pub running_for: Option<Duration>,
}

/// What a job waits for beside the jobs before it. Where several apply, the first of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitsFor {
    /// The next [`Scheduler::tick`](crate::Scheduler::tick), which submits it.
    Tick,
    /// The return of an earlier attempt at its key.
    FormerAttempt,
    /// A permit. The completed queue is full, so results must be drained first.
    Permit,
    /// A worker. As many jobs are in flight as the limit allows.
    Worker,
    /// A thread. There are as many workers as the limit allows, and the runtime runs none or not all of them yet, because
    /// its threads are busy with other tasks.
    Thread,
    /// The time of its retry, after an attempt that failed.
    Retry,
    /// The time that its generator asked for, because the key cannot be made yet
    /// ([`GenerateError::NotYet`](crate::GenerateError::NotYet)).
    NotYet,
}

/// What a queued job waits for.
pub(super) fn waits_for<K: Key, T: Send + 'static, R: Rank<K>>(
    cell: &Arc<JobCell<K>>,
    outbox: &Outbox<K>,
    workers: &Workers<K, T>,
    shared: &Shared<K, T, R>,
) -> Option<WaitsFor> {
    let is_former = |other: &JobCell<K>| other.key == cell.key && other.version != cell.version;
    if outbox.contains(cell) {
        Some(WaitsFor::Tick)
    } else if workers.current().any(|(other, _)| is_former(&other)) {
        Some(WaitsFor::FormerAttempt)
    } else if shared.permits.free(cell.lane()) == 0 {
        Some(WaitsFor::Permit)
    } else if shared.worker_count.get() >= shared.limit.load(Ordering::Acquire) {
        let busy = workers.current().count();
        let are_all_busy = busy >= shared.worker_count.get();
        Some(if are_all_busy {
            WaitsFor::Worker
        } else {
            WaitsFor::Thread
        })
    } else {
        None
    }
}

impl<K: fmt::Debug> fmt::Display for Explanation<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.key)?;
        match &self.status {
            Status::Unknown => f.write_str("has no live job"),
            Status::Quarantined { attempts, message } => {
                write!(f, "is quarantined after {attempts} attempts: {message}")
            }
            Status::Live(live) => live.fmt(f),
        }
    }
}

impl fmt::Display for WaitsFor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tick => "the next tick",
            Self::FormerAttempt => "an earlier attempt to return",
            Self::Permit => "results to be drained, because the completed queue is full",
            Self::Worker => "a worker, because as many jobs are in flight as the limit allows",
            Self::Thread => "a thread, because those of the runtime are busy with other tasks",
            Self::Retry => "its retry",
            Self::NotYet => "the time at which it can be made",
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
            JobState::Retrying => match (self.retry_in, self.waits_for) {
                (Some(wait), Some(WaitsFor::NotYet)) => {
                    write!(
                        f,
                        "cannot be made yet and will be asked for again in {wait:?}"
                    )?;
                }
                (Some(wait), _) => write!(f, "will be tried again in {wait:?}")?,
                (None, _) => f.write_str("has just failed or cannot be made yet")?,
            },
            JobState::InFlight => {
                let running = self.running_for.unwrap_or_default();
                write!(f, "has been generating for {running:?}")?;
            }
            JobState::Completed => f.write_str("is generated and waits to be drained")?,
            JobState::Delivered => f.write_str("is in the backlog and waits to be applied")?,
            JobState::Applying => f.write_str("is being applied")?,
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
