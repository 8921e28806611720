//! What was counted, and the check that it adds up.

use std::{error::Error, fmt, time::Duration};

use crate::{
    job::{JobState, Key},
    queue::Rank,
    sync::Ordering,
    worker::Shared,
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
    /// Results that were generated and never applied: their job had ended when they were ready, while they waited to be
    /// drained or in the backlog, or they could not be applied.
    pub wasted: u64,
    /// How long generating those took. Right to one part in sixteen.
    pub wasted_time: Duration,
    /// Times that jobs waited and no worker was started for them, because every permit in the
    /// completed queue was taken: at most once per tick and per drain.
    pub starts_refused: u64,
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
/// are workers, because a job can move between two looks.
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
    /// Permits of the completed queue that no live job holds: those of cancelled jobs whose generator has not returned,
    /// of unwanted results that were not discarded yet, and of failures that were not handled yet.
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
    /// The jobs in flight as counted, while no worker is there.
    InFlight,
    /// The completed jobs as counted, against those that are, while no worker is there.
    Completed,
    /// The permits that are taken, against what holds them, while no worker is there.
    Permits,
    /// The results that were generated, against those that are waiting, were applied or were
    /// wasted, while no worker is there.
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
            AuditErrorKind::Permits => "permits taken",
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

/// What [`Scheduler::audit`](crate::Scheduler::audit) compares.
#[derive(Debug, Default)]
pub(super) struct Audit {
    pub(super) counters: Counters,
    /// Applied answers for keys that are known to be empty, which were not generated.
    pub(super) applied_empties: u64,
    /// The backlog as counted.
    pub(super) delivered: u64,
    /// Live jobs, by state. Known-empty ones count as any other.
    pub(super) listed: [u64; JobState::ALL.len()],
    /// Live jobs that are completed or delivered and were generated.
    pub(super) generated_waiting: u64,
    /// `None` while a worker is there.
    pub(super) at_rest: Option<AtRest>,
}

/// What is exact only while no worker is there.
#[derive(Debug, Default)]
pub(super) struct AtRest {
    pub(super) in_flight: u64,
    pub(super) completed: u64,
    pub(super) permits: u64,
    /// Permits held by results of ended jobs and by faults.
    pub(super) dead_permits: u64,
}

impl AtRest {
    pub(super) fn new<K: Key, T, R: Rank<K>>(
        shared: &Shared<K, T, R>,
        dead_permits: usize,
    ) -> Self {
        // A count below zero is wrong, and shown as more than there can be.
        let counted = |count: isize| u64::try_from(count).unwrap_or(u64::MAX);
        Self {
            in_flight: counted(shared.counts.in_flight.load(Ordering::Acquire)),
            completed: counted(shared.counts.completed.load(Ordering::Acquire)),
            permits: shared.permits.taken() as u64,
            dead_permits: dead_permits as u64,
        }
    }
}

impl Audit {
    pub(super) fn check(&self) -> Result<(), AuditError> {
        let equal = |kind, expected, found| match expected == found {
            true => Ok(()),
            false => Err(AuditError {
                kind,
                expected,
                found,
            }),
        };
        let counters = &self.counters;
        let in_state = |state: JobState| self.listed[state as usize];
        // Added up and never subtracted, because a wrong count may be wrong either way.
        let ended = counters.applied + counters.cancelled + counters.stale + counters.failed;
        let known = ended + self.listed.iter().sum::<u64>();
        equal(AuditErrorKind::Live, counters.requested, known)?;
        let ends = JobState::ALL.into_iter().filter(|state| !state.is_live());
        equal(AuditErrorKind::EndedButListed, 0, ends.map(in_state).sum())?;
        let delivered = in_state(JobState::Delivered);
        equal(AuditErrorKind::Delivered, self.delivered, delivered)?;
        let Some(rest) = &self.at_rest else {
            return Ok(());
        };
        let in_flight = in_state(JobState::InFlight);
        equal(AuditErrorKind::InFlight, rest.in_flight, in_flight)?;
        let completed = in_state(JobState::Completed);
        equal(AuditErrorKind::Completed, rest.completed, completed)?;
        let held = completed + rest.dead_permits;
        equal(AuditErrorKind::Permits, rest.permits, held)?;
        let settled = counters.applied + counters.wasted + self.generated_waiting;
        let made = counters.generated + self.applied_empties;
        equal(AuditErrorKind::Generated, settled, made)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A job in each state that waits for the main thread, others that ended, and no worker.
    fn sound() -> Audit {
        let mut audit = Audit {
            counters: Counters {
                requested: 11,
                applied: 2,
                cancelled: 1,
                wasted: 1,
                generated: 6,
                ..Counters::default()
            },
            applied_empties: 1,
            delivered: 2,
            generated_waiting: 4,
            at_rest: Some(AtRest {
                in_flight: 0,
                completed: 2,
                permits: 3,
                dead_permits: 1,
            }),
            ..Audit::default()
        };
        audit.listed[JobState::Queued as usize] = 4;
        audit.listed[JobState::Completed as usize] = 2;
        audit.listed[JobState::Delivered as usize] = 2;
        assert_eq!(audit.check(), Ok(()));
        audit
    }

    fn found(spoil: impl FnOnce(&mut Audit)) -> Option<AuditErrorKind> {
        let mut audit = sound();
        spoil(&mut audit);
        audit.check().err().map(|error| error.kind)
    }

    fn at_rest(spoil: impl FnOnce(&mut AtRest)) -> Option<AuditErrorKind> {
        found(|audit| spoil(audit.at_rest.as_mut().expect("no worker is there")))
    }

    #[test]
    fn a_request_that_was_never_counted_or_counted_twice_is_found() {
        let kind = Some(AuditErrorKind::Live);
        assert_eq!(found(|audit| audit.counters.requested += 1), kind);
        assert_eq!(found(|audit| audit.counters.requested = 0), kind);
        assert_eq!(found(|audit| audit.counters.cancelled += 1), kind);
        let lose_a_job = |audit: &mut Audit| audit.listed[JobState::Queued as usize] -= 1;
        assert_eq!(found(lose_a_job), kind);
    }

    #[test]
    fn a_job_that_ended_and_is_still_listed_is_found() {
        let end_silently = |audit: &mut Audit| {
            audit.listed[JobState::Queued as usize] -= 1;
            audit.listed[JobState::Cancelled as usize] += 1;
        };
        assert_eq!(found(end_silently), Some(AuditErrorKind::EndedButListed));
    }

    #[test]
    fn a_wrong_count_of_a_state_is_found() {
        let delivered = found(|audit| audit.delivered += 1);
        assert_eq!(delivered, Some(AuditErrorKind::Delivered));
        let in_flight = at_rest(|rest| rest.in_flight = u64::MAX);
        assert_eq!(in_flight, Some(AuditErrorKind::InFlight));
        let completed = at_rest(|rest| rest.completed += 1);
        assert_eq!(completed, Some(AuditErrorKind::Completed));
    }

    #[test]
    fn a_permit_that_was_lost_and_a_result_that_vanished_are_found() {
        let permits = at_rest(|rest| rest.permits += 1);
        assert_eq!(permits, Some(AuditErrorKind::Permits));
        let kind = Some(AuditErrorKind::Generated);
        assert_eq!(found(|audit| audit.counters.generated += 1), kind);
        assert_eq!(found(|audit| audit.applied_empties += 1), kind);
    }

    #[test]
    fn the_error_names_both_numbers() {
        let mut audit = sound();
        audit.counters.requested += 1;
        let error = audit.check().expect_err("one request is nowhere");
        assert_eq!(
            error.to_string(),
            "the counters say 12 requests, ended or live, but there are 11"
        );
    }
}
