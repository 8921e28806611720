//! What was counted, and the proof that it adds up.

use std::{error::Error, fmt, time::Duration};

use crate::{
    durations::DurationSummary, key::Key, rank::Rank, scheduler::Scheduler, slot::JobState,
    sync::Ordering,
};

/// Everything that happened since the scheduler was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests that made a job of their own; each ends exactly once.
    pub requested: u64,
    /// Jobs whose result reached its destination.
    pub applied: u64,
    /// Jobs that were withdrawn, wherever they were.
    pub cancelled: u64,
    /// Jobs that were superseded by a newer version of their key.
    pub stale: u64,
    /// Jobs that gave up after their last attempt.
    pub failed: u64,
    /// Requests that were served by a job that was live already.
    pub coalesced: u64,
    /// Attempts after a job's first.
    pub retried: u64,
    /// Attempts that made a result, the unwanted ones included.
    pub generated: u64,
    /// Results that nobody wanted any more when they were ready.
    pub wasted: u64,
    /// Results that were ready and never reached their destination: withdrawn or superseded while
    /// they waited, or refused when they were applied.
    pub discarded: u64,
    /// Jobs that were started although a queued one should have been by what was published before;
    /// [`Rank::is_inversion`] decides. At most those that a snapshot or a request caused which came
    /// in the instant of the pick.
    pub inversions: u64,
    /// Panics of user code that were caught.
    pub panics: u64,
    /// Attempts that ran longer than their allowance.
    pub overruns: u64,
    /// Requests that were answered from the key alone.
    pub known_empty: u64,
    /// Failures that nobody read before newer ones took their room.
    pub failures_unread: u64,
}

/// How many live jobs are in each state, and how many keys are quarantined.
///
/// The parts always add up to the live jobs. While workers run, each may be off by as many as there
/// are runners, because a job can move between two looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depths {
    /// Not started, or waiting for the next attempt.
    pub queued: usize,
    /// On workers. A cancelled job is not counted, though it holds its worker until it returns.
    pub in_flight: usize,
    /// Finished and not drained.
    pub completed: usize,
    /// Drained and not applied: the backlog.
    pub backlog: usize,
    /// Keys that failed and were not asked for again.
    pub quarantined: usize,
}

impl Depths {
    /// Requests that have not ended.
    #[must_use]
    pub fn live(&self) -> usize {
        self.queued + self.in_flight + self.completed + self.backlog
    }
}

/// The counters and the live jobs disagree: a bug in this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerError {
    kind: LedgerErrorKind,
    expected: u64,
    found: u64,
}

/// Which equation does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerErrorKind {
    /// Requested jobs less those that ended, against the live ones.
    Live,
    /// The backlog as counted, against the jobs that are in it.
    Delivered,
    /// A job that has ended is still listed as live.
    EndedButListed,
}

impl LedgerError {
    /// Which equation does not hold.
    #[must_use]
    pub fn kind(&self) -> LedgerErrorKind {
        self.kind
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            LedgerErrorKind::Live => "live jobs",
            LedgerErrorKind::Delivered => "jobs in the backlog",
            LedgerErrorKind::EndedButListed => "ended jobs still listed",
        };
        write!(
            f,
            "the counters say {} {what}, but there are {}",
            self.expected, self.found
        )
    }
}

impl Error for LedgerError {}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let counts = &self.shared.counts;
        Counters {
            generated: counts.generated.load(Ordering::Relaxed),
            wasted: counts.wasted.load(Ordering::Relaxed),
            inversions: counts.inversions.load(Ordering::Relaxed),
            panics: self.tally.panics + counts.discard_panics.load(Ordering::Relaxed),
            ..self.tally
        }
    }

    /// Where the live jobs are. Costs the same however many there are.
    #[must_use]
    pub fn depths(&self) -> Depths {
        let counts = &self.shared.counts;
        let not_delivered = self.live.len() - self.delivered;
        let clamped = |count: isize, most: usize| usize::try_from(count).unwrap_or(0).min(most);
        let in_flight = clamped(counts.in_flight.load(Ordering::Acquire), not_delivered);
        let completed = clamped(
            counts.completed.load(Ordering::Acquire),
            not_delivered - in_flight,
        );
        Depths {
            queued: not_delivered - in_flight - completed,
            in_flight,
            completed,
            backlog: self.delivered,
            quarantined: self.quarantine.len(),
        }
    }

    /// How long generating took: every attempt that made a result, the unwanted ones included.
    #[must_use]
    pub fn generation_times(&self) -> DurationSummary {
        self.shared.generation_times.summary()
    }

    /// Time that generators spent on what was never applied: measured for what nobody wanted any more
    /// when they returned, and by the mean of all for [`Counters::discarded`] results.
    #[must_use]
    pub fn wasted_time(&self) -> Duration {
        let unwanted = self.shared.counts.wasted_nanos.load(Ordering::Relaxed);
        let discarded = u32::try_from(self.tally.discarded).unwrap_or(u32::MAX);
        let mean = self.shared.generation_times.summary().mean;
        Duration::from_nanos(unwanted).saturating_add(mean.saturating_mul(discarded))
    }

    /// How long it took from withdrawing a job in flight until its generator stopped.
    #[must_use]
    pub fn cancel_latencies(&self) -> DurationSummary {
        self.shared.cancel_latencies.summary()
    }

    /// Audits every live job against the counters. Costs a walk over all of them; for tests and
    /// for bug reports.
    ///
    /// # Errors
    ///
    /// The first equation that does not hold.
    pub fn audit(&self) -> Result<(), LedgerError> {
        let equal = |kind, expected: u64, found: usize| {
            let found = found as u64;
            if expected == found {
                Ok(())
            } else {
                Err(LedgerError {
                    kind,
                    expected,
                    found,
                })
            }
        };
        let tally = &self.tally;
        let ended = tally.applied + tally.cancelled + tally.stale + tally.failed;
        let live = tally.requested - ended;
        equal(LedgerErrorKind::Live, live, self.live.len())?;
        let states = || self.live.values().map(|slot| slot.state());
        let listed = states().filter(|state| !state.is_live()).count();
        equal(LedgerErrorKind::EndedButListed, 0, listed)?;
        let delivered = states().filter(|state| *state == JobState::Delivered);
        equal(
            LedgerErrorKind::Delivered,
            self.delivered as u64,
            delivered.count(),
        )
    }
}
