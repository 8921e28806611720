//! The settings for retries, and the wait before each.

use std::time::Duration;

use super::error::{ConfigError, in_range, not_inverted};

/// How often a failing job is tried, and how long it waits before each retry.
///
/// The wait doubles from `base_delay` up to `max_delay`. Jitter then shortens it, so that jobs which failed together
/// are not retried together. It is a hash of the job's version, so that a replay has the same waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// The most attempts, from 1 (never retried) to 65 535. Default 3.
    pub max_attempts: u32,
    /// The wait after the first failure. Default 250 ms. Zero retries at the next tick; with many attempts, jobs that fail
    /// then take the workers from jobs that rank after them.
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

    /// The wait after `attempt`, counted from 1, failed. `random` decides the jitter.
    pub(crate) fn wait_after(&self, attempt: u32, random: u64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(31);
        let full = self
            .base_delay
            .saturating_mul(1 << doublings)
            .min(self.max_delay);
        #[expect(
            clippy::cast_precision_loss,
            reason = "24 bits fit into the mantissa of an f32"
        )]
        let fraction = (random >> 40) as f32 / (1_u32 << 24) as f32;
        full.saturating_sub(full.mul_f32(self.jitter * fraction))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_the_longest() {
        let policy = RetryPolicy {
            jitter: 0.0,
            ..RetryPolicy::default()
        };
        let waits = [1, 2, 3, 6, 7, 60].map(|attempt| policy.wait_after(attempt, u64::MAX));
        let millis = waits.map(|wait| wait.as_millis());
        assert_eq!(millis, [250, 500, 1_000, 8_000, 8_000, 8_000]);
    }

    #[test]
    fn jitter_only_shortens() {
        let policy = RetryPolicy::default();
        let waits =
            [0, u64::MAX / 2, u64::MAX].map(|random| policy.wait_after(1, random).as_micros());
        assert_eq!(waits[0], 250_000);
        assert!(waits[0] > waits[1] && waits[1] > waits[2]);
        assert!(waits[2] >= 187_500);
    }
}
