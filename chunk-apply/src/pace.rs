//! Predicts what a slice will cost, so that one that does not fit is not started.
//!
//! A clock read costs about a quarter of spawning an entity, so the clock is not read for each.
//! Work is measured in *estimated* time, and the clock corrects the estimates every
//! [`READ_EVERY`] of estimated work.

use crate::clock::Clock;
use core::any::TypeId;
use smallvec::SmallVec;
use std::time::Duration;

/// Estimated work after which the clock is read again, and the longest slice. A wrong estimate
/// costs at most twice this much, times its error.
const READ_EVERY: f64 = 20_000.0;
/// Cost of an entity whose kind was never measured, in nanoseconds: ten times the usual, so that
/// the first slices are short.
const UNKNOWN_COST: f64 = 1_000.0;
/// How far one reading moves an estimate towards what was measured.
const GAIN: f64 = 0.3;
/// A reading beyond this factor is an interruption by the operating system more often than a
/// cost; it moves the estimate no further.
const MAX_CORRECTION: f64 = 4.0;
/// The fraction of a stretch that is kept back, because a slice is only known to have been too long
/// when it is over.
const RESERVE: u32 = 50;
/// The slice that is allowed even when the budget is spent, so that every frame advances.
const FIRST_SLICE: usize = 16;

/// What is being paid for: one bundle type spawned, or one of the fixed kinds of work.
pub(crate) type Kind = TypeId;

/// Measured cost of each kind of work, in nanoseconds an entity. Lives as long as the applier.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    known: SmallVec<[(Kind, f64); 8]>,
}

impl Costs {
    fn slot(&mut self, kind: Kind) -> usize {
        if let Some(found) = self.known.iter().position(|(known, _)| *known == kind) {
            return found;
        }
        self.known.push((kind, UNKNOWN_COST));
        self.known.len() - 1
    }

    /// Nanoseconds one entity of this kind was last estimated to cost.
    #[cfg(test)]
    pub(crate) fn of(&mut self, kind: Kind) -> f64 {
        let slot = self.slot(kind);
        self.known[slot].1
    }
}

/// One stretch of budgeted work within a frame.
#[derive(Debug)]
pub(crate) struct Pace<'a> {
    clock: &'a dyn Clock,
    costs: &'a mut Costs,
    start: Duration,
    /// `None`: no limit by time.
    deadline: Option<Duration>,
    read_at: Duration,
    /// Estimated nanoseconds of work since `read_at`.
    estimated: f64,
    /// What that work was: slot in `costs` and entities.
    window: SmallVec<[(usize, usize); 8]>,
    /// Whether this stretch must advance even with nothing left.
    owes_a_slice: bool,
}

impl<'a> Pace<'a> {
    /// Starts a stretch of at most `limit`. With `must_advance` the first slice is allowed
    /// whatever is left.
    pub(crate) fn start(
        clock: &'a dyn Clock,
        costs: &'a mut Costs,
        limit: Option<Duration>,
        must_advance: bool,
    ) -> Self {
        let start = clock.now();
        Self {
            clock,
            costs,
            start,
            deadline: limit.map(|limit| start.saturating_add(limit - limit / RESERVE)),
            read_at: start,
            estimated: 0.0,
            window: SmallVec::new(),
            owes_a_slice: must_advance,
        }
    }

    /// How many entities of this kind may be processed now; 0 when none fits.
    pub(crate) fn allowance(&mut self, kind: Kind) -> usize {
        let slot = self.costs.slot(kind);
        let Some(deadline) = self.deadline else {
            return usize::MAX;
        };
        if self.estimated >= READ_EVERY {
            self.read();
        }
        let left = deadline.saturating_sub(self.read_at).as_nanos() as f64 - self.estimated;
        let cost = self.costs.known[slot].1;
        let fits = (left.min(READ_EVERY) / cost) as usize;
        match fits {
            0 if self.owes_a_slice => FIRST_SLICE,
            // An entity that costs more than the clock is trusted for, and yet fits.
            0 if left > cost => 1,
            _ => fits,
        }
    }

    /// Notes that entities of this kind were processed.
    pub(crate) fn spent(&mut self, kind: Kind, entities: usize) {
        if entities == 0 {
            return;
        }
        self.owes_a_slice = false;
        let slot = self.costs.slot(kind);
        self.estimated += self.costs.known[slot].1 * entities as f64;
        match self.window.iter_mut().find(|(known, _)| *known == slot) {
            Some((_, count)) => *count += entities,
            None => self.window.push((slot, entities)),
        }
    }

