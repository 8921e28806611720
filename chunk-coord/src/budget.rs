//! How much scanning one update may do.

use core::fmt;
use core::time::Duration;

#[cfg(feature = "std")]
use bevy_platform::time::Instant;

/// How much one call of [`WantedSet::update`](crate::WantedSet::update) may look at.
///
/// What does not fit is carried over to the next call; nothing is lost. A budget is used up: one that
/// goes through several updates allows no more than the first would have been allowed.
///
/// ```
/// use core::time::Duration;
/// use chunk_coord::ScanBudget;
///
/// let everything = ScanBudget::unlimited();
/// let some = ScanBudget::coordinates(4096);
/// // By a clock of one's own: that of an engine, or one that tests move by hand.
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
        clock: Clock<'a>,
        /// By the clock.
        end: Duration,
        /// Whether anything was granted yet.
        begun: bool,
    },
}

enum Clock<'a> {
    Given(&'a mut dyn FnMut() -> Duration),
    /// Time since then.
    #[cfg(feature = "std")]
    Since(Instant),
}

impl Clock<'_> {
    fn now(&mut self) -> Duration {
        match self {
            Self::Given(now) => now(),
            #[cfg(feature = "std")]
            Self::Since(start) => start.elapsed(),
        }
    }
}

/// Coordinates looked at between two looks at the clock, and between entering and leaving.
pub(crate) const QUANTUM: u64 = 128;
/// The same while several viewers wait for theirs: turning from one to the next costs as much as some coordinates.
pub(crate) const SMALL_QUANTUM: u64 = 32;

/// What putting one found coordinate in its place takes. Scanning stops this much early for each, because the order
/// is made at the end of an update.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderingCost(Duration);

impl Default for OrderingCost {
    fn default() -> Self {
        Self(Self::USUAL)
    }
}

impl OrderingCost {
    const USUAL: Duration = Duration::from_nanos(16);
    /// Fewer say nothing of one.
    const FEWEST: usize = 256;

    /// Learns how long so many took. It rises fast and falls slowly, because too much costs a little of the next update and
    /// too little makes this one late; an interruption counts as four times the cost. What is so much that hardly anything
    /// is found falls as well, or nothing would ever be learned again.
    pub(crate) fn learn(&mut self, found: usize, took: Duration) {
        if found < Self::FEWEST {
            if self.0 > Self::USUAL {
                self.0 = (self.0 * 15 / 16).max(Self::USUAL);
            }
            return;
        }
        let each = (took / u32::try_from(found).unwrap_or(u32::MAX)).min(self.0 * 4);
        let of = if each > self.0 { 2 } else { 16 };
        self.0 = (self.0 * (of - 1) + each) / of;
        self.0 = self.0.max(Duration::from_nanos(4));
    }

    fn of(self, found: usize) -> Duration {
        self.0
            .saturating_mul(u32::try_from(found).unwrap_or(u32::MAX))
    }
}

impl<'a> ScanBudget<'a> {
    /// Everything at once: for servers, tests and loading screens.
    #[must_use]
    pub const fn unlimited() -> Self {
        let limit = Limit::Unlimited;
        Self { limit }
    }

    /// At most `count` coordinates: a chunk that enters or leaves costs one, and so does a row of chunks,
    /// an end of one, or a page of 32 rows without members, in which nothing does. Reproducible, where a time is not.
    /// A count of zero postpones everything.
    #[must_use]
    pub const fn coordinates(count: usize) -> Self {
        let limit = Limit::Coordinates(count);
        Self { limit }
    }

    /// About `limit` from now on, by the machine's clock; on the web, by the browser's, which takes the
    /// feature `web`.
    ///
    /// An update looks at 128 coordinates between two looks at the clock, or at 32 while several viewers wait for theirs,
    /// and stops early enough to put what it found in order. However little the limit is, one update looks at the first of
    /// these.
    ///
    /// # Panics
    ///
    /// On `wasm32-unknown-unknown` without the feature `web`, where there is no clock.
    #[cfg(feature = "std")]
    #[must_use]
    pub fn time(limit: Duration) -> Self {
        Self::until(Clock::Since(Instant::now()), limit)
    }

