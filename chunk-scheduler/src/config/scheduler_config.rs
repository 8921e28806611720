//! How a scheduler behaves, checked once when it is made.

use super::{
    error::{ConfigError, at_least_one, check_in_flight},
    policy::{Concurrency, OverrunPolicy, RetryPolicy},
};

/// Everything a [`Scheduler`](crate::Scheduler) can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerConfig {
    /// Jobs on workers at the same time. Default 3. More than the pool has threads gains nothing
    /// for generators that compute (and is said in the log); it does for generators that wait.
    /// Too many, and other users of the pool wait longer.
    pub max_in_flight: usize,
    /// Results that may wait to be drained, those being made included. Default 1024; urgent jobs
    /// may have [`urgent_reserve`](Self::urgent_reserve) more. A full queue
    /// stops workers from starting jobs, so a drain every 16 ms sees at most this many results:
    /// too few caps the throughput of cheap generators, too many costs memory.
    pub completed_capacity: usize,
    /// Drained results that are neither applied nor given up: the backlog. Default 1024. A full
    /// backlog stops [`Scheduler::drain`](crate::Scheduler::drain).
    pub backlog_capacity: usize,
    /// What urgent jobs may have beyond both capacities, so that an edit waits neither behind
    /// results nobody drained nor behind a backlog nobody applied. Default 8. With 0 they wait like
    /// all others; every one more is one more result in memory at the worst.
    pub urgent_reserve: usize,
    /// What happens to a job that fails.
    pub retry: RetryPolicy,
    /// Keys remembered after their last attempt failed. Default 4096; the oldest is forgotten
    /// first, which only means that it is no longer listed.
    pub quarantine_capacity: usize,
    /// Whether `max_in_flight` stays as it is.
    pub concurrency: Concurrency,
    /// What counts as running too long.
    pub overrun: OverrunPolicy,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self {
            max_in_flight: 3,
            completed_capacity: 1024,
            backlog_capacity: 1024,
            urgent_reserve: 8,
            retry: RetryPolicy::default(),
            quarantine_capacity: 4096,
            concurrency: Concurrency::Fixed,
            overrun: OverrunPolicy::default(),
        }
    }
}

impl SchedulerConfig {
    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first field that makes no sense, with its value.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_in_flight("max_in_flight", self.max_in_flight)?;
        at_least_one("completed_capacity", self.completed_capacity)?;
        at_least_one("backlog_capacity", self.backlog_capacity)?;
        at_least_one("quarantine_capacity", self.quarantine_capacity)?;
        self.retry.validate()?;
        self.concurrency.validate()?;
        self.overrun.validate()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::policy::AdaptivePolicy;
    use super::*;
    use std::time::Duration;

    fn field_refused(change: impl FnOnce(&mut SchedulerConfig)) -> &'static str {
        let mut config = SchedulerConfig::default();
        change(&mut config);
        config.validate().expect_err("the change is invalid").field
    }

    #[test]
    fn the_default_is_valid() {
        assert_eq!(SchedulerConfig::default().validate(), Ok(()));
    }

    #[test]
    fn each_bad_field_is_named() {
        assert_eq!(field_refused(|c| c.max_in_flight = 0), "max_in_flight");
        assert_eq!(
            field_refused(|c| c.max_in_flight = 1 << 20),
            "max_in_flight"
        );
        assert_eq!(
            field_refused(|c| c.completed_capacity = 0),
            "completed_capacity"
        );
        assert_eq!(
            field_refused(|c| c.backlog_capacity = 0),
            "backlog_capacity"
        );
        assert_eq!(
            field_refused(|c| c.retry.max_attempts = 0),
            "retry.max_attempts"
        );
        assert_eq!(field_refused(|c| c.retry.jitter = f32::NAN), "retry.jitter");
        assert_eq!(
            field_refused(|c| c.retry.max_delay = Duration::ZERO),
            "retry.max_delay"
        );
        assert_eq!(
            field_refused(|c| c.overrun.allowance = Some(Duration::ZERO)),
            "overrun.allowance"
        );
        let inverted = AdaptivePolicy {
            min_in_flight: 3,
            max_in_flight: 2,
            ..AdaptivePolicy::default()
        };
        assert_eq!(
            field_refused(|c| c.concurrency = Concurrency::Adaptive(inverted)),
            "concurrency.max_in_flight"
        );
    }

    #[test]
    fn an_error_says_the_value() {
        let config = SchedulerConfig {
            max_in_flight: 0,
            ..SchedulerConfig::default()
        };
        let error = config.validate().expect_err("zero workers cannot work");
        assert_eq!(error.to_string(), "`max_in_flight` cannot be 0");
    }
}
