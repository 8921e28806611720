//! A walk over rows that stops when its credits are used up, and goes on from there later.

use super::interval::Interval;
use super::row_set::{page_of, page_rows};

/// The row at which a walk goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor {
    y: i64,
    z: i64,
}

/// What a walk calls.
pub(crate) trait Visit {
    /// The walk comes to layer `y`. Returns its rows (values of z), or `None` to skip the layer.
    fn layer(&mut self, y: i32) -> Option<Interval>;

    /// The walk comes to rows of the layer in the page of this number. Returns the row to go on with when the
    /// credits were used up.
    fn rows(&mut self, y: i32, page: i32, rows: Interval) -> Option<i32>;
}

impl Cursor {
    pub(crate) const START: Self = Self {
        y: i64::MIN,
        z: i64::MIN,
    };

    /// Goes on over `layers` in the order of coordinates; returns whether it reached the end.
    pub(crate) fn walk(&mut self, layers: Interval, visit: &mut impl Visit) -> bool {
        let first = self.y.max(i64::from(layers.low)) as i32;
        for y in first..=layers.high {
            if let Some(rows) = visit.layer(y) {
                let mut begin = self.z.max(i64::from(rows.low));
                while begin <= i64::from(rows.high) {
                    let page = page_of(begin as i32);
                    let rows = Interval {
                        low: begin as i32,
                        high: rows.high.min(page_rows(page).high),
                    };
                    if let Some(z) = visit.rows(y, page, rows) {
                        (self.y, self.z) = (y.into(), z.into());
                        return false;
                    }
                    begin = i64::from(rows.high) + 1;
                }
            }
            self.z = i64::MIN;
        }
        true
    }
}

/// Gives `rows` to `edit`, one by one, with the credits that are left. `edit` returns how many chunks it
/// changed, or `None` for a row that is free. Every other row costs a credit for each chunk, and at least one.
/// Returns the row to go on with when the credits were used up.
#[inline]
pub(crate) fn spend(
    rows: Interval,
    credits: &mut u64,
    mut edit: impl FnMut(i32, u64) -> Option<u64>,
) -> Option<i32> {
    let mut left = *credits;
    let mut stopped = None;
    for z in rows.low..=rows.high {
        if left == 0 {
            stopped = Some(z);
            break;
        }
        let Some(changed) = edit(z, left) else {
            continue;
        };
        left -= changed.max(1);
        if left == 0 && changed > 0 {
            // The row may hold more. If not, the next walk finds nothing in it and moves on.
            stopped = Some(z);
            break;
        }
    }
    *credits = left;
    stopped
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Notes every row, and stops at each when it first comes to it.
    #[derive(Default)]
    struct StopsOnce {
        seen: Vec<(i32, i32)>,
        stopped_at: Option<(i32, i32)>,
    }

    impl Visit for StopsOnce {
        fn layer(&mut self, y: i32) -> Option<Interval> {
            (y != 1).then_some(Interval { low: -33, high: 32 })
        }

        fn rows(&mut self, y: i32, page: i32, rows: Interval) -> Option<i32> {
            assert!(page_rows(page).intersection(rows) == Some(rows), "one page");
            for z in rows.low..=rows.high {
                if self.stopped_at != Some((y, z)) {
                    self.stopped_at = Some((y, z));
                    return Some(z);
                }
                self.seen.push((y, z));
            }
            None
        }
    }

    #[test]
    fn a_walk_that_stops_at_every_row_visits_each_once_and_in_order() {
        let mut cursor = Cursor::START;
        let mut visit = StopsOnce::default();
        let mut calls = 1;
        while !cursor.walk(Interval { low: 0, high: 2 }, &mut visit) {
            calls += 1;
        }
        let rows = |y| (-33..=32).map(move |z| (y, z));
        assert_eq!(visit.seen, Vec::from_iter(rows(0).chain(rows(2))));
        assert_eq!(calls, 2 * 66 + 1);
    }

    #[test]
    fn a_walk_reaches_both_ends_of_the_range() {
        struct Ends(Vec<(i32, Interval)>);
        impl Visit for Ends {
            fn layer(&mut self, y: i32) -> Option<Interval> {
                Some(if y == i32::MAX {
                    Interval::single(i32::MAX)
                } else {
                    Interval::single(i32::MIN)
                })
            }
            fn rows(&mut self, y: i32, _page: i32, rows: Interval) -> Option<i32> {
                self.0.push((y, rows));
                None
            }
        }
        let mut visit = Ends(Vec::new());
        let (low, high) = (i32::MAX - 1, i32::MAX);
        let mut cursor = Cursor::START;
        assert!(cursor.walk(Interval { low, high }, &mut visit));
        assert_eq!(visit.0.len(), 2);
    }
}
