//! When to stop waiting: not after some time, but after some time without progress.

use std::time::Duration;

/// Waits as long as something happens now and then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    limit: Duration,
    since: Duration,
    progress: u64,
}

impl Patience {
    /// Waiting begins now. It ends when nothing has happened for `limit`.
    pub(crate) fn new(limit: Duration, now: Duration, progress: u64) -> Self {
        Self {
            limit,
            since: now,
            progress,
        }
    }

    /// Whether nothing has happened for too long. `progress` is any number that changes when something happens.
    pub(crate) fn is_over(&mut self, now: Duration, progress: u64) -> bool {
        if progress != self.progress {
            (self.since, self.progress) = (now, progress);
        }
        now.saturating_sub(self.since) > self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_progress_is_waited_for_and_none_is_not() {
        let mut patience = Patience::new(Duration::from_secs(30), Duration::ZERO, 0);
        let mut seconds = 0;
        for chunk in 1..100 {
            seconds += 29;
            assert!(!patience.is_over(Duration::from_secs(seconds), chunk));
        }
        let later = |more| Duration::from_secs(seconds + more);
        assert!(!patience.is_over(later(30), 99));
        assert!(patience.is_over(later(31), 99));
    }
}
