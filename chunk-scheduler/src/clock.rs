//! Time for measuring: real, or set by a simulation.

use std::time::Duration;

use crate::sync::{Arc, AtomicU64, Instant, Ordering};

#[derive(Clone, Debug)]
pub(crate) enum Clock {
    Real(Instant),
    /// Nanoseconds, moved by the simulation that owns it.
    Virtual(Arc<AtomicU64>),
}

impl Clock {
    pub(crate) fn real() -> Self {
        Self::Real(Instant::now())
    }

    /// Since the scheduler was made, or since the simulation began.
    pub(crate) fn now(&self) -> Duration {
        match self {
            Self::Real(start) => start.elapsed(),
            Self::Virtual(nanos) => Duration::from_nanos(nanos.load(Ordering::Relaxed)),
        }
    }
}