    /// Whether the time is used up, by the estimate.
    pub(crate) fn is_exhausted(&self) -> bool {
        !self.owes_a_slice
            && self.deadline.is_some_and(|deadline| {
                deadline.saturating_sub(self.read_at).as_nanos() as f64 <= self.estimated
            })
    }

    /// Ends the stretch: the time it really took.
    pub(crate) fn finish(mut self) -> Duration {
        self.read();
        self.read_at.saturating_sub(self.start)
    }

    /// Reads the clock and corrects the estimates of what was done since the last reading.
    fn read(&mut self) {
        let now = self.clock.now();
        if self.estimated > 0.0 {
            let measured = now.saturating_sub(self.read_at).as_nanos() as f64;
            let ratio = (measured / self.estimated).clamp(1.0 / MAX_CORRECTION, MAX_CORRECTION);
            for (slot, _) in self.window.drain(..) {
                let cost = &mut self.costs.known[slot].1;
                *cost = (*cost * (1.0 + GAIN * (ratio - 1.0))).max(1.0);
            }
        }
        self.estimated = 0.0;
        self.read_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    struct Cheap;

    fn kind() -> Kind {
        TypeId::of::<Cheap>()
    }

    /// Processes all that is allowed, each entity taking `cost`, and says how many there were.
    fn work(pace: &mut Pace<'_>, clock: &ManualClock, cost: Duration, most: usize) -> usize {
        let mut done = 0;
        while done < most {
            let slice = pace.allowance(kind()).min(most - done);
            if slice == 0 {
                break;
            }
            clock.advance(cost * slice as u32);
            pace.spent(kind(), slice);
            done += slice;
        }
        done
    }

    #[test]
    fn estimates_converge_and_the_budget_is_then_held_to_a_slice() {
        let clock = ManualClock::default();
        let mut costs = Costs::default();
        let cost = Duration::from_nanos(137);
        for _ in 0..20 {
            let mut pace = Pace::start(&clock, &mut costs, Some(Duration::from_millis(1)), true);
            work(&mut pace, &clock, cost, usize::MAX);
            let taken = pace.finish();
            assert!(taken <= Duration::from_micros(1_020), "{taken:?}");
        }
        assert!((costs.of(kind()) - 137.0).abs() < 2.0);
        let mut pace = Pace::start(&clock, &mut costs, Some(Duration::from_millis(1)), true);
        let done = work(&mut pace, &clock, cost, usize::MAX);
        assert!((6_900..=7_320).contains(&done), "{done}");
    }

    #[test]
    fn a_spent_budget_still_advances_by_one_short_slice() {
        let clock = ManualClock::default();
        let mut costs = Costs::default();
        let mut pace = Pace::start(&clock, &mut costs, Some(Duration::ZERO), true);
        let done = work(&mut pace, &clock, Duration::from_micros(1), usize::MAX);
        assert_eq!(done, FIRST_SLICE);
        assert!(pace.is_exhausted());
    }

    #[test]
    fn without_the_duty_to_advance_a_spent_budget_allows_nothing() {
        let clock = ManualClock::default();
        let mut costs = Costs::default();
        let mut pace = Pace::start(&clock, &mut costs, Some(Duration::ZERO), false);
        assert_eq!(pace.allowance(kind()), 0);
        assert!(pace.is_exhausted());
    }

    #[test]
    fn without_a_limit_everything_is_allowed() {
        let clock = ManualClock::default();
        let mut costs = Costs::default();
        let mut pace = Pace::start(&clock, &mut costs, None, false);
        assert_eq!(pace.allowance(kind()), usize::MAX);
        assert!(!pace.is_exhausted());
    }

    #[test]
    fn one_interruption_does_not_ruin_the_estimate() {
        let clock = ManualClock::default();
        let mut costs = Costs::default();
        for _ in 0..30 {
            let mut pace = Pace::start(&clock, &mut costs, Some(Duration::from_millis(1)), true);
            work(&mut pace, &clock, Duration::from_nanos(100), usize::MAX);
            pace.finish();
        }
        let mut pace = Pace::start(&clock, &mut costs, Some(Duration::from_millis(1)), true);
        work(&mut pace, &clock, Duration::from_nanos(100), 50);
        clock.advance(Duration::from_millis(30));
        pace.finish();
        assert!(costs.of(kind()) < 200.0);
    }
}
