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
        /// Whether anything was granted yet.
        begun: bool,
    },
}

/// Coordinates looked at between two looks at the clock, and between entering and leaving.
const QUANTUM: u64 = 128;

/// What putting one found coordinate in its place takes at most. Scanning stops this much early for
/// each, because the order is made at the end of an update.
#[cfg(feature = "std")]
const ORDERING: Duration = Duration::from_nanos(16);

impl ScanBudget {
    /// Everything at once: for servers, tests and loading screens.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self {
            limit: Limit::Unlimited,
        }
    }

    /// At most `count` coordinates: a chunk that enters or leaves costs one, and so does a row of chunks
    /// (or a page of 32 rows without members) in which nothing does. Reproducible, where a time is not. A count of zero postpones everything.
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
                begun: false,
            },
        }
    }

    pub(crate) fn is_unlimited(&self) -> bool {
        matches!(self.limit, Limit::Unlimited)
    }

    /// How many coordinates may be looked at before asking again; 0 when the budget is used up. `found`
    /// coordinates are still to be put in order.
    pub(crate) fn grant(&mut self, found: usize) -> u64 {
        #[cfg(not(feature = "std"))]
        let _ = found;
        match &mut self.limit {
            Limit::Unlimited => u64::MAX,
            Limit::Coordinates(left) => (*left as u64).min(QUANTUM),
            #[cfg(feature = "std")]
            Limit::Time {
                started,
                limit,
                begun,
            } => {
                let reserved = ORDERING.saturating_mul(u32::try_from(found).unwrap_or(u32::MAX));
                let fits = started.elapsed().saturating_add(reserved) < *limit;
                let granted = fits || !*begun;
                *begun = true;
                if granted { QUANTUM } else { 0 }
            }
        }
    }

    /// Takes note of what was looked at since the last grant.
    pub(crate) fn charge(&mut self, used: u64) {
        if let Limit::Coordinates(left) = &mut self.limit {
            *left = left.saturating_sub(used as usize);
        }
    }
}
