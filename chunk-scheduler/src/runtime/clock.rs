//! The clock that measures how long work takes: the machine's, or that of a simulation.

use std::time::Duration;

#[cfg(not(loom))]
use crate::sync::Instant;
use crate::sync::{Arc, AtomicU64, Ordering};

/// A reading of a [`WorkClock`]. The time that the caller gives to a tick is another type, because the two clocks
/// need not agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClockTime(Duration);

impl ClockTime {
    /// The time that passed since `earlier`; zero where it was later.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    pub(crate) fn from_nanos(nanos: u64) -> Self {
        Self(Duration::from_nanos(nanos))
    }

    /// At most 584 years.
    pub(crate) fn as_nanos(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }
}

#[derive(Clone, Debug)]
pub(crate) enum WorkClock {
    #[cfg(not(loom))]
    Real(Instant),
    /// Stands still, because the model checker needs the same behaviour in each run.
    #[cfg(loom)]
    Frozen,
    /// Nanoseconds, moved by the simulation that owns it.
    Virtual(Arc<AtomicU64>),
}

impl WorkClock {
    pub(crate) fn real() -> Self {
        #[cfg(not(loom))]
        return Self::Real(Instant::now());
        #[cfg(loom)]
        Self::Frozen
    }

    /// The time since the scheduler was made, or since the simulation began.
    pub(crate) fn now(&self) -> ClockTime {
        match self {
            #[cfg(not(loom))]
            Self::Real(start) => ClockTime(start.elapsed()),
            #[cfg(loom)]
            Self::Frozen => ClockTime(Duration::ZERO),
            Self::Virtual(nanos) => ClockTime::from_nanos(nanos.load(Ordering::Relaxed)),
        }
    }
}
