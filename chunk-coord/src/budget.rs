//! How much work one update may do.

use core::fmt;
use core::time::Duration;

#[cfg(feature = "std")]
use bevy_platform::time::Instant;

/// How much work one call of [`WantedSet::update`](crate::WantedSet::update) may do.
///
/// Work that does not fit is carried over to the next call; nothing is lost. A budget is used up: several
/// updates with one budget do no more than the first would have been allowed.
///
/// ```
/// use core::time::Duration;
/// use chunk_coord::ScanBudget;
///
/// let everything = ScanBudget::unlimited();
/// let some = ScanBudget::coordinates(4096);
/// // By a clock of the caller: an engine's, or one that a test moves by hand.
/// let mut now = || Duration::ZERO;
/// let a_while = ScanBudget::with_clock(Duration::from_micros(250), &mut now);
/// # let _ = (everything, some, a_while);
/// ```
pub struct ScanBudget<'a> {
    limit: Limit<'a>,
}

enum Limit<'a> {
    Unlimited,
    Coordinates(usize),
    Until {
        time: TimeSource<'a>,
        /// By `time`.
        end: Duration,
        /// Whether anything was granted yet.
        has_begun: bool,
    },
}

enum TimeSource<'a> {
    Given(&'a mut dyn FnMut() -> Duration),
    /// The machine's clock, since this moment.
    #[cfg(feature = "std")]
    Since(Instant),
}

impl TimeSource<'_> {
    fn now(&mut self) -> Duration {
        match self {
            Self::Given(now) => now(),
            #[cfg(feature = "std")]
            Self::Since(start) => start.elapsed(),
        }
    }
}

/// Coordinates between two readings of the clock, and between entering and leaving. With fewer, an update reads the
/// clock and looks up pages more often. With more, it exceeds its limit by more where hundreds of viewers wait,
/// because turning to another viewer takes longer than a coordinate.
const QUANTUM: u64 = 64;

/// The time that sorting one changed coordinate takes, about. An update sorts at its end, so it keeps as much time
/// back.
const SORTING: Duration = Duration::from_nanos(16);

impl<'a> ScanBudget<'a> {
    /// No limit: for servers, tests and loading screens.
    #[must_use]
    pub const fn unlimited() -> Self {
        let limit = Limit::Unlimited;
        Self { limit }
    }

    /// At most `count` coordinates. A chunk that enters or leaves costs one; so does a row without changes, the
    /// end of a row, and a page of 32 rows without members in which none can leave. Reproducible, unlike a
    /// time. A count of zero postpones all work.
    #[must_use]
    pub const fn coordinates(count: usize) -> Self {
        let limit = Limit::Coordinates(count);
        Self { limit }
    }

    /// About `limit` from now on, by the machine's clock; on the web by the browser's, which needs the feature
    /// `web`.
    ///
    /// An update reads the clock after every 64 coordinates, and stops early enough to sort what it found. Its
    /// first 64 coordinates are granted however short the limit is.
    ///
    /// # Panics
    ///
    /// On `wasm32-unknown-unknown` without the feature `web`, where there is no clock.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn time(limit: Duration) -> Self {
        Self::until(TimeSource::Since(Instant::now()), limit)
    }

    /// As [`time`](Self::time), by the clock `now`: the time since any fixed moment, which never goes
    /// back. This constructor reads it once.
    #[must_use]
    pub fn with_clock(limit: Duration, now: &'a mut dyn FnMut() -> Duration) -> Self {
        let start = now();
        Self::until(TimeSource::Given(now), start.saturating_add(limit))
    }

    fn until(time: TimeSource<'a>, end: Duration) -> Self {
        let limit = Limit::Until {
            time,
            end,
            has_begun: false,
        };
        Self { limit }
    }

    pub(crate) fn is_unlimited(&self) -> bool {
        matches!(self.limit, Limit::Unlimited)
    }

    /// How many coordinates may be scanned before the next call; 0 when the budget is used up. `changed`
    /// coordinates are still to be sorted.
    pub(crate) fn grant(&mut self, changed: usize) -> u64 {
        match &mut self.limit {
            Limit::Unlimited => u64::MAX,
            Limit::Coordinates(left) => (*left as u64).min(QUANTUM),
            Limit::Until {
                time,
                end,
                has_begun,
            } => {
                let sorting = SORTING.saturating_mul(u32::try_from(changed).unwrap_or(u32::MAX));
                let is_in_time = time.now().saturating_add(sorting) < *end;
                let is_first = !core::mem::replace(has_begun, true);
                if is_in_time || is_first { QUANTUM } else { 0 }
            }
        }
    }

    /// Takes off what was scanned since the last grant.
    pub(crate) fn charge(&mut self, scanned: u64) {
        if let Limit::Coordinates(left) = &mut self.limit {
            *left = left.saturating_sub(scanned as usize);
        }
    }
}

impl fmt::Debug for ScanBudget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.limit {
            Limit::Unlimited => f.write_str("ScanBudget::unlimited()"),
            Limit::Coordinates(left) => write!(f, "ScanBudget::coordinates({left})"),
            Limit::Until { end, .. } => write!(f, "ScanBudget until {end:?}"),
        }
    }
}
