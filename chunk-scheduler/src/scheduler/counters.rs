//! The counters, and the audit that compares them with the live jobs.

use std::{error::Error, fmt, time::Duration};

use crate::{
    job::{JobCell, JobState, Key},
    queue::Rank,
    sync::Ordering,
    worker::Shared,
};

/// Counts of what happened since the scheduler was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests and refreshes that made a new job. Each job ends exactly once.
    pub requested: u64,
    /// Jobs whose result reached its destination.
    pub applied: u64,
    /// Jobs that were withdrawn, in any state.
    pub cancelled: u64,
    /// Jobs that were superseded: a newer version of their key was finished before they were applied, or took the place
    /// of a failed attempt.
    pub stale: u64,
    /// Jobs that were given up: their last permitted attempt failed, or the failure was permanent.
    pub failed: u64,
    /// Requests that joined a live job, and refreshes that joined a queued one.
    pub coalesced: u64,
    /// Retries of failed jobs, without those that came too early.
    pub retried: u64,
    /// Attempts that made a result, including unwanted ones.
    pub generated: u64,
    /// Results that were generated and not applied, because their job ended first or because applying them failed.
    pub wasted: u64,
    /// How long generating the wasted results took, within one part in sixteen.
    pub wasted_time: Duration,
    /// Ticks and drains that started no worker for waiting jobs, because every permit was taken.
    pub starts_refused: u64,
    /// Caught panics of user code.
    pub panics: u64,
    /// Attempts that ran longer than [`OverrunPolicy::allowance`](crate::OverrunPolicy::allowance).
    pub overruns: u64,
    /// Requests for keys that are known to be empty.
    pub known_empty: u64,
    /// Attempts that failed, whatever became of their jobs.
    pub failures: u64,
    /// Attempts that came too early ([`GenerateError::NotYet`](crate::GenerateError::NotYet)), which are no failures.
    pub not_yet: u64,
}

impl Counters {
    /// Counts a result that was generated and will not be applied.
    pub(super) fn count_wasted<K>(&mut self, cell: &JobCell<K>) {
        if !cell.is_known_empty() {
            self.wasted += 1;
            self.wasted_time += cell.took();
        }
    }
}

/// How many live jobs are in each state, and how many keys are quarantined.
///
/// The states always add up to the live jobs. While workers run, each number may be off by the number of workers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depths {
    /// Not started, or waiting for another attempt.
    pub queued: usize,
    /// On workers. Cancelled jobs are not counted, though their generators may not have returned.
    pub in_flight: usize,
    /// Finished, not drained.
    pub completed: usize,
    /// Drained, not applied.
    pub backlog: usize,
    /// Keys in the list of the quarantine, which is bounded by
    /// [`quarantine_capacity`](crate::SchedulerConfig::quarantine_capacity).
    pub quarantined: usize,
    /// Permits held by no live job: by cancelled jobs whose generators have not returned, by unwanted results that
    /// were not discarded yet, and by failed attempts that were not handled yet.
    pub unwanted: usize,
}

impl Depths {
    /// The number of jobs that have not ended.
    #[must_use]
    pub fn live(&self) -> usize {
        self.queued + self.in_flight + self.completed + self.backlog
    }
}

/// The counters and the live jobs disagree, which is a bug of this crate.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditError {
    /// Which equation does not hold.
    pub kind: AuditErrorKind,
    /// The number by the counters.
    pub expected: u64,
    /// The actual number.
    pub found: u64,
}

/// Which equation does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditErrorKind {
    /// Requests, against jobs that have ended or are live.
    Live,
    /// The counted backlog, against the jobs in it, those that are being applied included.
    Delivered,
    /// Ended jobs among the live ones, of which there must be none.
    EndedButListed,
    /// While there is no worker: the counted jobs in flight, against those that are.
    InFlight,
    /// While there is no worker: the counted completed jobs, against those that are.
    Completed,
    /// While there is no worker: the permits that are taken, against their holders.
    Permits,
    /// While there is no worker: generated results, against those that wait, were applied or were wasted.
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
    /// How many applied jobs were known to be empty.
    pub(super) applied_empties: u64,
    /// The counted backlog.
    pub(super) delivered: u64,
    /// The number of live jobs in each state.
    pub(super) listed: [u64; JobState::ALL.len()],
    /// How many live jobs have a result that a generator made.
    pub(super) generated_waiting: u64,
    /// `None` while there is a worker.
    pub(super) at_rest: Option<AtRest>,
}

/// What is exact only while there is no worker.
#[derive(Debug, Default)]
pub(super) struct AtRest {
    pub(super) in_flight: u64,
    pub(super) completed: u64,
    pub(super) permits: u64,
    /// The permits held by results of ended jobs and by faults.
    pub(super) dead_permits: u64,
}

impl AtRest {
    pub(super) fn new<K: Key, T, R: Rank<K>>(
        shared: &Shared<K, T, R>,
        dead_permits: usize,
    ) -> Self {
        // A count below zero is wrong, and becomes one that no count of jobs equals.
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
    /// Adds a live job.
    pub(super) fn list<K>(&mut self, cell: &JobCell<K>) {
        let state = cell.state();
        self.listed[state as usize] += 1;
        self.generated_waiting += u64::from(state.is_finished() && !cell.is_known_empty());
    }

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
        // Sums only, because a difference of wrong counts could be negative.
        let ended = counters.applied + counters.cancelled + counters.stale + counters.failed;
        let known = ended + self.listed.iter().sum::<u64>();
        equal(AuditErrorKind::Live, counters.requested, known)?;
        let ends = JobState::ALL.into_iter().filter(|state| !state.is_live());
        equal(AuditErrorKind::EndedButListed, 0, ends.map(in_state).sum())?;
        let delivered = in_state(JobState::Delivered) + in_state(JobState::Applying);
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

    /// Live and ended jobs whose numbers add up, and no worker.
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
        audit.listed[JobState::Delivered as usize] = 1;
        audit.listed[JobState::Applying as usize] = 1;
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
    fn a_request_that_was_not_counted_or_counted_twice_is_found() {
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
    fn a_lost_permit_and_a_lost_result_are_found() {
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
