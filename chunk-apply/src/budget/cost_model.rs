//! What each kind of work was measured to cost.

use super::{cost_key::CostKey, table_growth::TableGrowth};
use smallvec::SmallVec;

/// Nanoseconds that an entity is expected to cost before it was measured: so much that the first one is a slice alone.
const UNKNOWN: f64 = 20_000.0;
/// The lowest estimate, in nanoseconds. A clock that has not moved does not show that work is free.
const LEAST: f64 = 20.0;
/// How far one reading moves an estimate towards what was measured.
const GAIN: f64 = 0.3;
/// A reading beyond this factor is an interruption by the operating system more often than a cost. It moves the
/// estimate no further than this, unless the reading before it was beyond the factor as well.
const MOST_CORRECTION: f64 = 4.0;
/// How many times as many entities as were ever measured at once are trusted to cost the same each.
const TRUST: usize = 4;

/// The estimated cost under each key, in nanoseconds an entity. Lives as long as the applier.
#[derive(Debug, Default)]
pub(crate) struct CostModel {
    known: SmallVec<[Cost; 8]>,
    /// Which tables the entities of each key go to.
    pub(super) tables: TableGrowth,
}

#[derive(Debug)]
struct Cost {
    key: CostKey,
    nanos: f64,
    /// How many entities may be processed without reading the clock.
    trusted: usize,
    is_measured: bool,
    /// Whether the last reading was beyond [`MOST_CORRECTION`].
    is_suspect: bool,
}

impl CostModel {
    /// Where the estimate of this key is kept.
    pub(super) fn slot(&mut self, key: CostKey) -> usize {
        if let Some(found) = self.known.iter().position(|known| known.key == key) {
            return found;
        }
        self.known.push(Cost {
            key,
            nanos: UNKNOWN,
            trusted: 1,
            is_measured: false,
            is_suspect: false,
        });
        self.known.len() - 1
    }

    /// Nanoseconds that an entity is estimated to cost.
    pub(super) fn nanos(&self, slot: usize) -> f64 {
        self.known[slot].nanos
    }

    /// How many entities may be processed without reading the clock.
    pub(super) fn trusted(&self, slot: usize) -> usize {
        self.known[slot].trusted
    }

    /// Whether the estimate is more than a guess.
    pub(super) fn is_measured(&self, slot: usize) -> bool {
        self.known[slot].is_measured
    }

    /// Learns that so many entities of these slots took so many nanoseconds together.
    pub(super) fn learn(&mut self, work: &[(usize, usize)], measured: f64) {
        let estimated: f64 = (work.iter())
            .map(|(slot, count)| self.known[*slot].nanos * *count as f64)
            .sum();
        for (slot, count) in work {
            let cost = &mut self.known[*slot];
            cost.correct(measured / estimated);
            cost.trusted = cost.trusted.max(count.saturating_mul(TRUST));
        }
    }

    /// Nanoseconds that an entity of this key is estimated to cost.
    #[cfg(test)]
    pub(super) fn of(&mut self, key: CostKey) -> f64 {
        let slot = self.slot(key);
        self.known[slot].nanos
    }
}

impl Cost {
    /// Corrects the estimate by the ratio of what was measured to what was estimated. The first measurement is taken
    /// whole.
    fn correct(&mut self, ratio: f64) {
        let is_suspect = self.is_measured && ratio > MOST_CORRECTION;
        let factor = if !self.is_measured || is_suspect && self.is_suspect {
            ratio
        } else {
            1.0 + GAIN * (ratio.min(MOST_CORRECTION) - 1.0)
        };
        self.nanos = (self.nanos * factor).max(LEAST);
        self.is_measured = true;
        self.is_suspect = is_suspect;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree;

    fn slot(costs: &mut CostModel) -> usize {
        costs.slot(CostKey::of::<Tree>())
    }

    #[test]
    fn the_first_measurement_is_taken_whole() {
        for measured in [70.0, 3_000.0, 5_000_000.0] {
            let mut costs = CostModel::default();
            let tree = slot(&mut costs);
            costs.learn(&[(tree, 1)], measured);
            assert!((costs.nanos(tree) - measured).abs() < 1e-6 * measured);
        }
    }

    #[test]
    fn one_interruption_does_not_ruin_an_estimate_and_two_are_believed() {
        let mut costs = CostModel::default();
        let tree = slot(&mut costs);
        costs.learn(&[(tree, 100)], 10_000.0);
        costs.learn(&[(tree, 100)], 30_000_000.0);
        assert!(costs.nanos(tree) < 200.0);
        costs.learn(&[(tree, 100)], 30_000_000.0);
        assert!((costs.nanos(tree) - 300_000.0).abs() < 1.0);
    }

    #[test]
    fn more_entities_are_trusted_as_more_were_measured() {
        let mut costs = CostModel::default();
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
        let mut costs = CostModel::default();
        let tree = slot(&mut costs);
        for _ in 0..50 {
            costs.learn(&[(tree, 100)], 0.0);
        }
        assert_eq!(costs.nanos(tree), LEAST);
    }
}
