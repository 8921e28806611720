//! How much scanning one update may do.

#[cfg(feature = "std")]
use std::time::{Duration, Instant};

/// How much one call of [`WantedSet::update`](crate::WantedSet::update) may look at.
///
/// What does not fit is carried over to the next call; nothing is lost.
///
/// ```
/// use chunk_coord::ScanBudget;
///
/// let mut everything = ScanBudget::unlimited();
/// let mut some = ScanBudget::coordinates(4096);
/// # let _ = (&mut everything, &mut some);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ScanBudget {
    limit: Limit,
}

#[derive(Clone, Copy, Debug)]
enum Limit {
    Unlimited,
    Coordinates(usize),
    #[cfg(feature = "std")]
    Time {
        started: Instant,
        limit: Duration,
    },
}

impl ScanBudget {
    /// Everything at once: for servers, tests and loading screens.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            limit: Limit::Unlimited,
        }
    }

    /// At most `count` coordinates: a chunk that enters or leaves costs one, and so does a row of chunks
    /// in which nothing does. Reproducible, where a time is not. A count of zero postpones everything.
    #[must_use]
    pub const fn coordinates(count: usize) -> Self {
        Self {
            limit: Limit::Coordinates(count),
        }
    }

    /// About `limit` from now on. At least a few dozen coordinates are looked at, however little that is.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn time(limit: Duration) -> Self {
        Self {
            limit: Limit::Time {
                started: Instant::now(),
                limit,
            },
        }
    }
}
