//! Intervals of integers: the chunks of one row, the rows of one layer.

/// The integers from `low` to `high`, both included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) low: i32,
    pub(crate) high: i32,
}

impl Interval {
    /// Every integer.
    pub(crate) const ALL: Self = Self {
        low: i32::MIN,
        high: i32::MAX,
    };

    /// One integer.
    pub(crate) const fn single(integer: i32) -> Self {
        let (low, high) = (integer, integer);
        Self { low, high }
    }

    /// From `low` to `high`, clipped to the range of `i32`, or `None` where that is empty.
    #[inline]
    pub(crate) fn new(low: i64, high: i64) -> Option<Self> {
        let low = low.max(i64::from(i32::MIN));
        let high = high.min(i64::from(i32::MAX));
        (low <= high).then_some(Self {
            low: low as i32,
            high: high as i32,
        })
    }

    /// `half` to either side of `centre`, clipped to the range of `i32`.
    #[inline]
    pub(crate) fn around(centre: i32, half: u32) -> Self {
        Self {
            low: centre.saturating_sub_unsigned(half),
            high: centre.saturating_add_unsigned(half),
        }
    }

    /// The number of integers: up to 2³².
    #[inline]
    pub(crate) fn count(self) -> u64 {
        u64::from(self.high.abs_diff(self.low)) + 1
    }

    #[inline]
    pub(crate) fn contains(self, integer: i32) -> bool {
        self.low <= integer && integer <= self.high
    }

    /// Calls `act` with each integer, lowest first.
    ///
    /// Most intervals of a walk hold one integer. A loop over a range compares several times for it, this loop
    /// once.
    #[inline]
    pub(crate) fn each(self, mut act: impl FnMut(i32)) {
        let mut x = self.low;
        loop {
            act(x);
            if x == self.high {
                return;
            }
            x += 1;
        }
    }

    /// The lowest `count` integers, or all where there are no more. `count` is at least 1.
    #[inline]
    pub(crate) fn first(self, count: u64) -> Self {
        let high = match u32::try_from(count - 1) {
            Ok(more) => self.low.saturating_add_unsigned(more).min(self.high),
            Err(_) => self.high,
        };
        Self { high, ..self }
    }

    /// The shortest interval that contains both.
    #[inline]
    pub(crate) fn hull(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// The integers that are in both.
    #[inline]
    pub(crate) fn intersection(self, other: Self) -> Option<Self> {
        let low = self.low.max(other.low);
        let high = self.high.min(other.high);
        (low <= high).then_some(Self { low, high })
    }

    /// The integers that are not in `other`: those below it and those above it.
    #[inline]
    pub(crate) fn minus(self, other: Option<Self>) -> [Option<Self>; 2] {
        let Some(other) = other else {
            return [Some(self), None];
        };
        let below = (self.low < other.low).then(|| Self {
            low: self.low,
            high: self.high.min(other.low - 1),
        });
        let above = (self.high > other.high).then(|| Self {
            low: self.low.max(other.high + 1),
            high: self.high,
        });
        [below, above]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn intervals() -> impl Strategy<Value = Interval> {
        (-9..9_i32, 0..9_i32).prop_map(|(low, more)| Interval {
            low,
            high: low + more,
        })
    }

    proptest! {
        #[test]
        fn intervals_are_sets_of_integers(one in intervals(), other in intervals(), count in 1..12_u64) {
            let all = |interval: Interval| { let mut all = Vec::new(); interval.each(|x| all.push(x)); all };
            let (inside, outside): (Vec<_>, Vec<_>) = all(one).into_iter().partition(|x| other.contains(*x));
            let rest: Vec<_> = one.minus(Some(other)).into_iter().flatten().flat_map(all).collect();
            prop_assert_eq!(rest, outside);
            prop_assert_eq!(one.intersection(other).map(all).unwrap_or_default(), inside);
            prop_assert_eq!(one.count(), all(one).len() as u64);
            let first: Vec<_> = all(one).into_iter().take(count as usize).collect();
            prop_assert_eq!(all(one.first(count)), first);
        }
    }

    #[test]
    fn intervals_are_clipped_to_the_ends_of_the_range() {
        let end = Interval::around(i32::MAX, 2);
        assert_eq!(
            (end.low, end.high, end.count()),
            (i32::MAX - 2, i32::MAX, 3)
        );
        assert_eq!(Interval::around(0, u32::MAX), Interval::ALL);
        assert_eq!(Interval::ALL.count(), 1 << 32);
        assert_eq!(Interval::ALL.first(u64::MAX), Interval::ALL);
        assert_eq!(Interval::new(i64::from(i32::MAX) + 1, i64::MAX), None);
    }
}
