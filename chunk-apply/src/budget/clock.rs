//! The clock that the budget is measured with, so that tests can move time by hand, and how often it is read.

use crate::sync::{Arc, AtomicU64, Instant, Ordering};
use core::{fmt, time::Duration};

/// A monotonic clock. The budget reads nothing else.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Time since an arbitrary, fixed start.
    fn now(&self) -> Duration;
}

/// The machine's monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct MonotonicClock {
    start: Instant,
}

impl Default for MonotonicClock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for MonotonicClock {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until a test advances it, so that tests of the budget are exact.
///
/// Clones share the same time.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    nanos: Arc<AtomicU64>,
}

impl ManualClock {
    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

/// Estimated nanoseconds of work after which the clock is read again, and the longest slice. A wrong estimate costs at
/// most twice this much, times its error.
pub(super) const READ_EVERY: f64 = 20_000.0;

/// A clock that need not be read before [`READ_EVERY`] of estimated work, because reading it costs about a quarter of
/// spawning an entity. In between, time is estimated. The `Pacer` reads it earlier where work is measured by itself: at a
/// step of user code, at work that was never measured, and where a table grows.
#[derive(Debug)]
pub(super) struct SparseClock<'a> {
    clock: &'a dyn Clock,
    read_at: Duration,
    /// Estimated nanoseconds of work since `read_at`.
    estimated: f64,
}

impl<'a> SparseClock<'a> {
    pub(super) fn new(clock: &'a dyn Clock) -> Self {
        Self {
            clock,
            read_at: clock.now(),
            estimated: 0.0,
        }
    }

    /// The time at the last reading.
    pub(super) fn read_at(&self) -> Duration {
        self.read_at
    }

    /// Notes work that was not measured.
    pub(super) fn estimate(&mut self, nanos: f64) {
        self.estimated += nanos;
    }

    /// Whether the estimates are to be replaced by a reading.
    pub(super) fn must_read(&self) -> bool {
        self.estimated >= READ_EVERY
    }

    /// Reads the clock. Returns the measured nanoseconds since the last reading.
    pub(super) fn read(&mut self) -> f64 {
        let before = core::mem::replace(&mut self.read_at, self.clock.now());
        self.estimated = 0.0;
        nanos(self.read_at.saturating_sub(before))
    }

    /// Estimated nanoseconds until `deadline`; negative after it.
    pub(super) fn left_until(&self, deadline: Duration) -> f64 {
        nanos(deadline.saturating_sub(self.read_at)) - self.estimated
    }
}

/// The same as [`Duration::as_nanos`], without its 128 bits.
fn nanos(time: Duration) -> f64 {
    time.as_secs() as f64 * 1e9 + f64::from(time.subsec_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_clones_share_it() {
        let clock = ManualClock::default();
        let other = clock.clone();
        assert_eq!(clock.now(), Duration::ZERO);
        other.advance(Duration::from_micros(7));
        assert_eq!(clock.now(), Duration::from_micros(7));
    }
}
