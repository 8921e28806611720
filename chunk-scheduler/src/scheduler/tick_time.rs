//! The time that the caller gives to ticks.

use std::time::Duration;

/// The time that the caller gave to a tick. A reading of the clock that measures work is another type, because the
/// two clocks need not agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TickTime(Duration);

impl TickTime {
    pub(super) fn new(time: Duration) -> Self {
        Self(time)
    }

    pub(super) fn get(self) -> Duration {
        self.0
    }

    /// The time that passed since `earlier`; zero where it was later.
    pub(super) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub(super) fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait))
    }
}
