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
    /// Results that were generated and never applied: nobody wanted them any more when they were
    /// ready, while they waited to be drained or in the backlog, or they could not be applied.
    pub wasted: u64,
    /// How long generating those took. Right to one part in sixteen.
    pub wasted_time: Duration,
    /// Times that jobs waited and no runner was started for them, because every place in the
    /// completed queue was taken: at most once per tick and per drain.
    pub starts_refused: u64,
    /// Jobs that were started although a queued one of their lane should have been by what was
    /// published before; [`Rank::is_inversion`] decides. Only a snapshot or a request that came in
    /// the instant of the pick can cause one.
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
    /// Places in the completed queue that nothing live takes: cancelled jobs whose generator has
    /// not returned, unwanted results that were not discarded yet, failures that were not judged
    /// yet.
    pub unwanted: usize,
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
#[non_exhaustive]
pub struct AuditError {
    /// Which equation does not hold.
    pub kind: AuditErrorKind,
    /// What the counters say.
    pub expected: u64,
    /// What there is.
    pub found: u64,
}

/// Which equation does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditErrorKind {
    /// The requests, against the jobs that ended and those that are live.
    Live,
    /// The backlog as counted, against the jobs that are in it.
    Delivered,
    /// A job that has ended is still listed as live.
    EndedButListed,
    /// The jobs in flight as counted, while no runner is there.
    InFlight,
    /// The completed jobs as counted, against those that are, while no runner is there.
    Completed,
    /// The places that are taken, against what takes them, while no runner is there.
    Places,
    /// The results that were generated, against those that are waiting, were applied or were
    /// wasted, while no runner is there.
    Generated,
}

impl fmt::Display for AuditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            AuditErrorKind::Live => "requests, ended or live",
            AuditErrorKind::Delivered => "jobs in the backlog",
            AuditErrorKind::EndedButListed => "ended jobs still listed",
            AuditErrorKind::InFlight => "jobs in flight",
            AuditErrorKind::Completed => "completed jobs",
            AuditErrorKind::Places => "places taken",
            AuditErrorKind::Generated => "results generated",
        };
        write!(
            f,
            "the counters say {} {what}, but there are {}",
            self.expected, self.found
        )
    }
}

impl Error for AuditError {}

impl<K: Key, T: Send + 'static, R: Rank<K>> Scheduler<K, T, R> {
    /// What happened so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let counts = &self.shared.counts;
        let wasted_nanos = counts.wasted_nanos.load(Ordering::Relaxed);
        Counters {
            generated: counts.generated.load(Ordering::Relaxed),
            wasted: self.tally.wasted + counts.wasted.load(Ordering::Relaxed),
            wasted_time: self.tally.wasted_time + Duration::from_nanos(wasted_nanos),
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
            unwanted: (self.shared.places.taken()).saturating_sub(in_flight + completed),
        }
    }

    /// How long generating took: every attempt that made a result, the unwanted ones included.
    #[must_use]
    pub fn generation_times(&self) -> DurationSummary {
        self.shared.generation_times.summary()
    }

    /// How long it took from withdrawing a job in flight until its generator stopped.
    #[must_use]
    pub fn cancel_latencies(&self) -> DurationSummary {
        self.shared.cancel_latencies.summary()
    }

    /// Audits every live job against the counters; while no runner is there, everything that
    /// runners count as well. Costs a walk over all of them; for tests and
    /// for bug reports.
    ///
    /// # Errors
    ///
    /// The first equation that does not hold.
    pub fn audit(&self) -> Result<(), AuditError> {
        let equal = |kind, expected: u64, found: u64| {
            if expected == found {
                Ok(())
            } else {
                Err(AuditError {
                    kind,
                    expected,
                    found,
                })
            }
        };
        let tally = &self.tally;
        let ended = tally.applied + tally.cancelled + tally.stale + tally.failed;
        // Added up and never subtracted, because what is broken may be broken either way.
        let known = ended + self.live.len() as u64;
        equal(AuditErrorKind::Live, tally.requested, known)?;
        let states = || self.live.iter().map(|slot| slot.state());
        let listed = states().filter(|state| !state.is_live()).count() as u64;
        equal(AuditErrorKind::EndedButListed, 0, listed)?;
        let in_state = |state: JobState| states().filter(|other| *other == state).count() as u64;
        let delivered = in_state(JobState::Delivered);
        equal(AuditErrorKind::Delivered, self.delivered as u64, delivered)?;
        if self.shared.gate.runners() > 0 {
            return Ok(());
        }
        let counts = &self.shared.counts;
        let counted = |count: isize| u64::try_from(count).unwrap_or(u64::MAX);
        let in_flight = counted(counts.in_flight.load(Ordering::Acquire));
        equal(
            AuditErrorKind::InFlight,
            in_flight,
            in_state(JobState::InFlight),
        )?;
        let completed = counted(counts.completed.load(Ordering::Acquire));
        let found = in_state(JobState::Completed);
        equal(AuditErrorKind::Completed, completed, found)?;
        let faults = self.desks.iter().map(|desk| desk.places_of_faults());
        let taken = found + (self.dead_results + faults.sum::<usize>()) as u64;
        equal(
            AuditErrorKind::Places,
            self.shared.places.taken() as u64,
            taken,
        )?;
        let counters = self.counters();
        let waiting = (self.live.iter())
            .filter(|slot| matches!(slot.state(), JobState::Completed | JobState::Delivered))
            .filter(|slot| !slot.is_known_empty());
        let settled = counters.applied + counters.wasted + waiting.count() as u64;
        let made = counters.generated + self.applied_empties;
        equal(AuditErrorKind::Generated, settled, made)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
