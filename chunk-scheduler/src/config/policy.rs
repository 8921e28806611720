//! What a scheduler does when jobs fail, overrun, or the machine has too much to do.

use std::time::Duration;

use super::error::{ConfigError, ConfigErrorKind, check_in_flight, not_zero};
use crate::worker::MAX_WORKERS;

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
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
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
    /// Always [`max_in_flight`](crate::SchedulerConfig::max_in_flight).
    #[default]
    Fixed,
    /// Between bounds, starting from the number of threads of the pool.
    Adaptive(AdaptivePolicy),
}

impl Concurrency {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Fixed => Ok(()),
            Self::Adaptive(policy) => policy.validate(),
        }
    }
}

/// What an adaptive scheduler reacts to. It decides at most once per `interval`, by one step:
/// down when frames are late, down when results pile up faster than they are applied, up when jobs
/// wait while every worker is busy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptivePolicy {
    /// The fewest jobs in flight, at least 1. Default 1.
    pub min_in_flight: usize,
    /// The most jobs in flight. Default 4; above the pool's threads it only helps generators that
    /// wait.
    pub max_in_flight: usize,
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
            min_in_flight: 1,
            max_in_flight: 4,
            frame: Duration::from_nanos(16_666_667),
            late_factor: 1.5,
            late_fraction: 0.1,
            interval: Duration::from_millis(250),
        }
    }
}

impl AdaptivePolicy {
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        check_in_flight("concurrency.min_in_flight", self.min_in_flight)?;
        check_in_flight("concurrency.max_in_flight", self.max_in_flight)?;
        if self.max_in_flight < self.min_in_flight {
            return Err(ConfigError::new(
                ConfigErrorKind::Inverted,
                "concurrency.max_in_flight",
                format!(
                    "{} < min_in_flight {}",
                    self.max_in_flight, self.min_in_flight
                ),
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
    pub(crate) fn validate(&self) -> Result<(), ConfigError> {
        if self.max_compensated > MAX_WORKERS {
            return Err(ConfigError::count(
                "overrun.max_compensated",
                self.max_compensated,
            ));
        }
        self.allowance
            .map_or(Ok(()), |allowance| not_zero("overrun.allowance", allowance))
    }
}
