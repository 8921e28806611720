//! Why isn't this chunk here?

use std::{fmt, time::Duration};

use crate::{
    key::{Key, Lane, Version},
    panics,
    rank::Rank,
    scheduler::Scheduler,
    slot::{JobState, Slot},
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
    pub position: Option<usize>,
    /// The time until its next attempt, when it waits for one.
    pub retry_in: Option<Duration>,
    /// How long its generator has been running, when it is in flight.
    pub running_for: Option<Duration>,
}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// Says where `key` is and what it waits for. Costs a walk over all live jobs when it is
    /// queued, and never looks into the runners' queue; for people, not for every frame.
    #[must_use]
    pub fn explain(&self, key: K) -> Explanation<K> {
        let status = if let Some(slot) = self.live.get(&key) {
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

    /// Where the job of `key` is, at the cost of a look-up: its live state, [`JobState::Failed`] for a quarantined
    /// key, and `None` when nobody is waiting for it.
    #[must_use]
    pub fn state(&self, key: K) -> Option<JobState> {
        let live = self.live.get(&key).map(|slot| slot.state());
        live.or_else(|| self.quarantine.find(&key).map(|_| JobState::Failed))
    }

    fn explain_live(&self, slot: &Slot<K>) -> LiveStatus {
        let state = slot.state();
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
            position: (state == JobState::Queued).then(|| self.position(slot)),
            retry_in: self
                .delayed
                .due(&slot.key)
                .map(|due| due.saturating_sub(self.now)),
            running_for: running(),
        }
    }

    /// Ties are settled by version, which is by age; a rank that panics counts as being last.
    fn position(&self, slot: &Slot<K>) -> usize {
        let order = |slot: &Slot<K>| {
            let priority = panics::guard(|| self.rank.rank(&slot.key)).ok();
            (slot.lane(), priority.is_none(), priority, slot.version)
        };
        let own = order(slot);
        self.live
            .values()
            .filter(|other| other.state() == JobState::Queued && order(other) < own)
            .count()
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

impl fmt::Display for LiveStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state {
            JobState::Queued => {
                let position = self.position.unwrap_or(0);
                write!(f, "is queued behind {position} others")?;
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
