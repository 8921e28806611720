//! How a scheduler behaves, checked once when it is made.

use std::{error::Error, fmt, time::Duration};

use crate::gate::MOST_RUNNERS;

/// Everything a [`Scheduler`](crate::Scheduler) can be told.
#[derive(Clone, Debug, PartialEq)]
pub struct SchedulerConfig {
    /// Jobs on workers at the same time. Default 3. More than the pool has threads gains nothing
    /// for generators that compute (and is said in the log); it does for generators that wait.
    /// Too many, and other users of the pool wait longer.
    pub max_in_flight: usize,
    /// Results that may wait to be drained, those being made included. Default 1024. A full queue
    /// stops workers from starting jobs, so a drain every 16 ms sees at most this many results:
    /// too few caps the throughput of cheap generators, too many costs memory.
    pub completed_capacity: usize,
    /// Drained results that are neither applied nor given up: the backlog. Default 1024. A full
    /// backlog stops [`Scheduler::drain`](crate::Scheduler::drain).
    pub max_delivered: usize,
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
            max_delivered: 1024,
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
        check_in_flight(self.max_in_flight)?;
        at_least_one("completed_capacity", self.completed_capacity)?;
        at_least_one("max_delivered", self.max_delivered)?;
        at_least_one("quarantine_capacity", self.quarantine_capacity)?;
        self.retry.validate()?;
        self.concurrency.validate()?;
        self.overrun.validate()
    }
}

/// What happens to a job that failed: how often it is tried, and how long it waits in between.
///
/// The wait doubles from `base_delay` up to `max_delay`; jitter then takes away up to its fraction,
/// by a hash of the job's version, so that chunks that failed together do not return together and
/// a replay still sees the same waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Attempts in all, from 1 (never retried) to 65 535. Default 3.
    pub max_attempts: u32,
    /// Wait after the first failure. Default 250 ms. Zero retries at the next tick.
    pub base_delay: Duration,
    /// The longest wait. Default 8 s.
    pub max_delay: Duration,
    /// The fraction of a wait that jitter may take away, from 0 (none) to 1. Default 0.25.
    pub jitter: f32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(8),
            jitter: 0.25,
        }
    }
}

impl RetryPolicy {
    fn validate(&self) -> Result<(), ConfigError> {
        if self.max_attempts == 0 || self.max_attempts > u32::from(u16::MAX) {
            return Err(ConfigError::count("retry.max_attempts", self.max_attempts));
        }
        if self.max_delay < self.base_delay {
            return Err(ConfigError::new(
                ConfigErrorKind::Inverted,
                "retry.max_delay",
                format!("{:?} < base_delay {:?}", self.max_delay, self.base_delay),
            ));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            return Err(ConfigError::new(
                ConfigErrorKind::OutOfRange,
                "retry.jitter",
                self.jitter.to_string(),
            ));
        }
        Ok(())
    }
}

/// Whether the number of jobs in flight follows what the machine can bear.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Concurrency {
    /// Always [`SchedulerConfig::max_in_flight`].
    #[default]
    Fixed,
    /// Between bounds, starting from the number of threads of the pool.
    Adaptive(AdaptivePolicy),
}

impl Concurrency {
    fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Fixed => Ok(()),
            Self::Adaptive(policy) => policy.validate(),
        }
    }
}

/// What an adaptive scheduler reacts to. It decides at most once per `interval`, by one step:
/// down when frames are late, down when results pile up faster than they are applied, up when jobs
/// wait while every runner is busy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptivePolicy {
    /// The fewest jobs in flight, at least 1. Default 1.
    pub min: usize,
    /// The most jobs in flight. Default 4; above the pool's threads it only helps generators that
    /// wait.
    pub max: usize,
    /// How long a frame is meant to take. Default 1/60 s.
    pub frame: Duration,
    /// A frame is late when it took more than this many times `frame`. Default 1.5.
    pub late_factor: f32,
    /// The fraction of late frames in an interval that makes it step down. Default 0.1. Zero
    /// reacts to a single late frame.
    pub late_fraction: f32,
    /// Time between decisions. Default 250 ms. Shorter reacts to noise, longer reacts late.
    pub interval: Duration,
}

impl Default for AdaptivePolicy {
    fn default() -> Self {
        Self {
            min: 1,
            max: 4,
            frame: Duration::from_nanos(16_666_667),
            late_factor: 1.5,
            late_fraction: 0.1,
            interval: Duration::from_millis(250),
        }
    }
}

