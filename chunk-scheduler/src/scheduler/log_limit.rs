//! A limit on warnings, because a thousand lines in a frame make the frame late.

use std::time::Duration;

use super::tick_time::TickTime;

/// The most warnings in a period.
const LINES: u32 = 20;
const PERIOD: Duration = Duration::from_secs(1);

/// Admits a number of warnings in each second of the caller's time, and counts the others.
#[derive(Debug, Default)]
pub(super) struct LogLimit {
    began: TickTime,
    lines: u32,
    left_out: u64,
}

impl LogLimit {
    /// Whether a warning may be written. Counts it where not.
    pub(super) fn admits(&mut self) -> bool {
        let is_admitted = self.lines < LINES;
        if is_admitted {
            self.lines += 1;
        } else {
            self.left_out += 1;
        }
        is_admitted
    }

    /// Begins a new period where one has passed, and says what the former one left out.
    pub(super) fn tick(&mut self, now: TickTime) {
        if self.lines > 0 && now.since(self.began) >= PERIOD {
            self.report();
            (self.began, self.lines) = (now, 0);
        }
    }

    /// Says how many warnings were left out so far.
    pub(super) fn report(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            tracing::warn!(left_out, "more attempts failed, which were not logged");
        }
    }
}
