//! What each kind of work was measured to cost.

use crate::growth::Growth;
use core::any::TypeId;
use smallvec::SmallVec;

/// What is being paid for: one bundle type spawned, or one of the fixed kinds of work.
pub(crate) type Kind = TypeId;

/// Nanoseconds that an entity of a kind is expected to cost until it was measured: so much that the
/// first one goes alone.
const UNKNOWN: f64 = 20_000.0;
/// Nothing costs less. A clock that has not moved says nothing else.
const LEAST: f64 = 20.0;
/// How far one reading moves an estimate towards what was measured.
const GAIN: f64 = 0.3;
/// A reading beyond this factor is an interruption by the operating system more often than a cost. It
/// moves the estimate no further, unless the reading before was such a one too.
const MOST_CORRECTION: f64 = 4.0;
/// How many times as many entities as were ever measured at once are trusted to cost the same.
const TRUST: usize = 4;

/// Estimated cost of each kind, in nanoseconds an entity. Lives as long as the applier.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    known: SmallVec<[Cost; 8]>,
    /// What comes on top when a table is full.
    pub(crate) growth: Growth,
}

#[derive(Debug)]
struct Cost {
    kind: Kind,
    nanos: f64,
    /// How many entities may be processed without a look at the clock.
    trusted: usize,
    is_measured: bool,
    /// Whether the last reading was beyond belief.
    is_suspect: bool,
}

impl Costs {
    pub(crate) fn slot(&mut self, kind: Kind) -> usize {
        if let Some(found) = self.known.iter().position(|known| known.kind == kind) {
            return found;
        }
        self.known.push(Cost {
            kind,
            nanos: UNKNOWN,
            trusted: 1,
            is_measured: false,
            is_suspect: false,
        });
        self.known.len() - 1
    }

    pub(crate) fn nanos(&self, slot: usize) -> f64 {
        self.known[slot].nanos
    }

    pub(crate) fn trusted(&self, slot: usize) -> usize {
        self.known[slot].trusted
    }

    pub(crate) fn is_measured(&self, slot: usize) -> bool {
        self.known[slot].is_measured
    }

    /// Learns that so many entities of these slots took so many nanoseconds together.
    pub(crate) fn learn(&mut self, work: &[(usize, usize)], measured: f64) {
        let estimate = |only_known: bool| -> f64 {
            (work.iter())
                .map(|(slot, count)| (&self.known[*slot], *count as f64))
                .filter(|(cost, _)| cost.is_measured || !only_known)
                .map(|(cost, count)| cost.nanos * count)
                .sum()
        };
        let (all, known) = (estimate(false), estimate(true));
        let ratio = measured / all;
        // What is left when the known kinds had their part, and no less than an even share: a first
        // guess had better be too much.
        let first = ((measured - known) / (all - known)).max(ratio);
        let has_unknown = all > known;
        for (slot, count) in work {
            let cost = &mut self.known[*slot];
            if !has_unknown {
                cost.correct(ratio);
            } else if !cost.is_measured {
                cost.nanos = (cost.nanos * first).max(LEAST);
                cost.is_measured = true;
            }
            cost.trusted = cost.trusted.max(count.saturating_mul(TRUST));
        }
    }

    /// Nanoseconds one entity of this kind was last estimated to cost.
    #[cfg(test)]
    pub(crate) fn of(&mut self, kind: Kind) -> f64 {
        let slot = self.slot(kind);
        self.known[slot].nanos
    }
}

impl Cost {
    fn correct(&mut self, ratio: f64) {
        let is_suspect = ratio > MOST_CORRECTION;
        let factor = if is_suspect && self.is_suspect {
            ratio
        } else {
            1.0 + GAIN * (ratio.min(MOST_CORRECTION) - 1.0)
        };
        self.nanos = (self.nanos * factor).max(LEAST);
        self.is_suspect = is_suspect;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree;
    struct Rock;

    fn slot(costs: &mut Costs) -> usize {
        costs.slot(TypeId::of::<Tree>())
    }

    #[test]
    fn the_first_measurement_is_taken_whole() {
        for measured in [70.0, 3_000.0, 5_000_000.0] {
            let mut costs = Costs::default();
            let tree = slot(&mut costs);
            costs.learn(&[(tree, 1)], measured);
            assert!((costs.nanos(tree) - measured).abs() < 1e-6 * measured);
        }
    }

    #[test]
    fn an_unknown_kind_among_known_ones_gets_what_is_left() {
        let mut costs = Costs::default();
        let (tree, rock) = (slot(&mut costs), costs.slot(TypeId::of::<Rock>()));
        costs.learn(&[(tree, 10)], 1_000.0);
        costs.learn(&[(tree, 10), (rock, 1)], 51_000.0);
        assert!((costs.nanos(rock) - 50_000.0).abs() < 2_000.0);
    }

    #[test]
    fn one_interruption_does_not_ruin_an_estimate_and_two_are_believed() {
        let mut costs = Costs::default();
        let tree = slot(&mut costs);
        costs.learn(&[(tree, 100)], 10_000.0);
        costs.learn(&[(tree, 100)], 30_000_000.0);
        assert!(costs.nanos(tree) < 200.0);
        costs.learn(&[(tree, 100)], 30_000_000.0);
        assert!((costs.nanos(tree) - 300_000.0).abs() < 1.0);
    }

    #[test]
    fn more_entities_are_trusted_as_more_were_measured() {
        let mut costs = Costs::default();
        let tree = slot(&mut costs);
        assert_eq!(costs.trusted(tree), 1);
        let mut trusted = Vec::new();
        for _ in 0..4 {
            let most = costs.trusted(tree);
            costs.learn(&[(tree, most)], 100.0 * most as f64);
            trusted.push(costs.trusted(tree));
        }
        assert_eq!(trusted, [4, 16, 64, 256]);
    }

    #[test]
    fn a_clock_that_stands_still_makes_nothing_free() {
        let mut costs = Costs::default();
        let tree = slot(&mut costs);
        for _ in 0..50 {
            costs.learn(&[(tree, 100)], 0.0);
        }
        assert_eq!(costs.nanos(tree), LEAST);
    }
}