impl AdaptivePolicy {
    fn validate(&self) -> Result<(), ConfigError> {
        check_in_flight(self.min)?;
        check_in_flight(self.max)?;
        if self.max < self.min {
            return Err(ConfigError::new(
                ConfigErrorKind::Inverted,
                "concurrency.max",
                format!("{} < min {}", self.max, self.min),
            ));
        }
        for (field, value) in [
            ("concurrency.late_factor", self.late_factor),
            ("concurrency.late_fraction", self.late_fraction),
        ] {
            if !value.is_finite() || value < 0.0 {
                return Err(ConfigError::new(
                    ConfigErrorKind::OutOfRange,
                    field,
                    value.to_string(),
                ));
            }
        }
        not_zero("concurrency.frame", self.frame)?;
        not_zero("concurrency.interval", self.interval)
    }
}

/// When a running generator is reported, and whether another may run in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverrunPolicy {
    /// How long one attempt may run before it is reported, once. Default 5 s; `None` never
    /// reports.
    pub allowance: Option<Duration>,
    /// How many overrunning jobs may be compensated by one more job in flight each. Default 0.
    /// This helps when the pool has a thread to spare or the generator waits; a thread that
    /// computes for ever is lost all the same.
    pub max_compensated: usize,
}

impl Default for OverrunPolicy {
    fn default() -> Self {
        Self {
            allowance: Some(Duration::from_secs(5)),
            max_compensated: 0,
        }
    }
}

impl OverrunPolicy {
    fn validate(&self) -> Result<(), ConfigError> {
        if self.max_compensated > MOST_RUNNERS {
            return Err(ConfigError::count(
                "overrun.max_compensated",
                self.max_compensated,
            ));
        }
        self.allowance
            .map_or(Ok(()), |allowance| not_zero("overrun.allowance", allowance))
    }
}

/// A field of the configuration that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    kind: ConfigErrorKind,
    field: &'static str,
    value: String,
}

/// What is wrong with the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// Outside of what the field's documentation allows.
    OutOfRange,
    /// An upper bound below its lower bound.
    Inverted,
}

impl ConfigError {
    fn new(kind: ConfigErrorKind, field: &'static str, value: String) -> Self {
        Self { kind, field, value }
    }

    fn count(field: &'static str, value: impl fmt::Display) -> Self {
        Self::new(ConfigErrorKind::OutOfRange, field, value.to_string())
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }

    /// The path of the field in [`SchedulerConfig`].
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// The value it had.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, value, .. } = self;
        match self.kind {
            ConfigErrorKind::OutOfRange => write!(f, "`{field}` cannot be {value}"),
            ConfigErrorKind::Inverted => write!(f, "`{field}` is below its lower bound: {value}"),
        }
    }
}

impl Error for ConfigError {}

pub(crate) fn check_in_flight(value: usize) -> Result<(), ConfigError> {
    if (1..=MOST_RUNNERS).contains(&value) {
        Ok(())
    } else {
        Err(ConfigError::count("max_in_flight", value))
    }
}

fn at_least_one(field: &'static str, value: usize) -> Result<(), ConfigError> {
    if value == 0 {
        return Err(ConfigError::count(field, value));
    }
    Ok(())
}

fn not_zero(field: &'static str, value: Duration) -> Result<(), ConfigError> {
    if value.is_zero() {
        return Err(ConfigError::count(field, "0 s"));
    }
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn field_refused(change: impl FnOnce(&mut SchedulerConfig)) -> &'static str {
        let mut config = SchedulerConfig::default();
        change(&mut config);
        config
            .validate()
            .expect_err("the change is invalid")
            .field()
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
        assert_eq!(field_refused(|c| c.max_delivered = 0), "max_delivered");
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
            min: 3,
            max: 2,
            ..AdaptivePolicy::default()
        };
        assert_eq!(
            field_refused(|c| c.concurrency = Concurrency::Adaptive(inverted)),
            "concurrency.max"
        );
    }

    #[test]
    fn an_error_says_the_value() {
        let config = SchedulerConfig {
            max_in_flight: 0,
            ..SchedulerConfig::default()
        };
        let error = config.validate().expect_err("zero runners cannot work");
        assert_eq!(error.to_string(), "`max_in_flight` cannot be 0");
    }
}
