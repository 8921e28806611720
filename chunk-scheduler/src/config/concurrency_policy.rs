//! The settings for the limit on jobs in flight.

use std::time::Duration;

use super::error::{ConfigError, in_range, not_inverted, not_zero};
use crate::worker::MAX_WORKERS;

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
    /// How long the work of a frame may take. Default 1/60 s.
    pub frame: Duration,
    /// A frame whose work takes longer than this many times `frame` is late. Default 1.5. Not before the caller says how long
    /// its frames take, see [`Scheduler::frame_took`](crate::Scheduler::frame_took).
    pub late_factor: f32,
    /// The fraction of late frames in an interval that lowers the limit. Default 0.1. Zero reacts to one late frame; above 1
    /// no number of late frames lowers it.
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

pub(crate) fn check_in_flight(field: &'static str, value: usize) -> Result<(), ConfigError> {
    in_range(field, value, (1..=MAX_WORKERS).contains(&value))
}
