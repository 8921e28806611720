//! The settings for retries, concurrency and overruns.

use std::time::Duration;

use super::error::{ConfigError, in_range, not_inverted};
use crate::worker::MAX_WORKERS;

/// How often a failing job is tried, and how long it waits before each retry.
///
/// The wait doubles from `base_delay` up to `max_delay`. Jitter then shortens it, so that jobs which failed together
/// are not retried together. It is a hash of the job's version, so that a replay has the same waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// The most attempts, from 1 (never retried) to 65 535. Default 3.
    pub max_attempts: u32,
    /// The wait after the first failure. Default 250 ms. Zero retries at the next tick.
    pub base_delay: Duration,
    /// The longest wait. Default 8 s.
    pub max_delay: Duration,
    /// The largest fraction by which jitter shortens a wait, from 0 to 1. Default 0.25.
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
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let attempts = 1..=u32::from(u16::MAX);
        let is_valid = attempts.contains(&self.max_attempts);
        in_range("retry.max_attempts", self.max_attempts, is_valid)?;
        let (least, most) = (self.base_delay, self.max_delay);
        not_inverted("retry.max_delay", most, "base_delay", least)?;
        let is_valid = (0.0..=1.0).contains(&self.jitter);
        in_range("retry.jitter", self.jitter, is_valid)
    }
}

/// Whether the limit on jobs in flight is fixed, or adapts to the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Concurrency {
    /// Always [`max_in_flight`](crate::SchedulerConfig::max_in_flight).
    #[default]
    Fixed,
    /// Adapts within bounds, starting from the number of threads of the pool.
    Adaptive(AdaptivePolicy),
}

impl Concurrency {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        match self {
            Self::Fixed => Ok(()),
            Self::Adaptive(policy) => policy.validate(),
        }
    }
}

/// What an adaptive limit reacts to. It changes by at most one per `interval`: down when frames are late or results
/// pile up faster than they are applied, up when jobs wait while every worker is busy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptivePolicy {
    /// The fewest jobs in flight, at least 1. Default 1.
    pub min_in_flight: usize,
    /// The most jobs in flight. Default 4. More than the pool has threads helps only generators that wait.
    pub max_in_flight: usize,
    /// The intended length of a frame. Default 1/60 s.
    pub frame: Duration,
    /// A frame longer than this many times `frame` is late. Default 1.5.
    pub late_factor: f32,
    /// The fraction of late frames in an interval that lowers the limit. Default 0.1. Zero reacts to one late frame.
    pub late_fraction: f32,
    /// The time between decisions. Default 250 ms. Shorter reacts to noise; longer reacts late.
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
    fn validate(&self) -> Result<(), ConfigError> {
        let (least, most) = (self.min_in_flight, self.max_in_flight);
        check_in_flight("concurrency.min_in_flight", least)?;
        check_in_flight("concurrency.max_in_flight", most)?;
        not_inverted("concurrency.max_in_flight", most, "min_in_flight", least)?;
        for (field, value) in [
            ("concurrency.late_factor", self.late_factor),
            ("concurrency.late_fraction", self.late_fraction),
        ] {
            in_range(field, value, value.is_finite() && value >= 0.0)?;
        }
        not_zero("concurrency.frame", self.frame)?;
        not_zero("concurrency.interval", self.interval)
    }
}

/// When a running generator is reported, and whether another job may start meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OverrunPolicy {
    /// How long an attempt runs before it is reported, once. Default 5 s. `None` never reports.
    pub allowance: Option<Duration>,
    /// For at most so many overrunning jobs, one more job may be in flight for each. Default 0. This helps only where
    /// the pool has a free thread or the generator waits, because an overrunning generator that computes keeps its
    /// thread.
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
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        let most = self.max_compensated;
        in_range("overrun.max_compensated", most, most <= MAX_WORKERS)?;
        (self.allowance).map_or(Ok(()), |allowance| not_zero("overrun.allowance", allowance))
    }
}

pub(crate) fn check_in_flight(field: &'static str, value: usize) -> Result<(), ConfigError> {
    in_range(field, value, (1..=MAX_WORKERS).contains(&value))
}

fn not_zero(field: &'static str, value: Duration) -> Result<(), ConfigError> {
    in_range(field, "0 s", !value.is_zero())
}
