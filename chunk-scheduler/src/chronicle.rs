//! When which version was requested, in constant memory.

use std::time::Duration;

use crate::key::Version;

/// Notes are thinned out when there are this many.
const NOTES: usize = 256;

/// Versions only grow, so a few notes of "this version, that time" date all of them. When the
/// notes are too many every other one is dropped: recent versions are dated to the tick, old ones
/// roughly.
#[derive(Debug)]
pub(crate) struct Chronicle {
    notes: Vec<(Version, Duration)>,
}

impl Chronicle {
    pub(crate) fn new() -> Self {
        Self {
            notes: Vec::with_capacity(NOTES),
        }
    }

    pub(crate) fn note(&mut self, version: Version, now: Duration) {
        if self.notes.last().is_some_and(|(_, at)| *at == now) {
            return;
        }
        if self.notes.len() == NOTES {
            let mut is_odd = false;
            self.notes.retain(|_| {
                is_odd = !is_odd;
                is_odd
            });
        }
        self.notes.push((version, now));
    }

    /// The clock starts at `now`: everything noted so far was noted then.
    pub(crate) fn begin(&mut self, now: Duration) {
        self.notes.truncate(1);
        for (_, at) in &mut self.notes {
            *at = now;
        }
    }

    /// The latest noted time that is not after the request of `version`.
    pub(crate) fn requested_at(&self, version: Version) -> Duration {
        let after = self.notes.partition_point(|(noted, _)| *noted <= version);
        after
            .checked_sub(1)
            .map_or(Duration::ZERO, |at| self.notes[at].1)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn recent_versions_are_dated_exactly_and_old_ones_roughly() {
        let mut chronicle = Chronicle::new();
        for second in 0..10_000 {
            for job in 0..3 {
                chronicle.note(Version(second * 3 + job), Duration::from_secs(second));
            }
        }
        let dated = |version| chronicle.requested_at(Version(version)).as_secs();
        assert_eq!(dated(29_999), 9_999);
        assert_eq!(dated(29_970), 9_990);
        assert!(dated(15_000) <= 5_000);
        assert!(chronicle.notes.len() <= NOTES);
    }
}