    /// As [`time`](Self::time), by the clock `now`: the time since any fixed moment, which never goes
    /// back. It is asked once here.
    #[must_use]
    pub fn with_clock(limit: Duration, now: &'a mut dyn FnMut() -> Duration) -> Self {
        let start = now();
        Self::until(Clock::Given(now), start.saturating_add(limit))
    }

    fn until(clock: Clock<'a>, end: Duration) -> Self {
        let limit = Limit::Until {
            clock,
            end,
            begun: false,
        };
        Self { limit }
    }

    pub(crate) fn is_unlimited(&self) -> bool {
        matches!(self.limit, Limit::Unlimited)
    }

    /// What time it is, where that matters.
    pub(crate) fn now(&mut self) -> Option<Duration> {
        match &mut self.limit {
            Limit::Until { clock, .. } => Some(clock.now()),
            Limit::Unlimited | Limit::Coordinates(_) => None,
        }
    }

    /// How many coordinates may be looked at before asking again, `quantum` at most where there is a limit; 0 when the
    /// budget is used up. `found` coordinates are still to be put in order.
    pub(crate) fn grant(&mut self, quantum: u64, found: usize, ordering: OrderingCost) -> u64 {
        match &mut self.limit {
            Limit::Unlimited => u64::MAX,
            Limit::Coordinates(left) => (*left as u64).min(quantum),
            Limit::Until { clock, end, begun } => {
                let fits = clock.now().saturating_add(ordering.of(found)) < *end;
                let is_first = !core::mem::replace(begun, true);
                if fits || is_first { quantum } else { 0 }
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

impl fmt::Debug for ScanBudget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.limit {
            Limit::Unlimited => f.write_str("ScanBudget::unlimited()"),
            Limit::Coordinates(left) => write!(f, "ScanBudget::coordinates({left})"),
            Limit::Until { end, .. } => write!(f, "ScanBudget until {end:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_cost_of_ordering_follows_what_was_measured_but_no_single_interruption() {
        let mut cost = OrderingCost::default();
        cost.learn(1_000, Duration::from_secs(1));
        assert_eq!(cost.of(1_000), Duration::from_nanos(40_000));
        for _ in 0..40 {
            cost.learn(1_000, Duration::from_micros(50));
        }
        assert!(cost.of(1_000).abs_diff(Duration::from_micros(50)) < Duration::from_micros(4));
        cost.learn(OrderingCost::FEWEST - 1, Duration::ZERO);
        assert!(
            cost.of(1_000) > Duration::from_micros(40),
            "too few to tell much"
        );
        for _ in 0..100 {
            cost.learn(1_000, Duration::ZERO);
        }
        assert_eq!(cost.of(1_000), Duration::from_micros(4));
    }

    #[test]
    fn interruptions_in_a_row_do_not_stop_finding_for_ever() {
        let mut cost = OrderingCost::default();
        let mut now = || Duration::ZERO;
        for _ in 0..5 {
            cost.learn(1_000, Duration::from_secs(1));
        }
        let mut found_by_each = Vec::new();
        for _ in 0..200 {
            let mut budget = ScanBudget::with_clock(Duration::from_micros(10), &mut now);
            let mut found = 0;
            // The clock stands still, so that only what is kept back for the order ends an update.
            while found < 600 && budget.grant(QUANTUM, found, cost) > 0 {
                found += QUANTUM as usize;
            }
            cost.learn(found, OrderingCost::USUAL * found as u32);
            found_by_each.push(found);
        }
        assert_eq!(found_by_each[0], 128, "the first quantum is always granted");
        assert_eq!(found_by_each.last(), Some(&640));
    }
}
