//! Intervals of one row.

/// A run of integers, both ends included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) low: i32,
    pub(crate) high: i32,
}

/// A row without end.
pub(crate) const EVERYTHING: Span = Span {
    low: i32::MIN,
    high: i32::MAX,
};

impl Span {
    /// The run from `low` to `high`, or `None` where it would be empty.
    #[inline]
    pub(crate) fn new(low: i64, high: i64) -> Option<Self> {
        let low = low.max(i64::from(i32::MIN));
        let high = high.min(i64::from(i32::MAX));
        (low <= high).then_some(Self {
            low: low as i32,
            high: high as i32,
        })
    }

    /// The run that reaches `half` to either side of `centre`, clipped to the range of `i32`.
    #[inline]
    pub(crate) fn around(centre: i32, half: u32) -> Self {
        Self {
            low: centre.saturating_sub_unsigned(half),
            high: centre.saturating_add_unsigned(half),
        }
    }

    /// How many integers the run has: up to 2³².
    #[inline]
    pub(crate) fn count(self) -> u64 {
        u64::from(self.high.abs_diff(self.low)) + 1
    }

    /// Does something with each integer of the run, lowest first.
    ///
    /// Most runs a walk meets are one integer long. This costs them one comparison, where a range and
    /// an iterator over it cost several.
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

    /// The lowest `count` integers of the run, or all of it where it has no more.
    ///
    /// `count` is at least 1.
    #[inline]
    pub(crate) fn first(self, count: u64) -> Self {
        let high = match u32::try_from(count - 1) {
            Ok(more) => self.low.saturating_add_unsigned(more).min(self.high),
            Err(_) => self.high,
        };
        Self { high, ..self }
    }

    /// The shortest run that holds both.
    #[inline]
    pub(crate) fn hull(self, other: Self) -> Self {
        Self {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    /// What two runs share.
    #[inline]
    pub(crate) fn intersection(self, other: Self) -> Option<Self> {
        let low = self.low.max(other.low);
        let high = self.high.min(other.high);
        (low <= high).then_some(Self { low, high })
    }

    /// What is left of the run without `other`: a part below it and a part above it.
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

    fn spans() -> impl Strategy<Value = Span> {
        (-9..9_i32, 0..9_i32).prop_map(|(low, more)| Span {
            low,
            high: low + more,
        })
    }

    proptest! {
        #[test]
        fn intervals_are_sets_of_integers(one in spans(), other in spans(), count in 1..12_u64) {
            let all = |span: Span| { let mut all = Vec::new(); span.each(|x| all.push(x)); all };
            let is_in = |span: Span, x: i32| span.low <= x && x <= span.high;
            let rest: Vec<_> = one.minus(Some(other)).into_iter().flatten().flat_map(all).collect();
            let expected: Vec<_> = all(one).into_iter().filter(|&x| !is_in(other, x)).collect();
            prop_assert_eq!(rest, expected);
            let shared = one.intersection(other).map(all).unwrap_or_default();
            let expected: Vec<_> = all(one).into_iter().filter(|&x| is_in(other, x)).collect();
            prop_assert_eq!(shared, expected);
            prop_assert_eq!(one.count(), all(one).len() as u64);
            let first: Vec<_> = all(one).into_iter().take(count as usize).collect();
            prop_assert_eq!(all(one.first(count)), first);
        }
    }

    #[test]
    fn runs_are_clipped_to_the_ends_of_the_range() {
        let end = Span::around(i32::MAX, 2);
        assert_eq!(
            (end.low, end.high, end.count()),
            (i32::MAX - 2, i32::MAX, 3)
        );
        let all = Span::around(0, u32::MAX);
        assert_eq!(
            (all.low, all.high, all.count()),
            (i32::MIN, i32::MAX, 1 << 32)
        );
        assert_eq!(all.first(u64::MAX), all);
        assert_eq!(Span::new(i64::from(i32::MAX) + 1, i64::MAX), None);
    }
}
