//! The members of one row, as runs.

use smallvec::SmallVec;

use crate::span::Span;

/// Sorted runs with at least one absent integer between any two.
///
/// One viewer leaves one run in a row, two that overlap leave one or two: the runs rarely leave the
/// inline storage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runs {
    runs: SmallVec<[Span; 2]>,
}

impl Runs {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn contains(&self, x: i32) -> bool {
        // Rows have one or two runs; a search by halves would cost more than it saves.
        self.runs.iter().any(|run| run.low <= x && x <= run.high)
    }

    pub(crate) fn as_slice(&self) -> &[Span] {
        &self.runs
    }

    /// Adds up to `limit` integers of `span` that were absent, lowest first, gives them to `added` as
    /// runs, and returns how many there were.
    #[inline]
    pub(crate) fn insert(&mut self, span: Span, limit: u64, mut added: impl FnMut(Span)) -> u64 {
        // Most rows have one run, and a viewer that moves extends it at one end or both.
        if let [run] = self.runs.as_mut_slice() {
            let (low, high) = (i64::from(run.low), i64::from(run.high));
            let (span_low, span_high) = (i64::from(span.low), i64::from(span.high));
            let is_touching = span_low <= high + 1 && low <= span_high + 1;
            let below = (low - span_low).max(0) as u64;
            let above = (span_high - high).max(0) as u64;
            if is_touching && below + above <= limit {
                let Span { low, high } = *run;
                if below > 0 {
                    run.low = span.low;
                    let high = low - 1;
                    added(Span { high, ..span });
                }
                if above > 0 {
                    run.high = span.high;
                    let low = high + 1;
                    added(Span { low, ..span });
                }
                return below + above;
            }
        }
        self.insert_anywhere(span, limit, added)
    }

    fn insert_anywhere(&mut self, span: Span, limit: u64, mut added: impl FnMut(Span)) -> u64 {
        let begin = self
            .runs
            .iter()
            .position(|run| i64::from(run.high) + 1 >= i64::from(span.low))
            .unwrap_or(self.runs.len());
        let mut end = begin;
        let mut merged = span;
        // The first integer of `span` not yet known to be a member.
        let mut next = i64::from(span.low);
        let mut inserted = 0;
        loop {
            let run = self.runs.get(end).copied();
            let run = run.filter(|run| i64::from(run.low) <= i64::from(span.high) + 1);
            let gap_end = run.map_or(i64::from(span.high), |run| i64::from(run.low) - 1);
            if let Some(gap) = Span::new(next, gap_end.min(i64::from(span.high))) {
                if inserted == limit {
                    merged.high = (next - 1) as i32;
                    break;
                }
                let part = gap.first(limit - inserted);
                added(part);
                inserted += part.count();
                if part != gap {
                    merged.high = part.high;
                    break;
                }
            }
            let Some(run) = run else { break };
            merged.low = merged.low.min(run.low);
            merged.high = merged.high.max(run.high);
            next = i64::from(run.high) + 1;
            end += 1;
        }
        if inserted > 0 {
            if begin == end {
                self.runs.insert(begin, merged);
            } else {
                // Runs behind a cut still end where they ended.
                merged.high = merged.high.max(self.runs[end - 1].high);
                self.runs[begin] = merged;
                self.runs.drain(begin + 1..end);
            }
        }
        inserted
    }

    /// Removes up to `limit` integers of `span` that were present, lowest first, gives them to `removed`
    /// as runs, and returns how many there were.
    #[inline]
    pub(crate) fn remove(&mut self, span: Span, limit: u64, mut removed: impl FnMut(Span)) -> u64 {
        // The counterpart of the short cuts in `insert`.
        if let [run] = self.runs.as_mut_slice() {
            if run.low == span.low && span.high < run.high {
                let part = span.first(limit);
                run.low = part.high + 1;
                removed(part);
                return part.count();
            }
            if run.high == span.high && run.low < span.low && span.count() <= limit {
                run.high = span.low - 1;
                removed(span);
                return span.count();
            }
        }
        self.remove_anywhere(span, limit, removed)
    }

    fn remove_anywhere(&mut self, span: Span, limit: u64, mut removed: impl FnMut(Span)) -> u64 {
        let mut taken = 0;
        let mut index = self
            .runs
            .iter()
            .position(|run| run.high >= span.low)
            .unwrap_or(self.runs.len());
        while taken < limit {
            let Some(run) = self.runs.get(index).copied() else {
                break;
            };
            let Some(overlap) = run.intersection(span) else {
                break;
            };
            let part = overlap.first(limit - taken);
            taken += part.count();
            removed(part);
            let before = Span::new(i64::from(run.low), i64::from(part.low) - 1);
            let after = Span::new(i64::from(part.high) + 1, i64::from(run.high));
            match (before, after) {
                (None, None) => {
                    self.runs.remove(index);
                }
                (Some(rest), None) | (None, Some(rest)) => {
                    self.runs[index] = rest;
                    index += 1;
                }
                (Some(before), Some(after)) => {
                    self.runs[index] = before;
                    self.runs.insert(index + 1, after);
                    index += 2;
                }
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn integers(runs: &[Span]) -> Vec<i32> {
        runs.iter().flat_map(|run| run.low..=run.high).collect()
    }

    proptest! {
        #[test]
        fn a_row_is_a_set_of_integers(
            edits in prop::collection::vec((any::<bool>(), -20..20_i32, 0..12_i32, 1..15_u64), 1..60),
        ) {
            let mut row = Runs::default();
            let mut model = BTreeSet::new();
            for (insert, low, more, limit) in edits {
                let span = Span { low, high: low + more };
                let affected = (span.low..=span.high).filter(|x| model.contains(x) != insert);
                let expected: Vec<i32> = affected.take(limit as usize).collect();
                let mut seen = Vec::new();
                let count = if insert {
                    model.extend(&expected);
                    row.insert(span, limit, |run| seen.push(run))
                } else {
                    model.retain(|x| !expected.contains(x));
                    row.remove(span, limit, |run| seen.push(run))
                };
                prop_assert_eq!(count, expected.len() as u64);
                prop_assert_eq!(integers(&seen), expected);
                prop_assert_eq!(integers(row.as_slice()), Vec::from_iter(model.iter().copied()));
                // The runs are sorted, and no two could be one.
                prop_assert!(row.as_slice().windows(2).all(|pair| pair[0].high + 1 < pair[1].low));
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_are_integers_like_any_other() {
        let all = Span {
            low: i32::MIN,
            high: i32::MAX,
        };
        let mut row = Runs::default();
        assert_eq!(row.insert(all, u64::MAX, |_| ()), 1 << 32);
        assert_eq!(row.insert(all, u64::MAX, |_| ()), 0);
        assert!(row.contains(i32::MIN) && row.contains(i32::MAX));
        let low = Span {
            low: i32::MIN,
            high: i32::MIN,
        };
        let high = Span {
            low: i32::MAX,
            high: i32::MAX,
        };
        assert_eq!(row.remove(low, u64::MAX, |_| ()), 1);
        assert_eq!(row.remove(high, u64::MAX, |_| ()), 1);
        assert_eq!(row.insert(high, u64::MAX, |_| ()), 1);
        assert_eq!(row.remove(all, u64::MAX, |_| ()), (1 << 32) - 1);
        assert!(row.is_empty());
    }
}
