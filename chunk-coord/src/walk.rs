//! A walk over the rows of a footprint that stops when the credits are used up, and goes on there later.

use crate::members::{page_of, page_span};
use crate::span::Span;

/// Where a walk goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    y: i64,
    z: i64,
}

/// What a walk does on its way.
pub(crate) trait Visit {
    /// Comes to layer `y`; returns its rows (values of z), or `None` to pass it by.
    fn layer(&mut self, y: i32) -> Option<Span>;

    /// Comes to rows of the layer that share the page of this number; returns the row to go on with when
    /// the credits did not suffice.
    fn rows(&mut self, y: i32, page: i32, rows: Span) -> Option<i32>;
}

impl Cursor {
    pub(crate) const START: Self = Self {
        y: i64::MIN,
        z: i64::MIN,
    };

    /// At row `z` of layer `y`.
    pub(crate) fn at(y: i32, z: i32) -> Self {
        Self {
            y: y.into(),
            z: z.into(),
        }
    }

    /// Goes on over `layers`, lowest first, rows before layers; returns whether the end was reached.
    pub(crate) fn walk(&mut self, layers: Span, visit: &mut impl Visit) -> bool {
        let first = self.y.max(i64::from(layers.low)) as i32;
        for y in first..=layers.high {
            if let Some(rows) = visit.layer(y) {
                let mut begin = self.z.max(i64::from(rows.low));
                while begin <= i64::from(rows.high) {
                    let page = page_of(begin as i32);
                    let rows = Span {
                        low: begin as i32,
                        high: rows.high.min(page_span(page).high),
                    };
                    if let Some(z) = visit.rows(y, page, rows) {
                        *self = Self::at(y, z);
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Writes down every row, and stops at each the first time it comes there.
    #[derive(Default)]
    struct Stubborn {
        seen: Vec<(i32, i32)>,
        stopped_at: Option<(i32, i32)>,
    }

    impl Visit for Stubborn {
        fn layer(&mut self, y: i32) -> Option<Span> {
            (y != 1).then_some(Span { low: -33, high: 32 })
        }

        fn rows(&mut self, y: i32, page: i32, rows: Span) -> Option<i32> {
            assert!(page_span(page).intersection(rows) == Some(rows), "one page");
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
        let mut visit = Stubborn::default();
        let mut calls = 1;
        while !cursor.walk(Span { low: 0, high: 2 }, &mut visit) {
            calls += 1;
        }
        let rows = |y| (-33..=32).map(move |z| (y, z));
        assert_eq!(visit.seen, Vec::from_iter(rows(0).chain(rows(2))));
        assert_eq!(calls, 2 * 66 + 1);
    }

    #[test]
    fn a_walk_reaches_both_ends_of_the_range() {
        struct Ends(Vec<(i32, Span)>);
        impl Visit for Ends {
            fn layer(&mut self, y: i32) -> Option<Span> {
                let (low, high) = (i32::MIN, i32::MIN + 1);
                Some(if y == i32::MAX {
                    Span {
                        low: i32::MAX,
                        high: i32::MAX,
                    }
                } else {
                    Span { low, high }
                })
            }
            fn rows(&mut self, y: i32, _page: i32, rows: Span) -> Option<i32> {
                self.0.push((y, rows));
                None
            }
        }
        let mut visit = Ends(Vec::new());
        let layers = Span {
            low: i32::MAX - 1,
            high: i32::MAX,
        };
        let mut cursor = Cursor::START;
        assert!(cursor.walk(layers, &mut visit));
        assert_eq!(visit.0.len(), 2);
    }
}
