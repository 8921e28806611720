//! When which version was requested, in constant memory.

use super::tick_time::TickTime;
use crate::job::Version;

/// When there are this many notes, every other one is dropped.
const MAX_NOTES: usize = 256;

/// Some versions, and when they were requested. Versions only grow, so these bound the times of all others: exactly
/// for recent versions, approximately for old ones.
#[derive(Debug)]
pub(super) struct RequestTimes {
    notes: Vec<(Version, TickTime)>,
}

impl RequestTimes {
    pub(super) fn new() -> Self {
        Self {
            notes: Vec::with_capacity(MAX_NOTES),
        }
    }

    pub(super) fn note(&mut self, version: Version, now: TickTime) {
        if self.notes.last().is_some_and(|(_, at)| *at == now) {
            return;
        }
        if self.notes.len() == MAX_NOTES {
            let mut is_odd = false;
            self.notes.retain(|_| {
                is_odd = !is_odd;
                is_odd
            });
        }
        self.notes.push((version, now));
    }

    /// Dates all versions so far to `now`, because the caller's clock was not known before.
    pub(super) fn begin(&mut self, now: TickTime) {
        self.notes.truncate(1);
        for (_, at) in &mut self.notes {
            *at = now;
        }
    }

    /// The latest noted time before or at the request of `version`.
    pub(super) fn requested_at(&self, version: Version) -> TickTime {
        let after = self.notes.partition_point(|(noted, _)| *noted <= version);
        after
            .checked_sub(1)
            .map_or(TickTime::default(), |at| self.notes[at].1)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn recent_versions_are_dated_exactly_and_old_ones_roughly() {
        let mut times = RequestTimes::new();
        for second in 0..10_000 {
            for job in 0..3 {
                let now = TickTime::new(Duration::from_secs(second));
                times.note(Version(second * 3 + job), now);
            }
        }
        let dated = |version| times.requested_at(Version(version)).get().as_secs();
        assert_eq!(dated(29_999), 9_999);
        assert_eq!(dated(29_970), 9_990);
        assert!(dated(15_000) <= 5_000);
        assert!(times.notes.len() <= MAX_NOTES);
    }
}
