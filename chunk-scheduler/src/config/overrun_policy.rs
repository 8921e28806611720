//! The settings for generators that run too long.

use std::time::Duration;

use super::error::{ConfigError, in_range, not_zero};
use crate::worker::MAX_WORKERS;

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
