//! Time for measuring: real, or set by a simulation.

use std::time::Duration;

#[cfg(not(loom))]
use crate::sync::Instant;
use crate::sync::{Arc, AtomicU64, Ordering};

#[derive(Clone, Debug)]
pub(crate) enum Clock {
    #[cfg(not(loom))]
    Real(Instant),
    /// A model of every interleaving must take the same turns each time it is run, so nothing in it
    /// may depend on how long anything took.
    #[cfg(loom)]
    Frozen,
    /// Nanoseconds, moved by the simulation that owns it.
    Virtual(Arc<AtomicU64>),
}

impl Clock {
    pub(crate) fn real() -> Self {
        #[cfg(not(loom))]
        return Self::Real(Instant::now());
        #[cfg(loom)]
        Self::Frozen
    }

    /// Since the scheduler was made, or since the simulation began.
    pub(crate) fn now(&self) -> Duration {
        match self {
            #[cfg(not(loom))]
            Self::Real(start) => start.elapsed(),
            #[cfg(loom)]
            Self::Frozen => Duration::ZERO,
            Self::Virtual(nanos) => Duration::from_nanos(nanos.load(Ordering::Relaxed)),
        }
    }
}
