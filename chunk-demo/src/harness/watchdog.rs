//! Notices a stream that hangs: not by the time that a run takes, but by the time without progress.

use std::time::Duration;

/// Expires when a number that counts progress has not changed for a while.
#[derive(Clone, Copy, Debug)]
pub(super) struct Watchdog {
    timeout: Duration,
    changed_at: Duration,
    progress: u64,
}

impl Watchdog {
    /// A watchdog that starts `now`, when this much progress has been made.
    pub(super) fn new(timeout: Duration, now: Duration, progress: u64) -> Self {
        Self {
            timeout,
            changed_at: now,
            progress,
        }
    }

    /// Whether `progress` has been the same for longer than the timeout.
    pub(super) fn has_expired(&mut self, now: Duration, progress: u64) -> bool {
        if progress != self.progress {
            (self.changed_at, self.progress) = (now, progress);
        }
        now.saturating_sub(self.changed_at) > self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_timeout_without_progress_expires() {
        let seconds = Duration::from_secs;
        let mut watchdog = Watchdog::new(seconds(30), Duration::ZERO, 0);
        for progress in 1..100 {
            assert!(!watchdog.has_expired(seconds(29 * progress), progress));
        }
        assert!(!watchdog.has_expired(seconds(29 * 99 + 30), 99));
        assert!(watchdog.has_expired(seconds(29 * 99 + 31), 99));
    }
}
