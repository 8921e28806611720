//! A set of integers as a list of intervals: the members in one row.

use smallvec::SmallVec;

use super::interval::Interval;

/// Sorted intervals with at least one absent integer between any two.
///
/// One viewer makes one interval in a row, two that overlap make one or two. So most lists stay in the inline
/// storage.
#[derive(Clone, Debug, Default)]
pub(crate) struct IntervalList {
    intervals: SmallVec<[Interval; 2]>,
}

impl IntervalList {
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    pub(crate) fn contains(&self, x: i32) -> bool {
        self.intervals.iter().any(|interval| interval.contains(x))
    }

    pub(crate) fn as_slice(&self) -> &[Interval] {
        &self.intervals
    }

    /// Adds up to `limit` integers of `new` that were absent, lowest first, gives them to `added` as
    /// intervals, and returns how many there were.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        new: Interval,
        limit: u64,
        mut added: impl FnMut(Interval),
    ) -> u64 {
        // Most rows have one interval, and a viewer that moves extends it at one end or both.
        if let [own] = self.intervals.as_mut_slice() {
            let (low, high) = (i64::from(own.low), i64::from(own.high));
            let (new_low, new_high) = (i64::from(new.low), i64::from(new.high));
            let is_touching = new_low <= high + 1 && low <= new_high + 1;
            let below = (low - new_low).max(0) as u64;
            let above = (new_high - high).max(0) as u64;
            if is_touching && below + above <= limit {
                let before = core::mem::replace(own, own.hull(new));
                if below > 0 {
                    let high = before.low - 1;
                    added(Interval { high, ..new });
                }
                if above > 0 {
                    let low = before.high + 1;
                    added(Interval { low, ..new });
                }
                return below + above;
            }
        }
        self.insert_anywhere(new, limit, added)
    }

    fn insert_anywhere(
        &mut self,
        new: Interval,
        limit: u64,
        mut added: impl FnMut(Interval),
    ) -> u64 {
        let begin = self
            .intervals
            .iter()
            .position(|own| i64::from(own.high) + 1 >= i64::from(new.low))
            .unwrap_or(self.intervals.len());
        let mut end = begin;
        let mut merged = new;
        // The first integer of `new` not yet known to be a member.
        let mut next = i64::from(new.low);
        let mut inserted = 0;
        loop {
            let own = self.intervals.get(end).copied();
            let own = own.filter(|own| i64::from(own.low) <= i64::from(new.high) + 1);
            let gap_end = own.map_or(i64::from(new.high), |own| i64::from(own.low) - 1);
            if let Some(gap) = Interval::new(next, gap_end.min(i64::from(new.high))) {
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
            let Some(own) = own else { break };
            merged.low = merged.low.min(own.low);
            merged.high = merged.high.max(own.high);
            next = i64::from(own.high) + 1;
            end += 1;
        }
        if inserted > 0 {
            if begin == end {
                self.intervals.insert(begin, merged);
            } else {
                // Intervals behind the limit keep their ends.
                merged.high = merged.high.max(self.intervals[end - 1].high);
                self.intervals[begin] = merged;
                self.intervals.drain(begin + 1..end);
            }
        }
        inserted
    }

    /// Removes up to `limit` integers of `old` that were present, lowest first, gives them to `removed` as
    /// intervals, and returns how many there were.
    #[inline]
    pub(crate) fn remove(
        &mut self,
        old: Interval,
        limit: u64,
        mut removed: impl FnMut(Interval),
    ) -> u64 {
        // As in `insert`, most rows have one interval, which becomes shorter at one end.
        if let [own] = self.intervals.as_mut_slice() {
            if own.low == old.low && old.high < own.high {
                let part = old.first(limit);
                own.low = part.high + 1;
                removed(part);
                return part.count();
            }
            if own.high == old.high && own.low < old.low && old.count() <= limit {
                own.high = old.low - 1;
                removed(old);
                return old.count();
            }
        }
        self.remove_anywhere(old, limit, removed)
    }

    fn remove_anywhere(
        &mut self,
        old: Interval,
        limit: u64,
        mut removed: impl FnMut(Interval),
    ) -> u64 {
        let mut taken = 0;
        let mut index = self
            .intervals
            .iter()
            .position(|own| own.high >= old.low)
            .unwrap_or(self.intervals.len());
        while taken < limit {
            let Some(own) = self.intervals.get(index).copied() else {
                break;
            };
            let Some(overlap) = own.intersection(old) else {
                break;
            };
            let part = overlap.first(limit - taken);
            taken += part.count();
            removed(part);
            let before = Interval::new(i64::from(own.low), i64::from(part.low) - 1);
            let after = Interval::new(i64::from(part.high) + 1, i64::from(own.high));
            match (before, after) {
                (None, None) => {
                    self.intervals.remove(index);
                }
                (Some(rest), None) | (None, Some(rest)) => {
                    self.intervals[index] = rest;
                    index += 1;
                }
                (Some(before), Some(after)) => {
                    self.intervals[index] = before;
                    self.intervals.insert(index + 1, after);
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

    fn integers(intervals: &[Interval]) -> Vec<i32> {
        intervals
            .iter()
            .flat_map(|own| own.low..=own.high)
            .collect()
    }

    proptest! {
        #[test]
        fn a_row_is_a_set_of_integers(
            edits in prop::collection::vec((any::<bool>(), -20..20_i32, 0..12_i32, 1..15_u64), 1..60),
        ) {
            let mut row = IntervalList::default();
            let mut model = BTreeSet::new();
            for (insert, low, more, limit) in edits {
                let edited = Interval { low, high: low + more };
                let affected = (edited.low..=edited.high).filter(|x| model.contains(x) != insert);
                let expected: Vec<i32> = affected.take(limit as usize).collect();
                let mut seen = Vec::new();
                let count = if insert {
                    model.extend(&expected);
                    row.insert(edited, limit, |part| seen.push(part))
                } else {
                    model.retain(|x| !expected.contains(x));
                    row.remove(edited, limit, |part| seen.push(part))
                };
                prop_assert_eq!(count, expected.len() as u64);
                prop_assert_eq!(integers(&seen), expected);
                prop_assert_eq!(integers(row.as_slice()), Vec::from_iter(model.iter().copied()));
                // The intervals are sorted, and no two could be one.
                prop_assert!(row.as_slice().windows(2).all(|pair| pair[0].high + 1 < pair[1].low));
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_are_integers_like_any_other() {
        let all = Interval::ALL;
        let mut row = IntervalList::default();
        assert_eq!(row.insert(all, u64::MAX, |_| ()), 1 << 32);
        assert_eq!(row.insert(all, u64::MAX, |_| ()), 0);
        assert!(row.contains(i32::MIN) && row.contains(i32::MAX));
        let (low, high) = (Interval::single(i32::MIN), Interval::single(i32::MAX));
        assert_eq!(row.remove(low, u64::MAX, |_| ()), 1);
        assert_eq!(row.remove(high, u64::MAX, |_| ()), 1);
        assert_eq!(row.insert(high, u64::MAX, |_| ()), 1);
        assert_eq!(row.remove(all, u64::MAX, |_| ()), (1 << 32) - 1);
        assert!(row.is_empty());
    }
}
