//! Why isn't this chunk here?

use std::{fmt, time::Duration};

use crate::{
    key::{Key, Lane, Version},
    rank::Rank,
    scheduler::Scheduler,
    slot::{JobState, Slot},
    sync::{Arc, Ordering},
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
    /// Nobody is waiting for it: never asked for, applied, or withdrawn.
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
    /// `None` while a runner sorts the queue at this very moment, and for a key known to be empty,
    /// which waits for no job.
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
    /// It was requested since the last [`Scheduler::tick`]; the next one will hand it over.
    Tick,
    /// Its key is known to be empty: there is nothing to start, and the next
    /// [`Scheduler::drain`] delivers it.
    Drain,
    /// A superseded attempt at the same key has not returned yet.
    FormerAttempt,
    /// The completed queue is full: results must be drained, or applied, before another job starts.
    Place,
    /// As many jobs are in flight as may be.
    Runner,
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// Says where `key` is and what it waits for. Costs a walk over the queue when it is queued,
    /// during which no runner can start a job; for people, not for every frame.
    #[must_use]
    pub fn explain(&self, key: K) -> Explanation<K> {
        let status = if let Some(slot) = self.live.find(&key) {
            Status::Live(self.explain_live(slot))
        } else if let Some(entry) = self.quarantine.find(&key) {
            Status::Quarantined {
                attempts: entry.attempts,
                message: entry.message.clone(),
            }
        } else {
            Status::Unknown
        };
        Explanation { key, status }
    }

    /// Where the job of `key` is, at the cost of a look-up: its live state, [`JobState::Failed`]
    /// for a quarantined key, and `None` when nobody is waiting for it.
    #[must_use]
    pub fn state(&self, key: K) -> Option<JobState> {
        let live = self.live.find(&key).map(|slot| slot.state());
        live.or_else(|| self.quarantine.find(&key).map(|_| JobState::Failed))
    }

    fn explain_live(&self, slot: &Arc<Slot<K>>) -> LiveStatus {
        let state = slot.state();
        let is_queued = state == JobState::Queued;
        let requested = self.chronicle.requested_at(slot.version);
        let running = || {
            let (_, began) = self
                .desks
                .iter()
                .filter_map(|desk| desk.current())
                .find(|(current, _)| current.version == slot.version)?;
            Some(self.shared.now().saturating_sub(began))
        };
        LiveStatus {
            state,
            version: slot.version,
            lane: slot.lane(),
            attempt: slot.attempt(),
            age: self.now.saturating_sub(requested),
            position: (is_queued && !slot.is_known_empty())
                .then(|| self.shared.position(slot, &self.outgoing))
                .flatten(),
            waits_for: is_queued.then(|| self.waits_for(slot)).flatten(),
            retry_in: self
                .delayed
                .due(&slot.key)
                .map(|due| due.saturating_sub(self.now)),
            running_for: running(),
        }
    }

    fn waits_for(&self, slot: &Arc<Slot<K>>) -> Option<WaitsFor> {
        if slot.is_known_empty() {
            return Some(WaitsFor::Drain);
        }
        let shared = &self.shared;
        let outgoing = &self.outgoing[slot.lane().index()];
        let is_held_back = || {
            let mut current = self.desks.iter().filter_map(|desk| desk.current());
            current.any(|(other, _)| other.key == slot.key && other.version != slot.version)
        };
        let free = match slot.lane() {
            Lane::Urgent => shared.places.free_urgent(),
            _ => shared.places.free(),
        };
        if outgoing
            .iter()
            .any(|arrival| Arc::ptr_eq(&arrival.slot, slot))
        {
            Some(WaitsFor::Tick)
        } else if is_held_back() {
            Some(WaitsFor::FormerAttempt)
        } else if free == 0 {
            Some(WaitsFor::Place)
        } else if shared.gate.runners() >= shared.limit.load(Ordering::Acquire) {
            Some(WaitsFor::Runner)
        } else {
            None
        }
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
            Self::Drain => "the next drain, since there is nothing in it",
            Self::FormerAttempt => "a superseded attempt at it to return",
            Self::Place => "results to be drained, since the completed queue is full",
            Self::Runner => "a runner, since as many jobs are in flight as may be",
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
