//! All settings of a scheduler.

use super::{
    concurrency_policy::{Concurrency, check_in_flight},
    error::{ConfigError, in_range},
    overrun_policy::OverrunPolicy,
    retry_policy::RetryPolicy,
};

/// The configuration of a [`Scheduler`](crate::Scheduler), which checks it once.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerConfig {
    /// The most jobs on workers at the same time. Default 3. More than the pool has threads helps generators that
    /// wait, but not those that compute; the log says so. Too many make other users of the pool wait.
    pub max_in_flight: usize,
    /// The most results that wait to be drained, including those that are being made. Default 1024. A full queue
    /// stops workers from starting jobs, so this is also the most that one drain delivers. Too low limits the
    /// throughput of cheap generators; too high costs memory.
    pub completed_capacity: usize,
    /// The most results in the backlog, which are drained and not applied. Default 1024. A full backlog stops
    /// [`Scheduler::drain`](crate::Scheduler::drain).
    pub backlog_capacity: usize,
    /// What urgent jobs may use beyond both capacities, so that an edit waits neither for a drain nor for the
    /// backlog. Default 8. With 0 urgent jobs wait like all others; each one more can keep one more result in memory.
    pub urgent_reserve: usize,
    /// What happens to a job that fails.
    pub retry: RetryPolicy,
    /// The most keys that the quarantine lists, with their messages. Default 4096. Beyond it the oldest key is forgotten; a
    /// caller who wants to request all of them again notes the keys whose [`Failure`](crate::Failure) has the verdict
    /// [`GaveUp`](crate::Verdict::GaveUp).
    pub quarantine_capacity: usize,
    /// Whether the limit on jobs in flight adapts to the machine.
    pub concurrency: Concurrency,
    /// When a generator counts as running too long.
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
    /// The first field whose value is invalid.
    pub fn validate(&self) -> Result<(), ConfigError> {
        check_in_flight("max_in_flight", self.max_in_flight)?;
        for (field, capacity) in [
            ("completed_capacity", self.completed_capacity),
            ("backlog_capacity", self.backlog_capacity),
            ("quarantine_capacity", self.quarantine_capacity),
        ] {
            in_range(field, capacity, capacity > 0)?;
        }
        self.retry.validate()?;
        self.concurrency.validate()?;
        self.overrun.validate()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::concurrency_policy::AdaptivePolicy;
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_default_is_valid() {
        assert_eq!(SchedulerConfig::default().validate(), Ok(()));
    }

    #[test]
    fn each_invalid_field_is_named() {
        let changes: [(&str, fn(&mut SchedulerConfig)); 9] = [
            ("max_in_flight", |c| c.max_in_flight = 0),
            ("max_in_flight", |c| c.max_in_flight = 1 << 20),
            ("completed_capacity", |c| c.completed_capacity = 0),
            ("backlog_capacity", |c| c.backlog_capacity = 0),
            ("retry.max_attempts", |c| c.retry.max_attempts = 0),
            ("retry.jitter", |c| c.retry.jitter = f32::NAN),
            ("retry.max_delay", |c| c.retry.max_delay = Duration::ZERO),
            ("overrun.allowance", |c| {
                c.overrun.allowance = Some(Duration::ZERO);
            }),
            ("concurrency.max_in_flight", |c| {
                c.concurrency = Concurrency::Adaptive(AdaptivePolicy {
                    min_in_flight: 3,
                    max_in_flight: 2,
                    ..AdaptivePolicy::default()
                });
            }),
        ];
        for (field, change) in changes {
            let mut config = SchedulerConfig::default();
            change(&mut config);
            let error = config.validate().expect_err("the change is invalid");
            assert_eq!(error.field, field);
        }
    }

    #[test]
    fn an_error_contains_the_value() {
        let config = SchedulerConfig {
            max_in_flight: 0,
            ..SchedulerConfig::default()
        };
        let error = config.validate().expect_err("0 is invalid");
        assert_eq!(error.to_string(), "`max_in_flight` cannot be 0");
    }
}
