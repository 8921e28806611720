//! The work of removing chunks outside every unload footprint from the set.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use super::sorted_changes::SortedChanges;
use super::viewer_tree::ViewerTree;
use crate::rows::{
    Cursor, Interval, IntervalList, Layer, PlacedFootprint, RowSet, Visit, page_rows, spend,
};

/// Where there may be members outside every unload footprint.
///
/// Each viewer that moves or vanishes leaves an unload footprint behind, whose rows are compared with those of
/// the viewers at that time. When footprints come faster than the budget allows to walk them, one sweep over all
/// members replaces all of them, so that the work stays bounded.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaving {
    departures: VecDeque<Departure>,
    sweep: Option<Sweep>,
    /// Whether another sweep must follow the current one.
    sweep_again: bool,
    // The next two are kept for their memory.
    kept: Vec<PlacedFootprint>,
    layers: Vec<Layer>,
}

/// An unload footprint that a viewer left behind, and the walk over it.
#[derive(Clone, Debug)]
struct Departure {
    from: PlacedFootprint,
    cursor: Cursor,
}

/// A walk over all members: the page and the row (value of z) to go on with.
#[derive(Clone, Copy, Debug)]
struct Sweep {
    page: (i32, i32),
    row: i32,
}

impl Sweep {
    const START: Self = Self {
        page: (i32::MIN, i32::MIN),
        row: i32::MIN,
    };
}

/// This many of the kept footprints, the nearest, come first. In a crowd they cover nearly all of what one viewer
/// left, so that few rows are compared with all of the others.
const NEAREST: usize = 4;

impl Leaving {
    pub(super) fn is_pending(&self) -> bool {
        self.sweep.is_some() || !self.departures.is_empty()
    }

    /// Notes that a viewer left an unload footprint behind.
    pub(super) fn depart(&mut self, from: PlacedFootprint, viewers: usize, rows: &RowSet) {
        if rows.len() == 0 {
            return;
        }
        let is_short = from.max_rows() <= rows.rows().max(64) * 4;
        if self.departures.len() < 2 * viewers + 8 && is_short {
            let cursor = Cursor::START;
            self.departures.push_back(Departure { from, cursor });
            return;
        }
        self.departures.clear();
        if self.sweep.is_some() {
            self.sweep_again = true;
        } else {
            self.sweep = Some(Sweep::START);
        }
    }

    /// Goes on with the work and adds the chunks that left to `left`. Uses up `credits`, or does all there is.
    pub(super) fn advance(
        &mut self,
        rows: &mut RowSet,
        tree: &mut ViewerTree,
        left: &mut SortedChanges<true>,
        credits: &mut u64,
    ) {
        let mut removal = Removal {
            from: None,
            layer: None,
            kept: &mut self.kept,
            layers: &mut self.layers,
            rows,
            tree,
            left,
            credits,
        };
        while *removal.credits > 0 {
            if let Some(departure) = self.departures.front_mut() {
                if removal.follow(departure) {
                    self.departures.pop_front();
                }
            } else if let Some(sweep) = &mut self.sweep {
                if removal.sweep(sweep) {
                    let again = core::mem::take(&mut self.sweep_again);
                    self.sweep = again.then_some(Sweep::START);
                }
            } else {
                return;
            }
        }
    }
}

/// Removes the rows of a walk from the set, except what viewers keep.
struct Removal<'a> {
    /// The footprint that is walked, or `None` in a sweep.
    from: Option<PlacedFootprint>,
    /// Its current layer.
    layer: Option<Layer>,
    /// The unload footprints that may share chunks with what is walked.
    kept: &'a mut Vec<PlacedFootprint>,
    /// Their parts in the current layer.
    layers: &'a mut Vec<Layer>,
    rows: &'a mut RowSet,
    tree: &'a mut ViewerTree,
    left: &'a mut SortedChanges<true>,
    credits: &'a mut u64,
}

impl Removal<'_> {
    /// Goes on with a departure; returns whether it is done.
    fn follow(&mut self, departure: &mut Departure) -> bool {
        let from = departure.from;
        self.from = Some(from);
        self.kept.clear();
        self.tree.focus(Some(&from));
        self.tree.meeting(&from.bounds(), self.kept);
        if self.kept.len() > 2 * NEAREST {
            (self.kept)
                .select_nth_unstable_by_key(NEAREST, |kept| kept.centre.distance_sq(from.centre));
        }
        departure.cursor.walk(from.y_interval(), self)
    }

    /// Goes on with a sweep; returns whether it is done.
    fn sweep(&mut self, sweep: &mut Sweep) -> bool {
        (self.from, self.layer) = (None, None);
        self.tree.focus(None);
        while let Some(page) = self.rows.page_from(sweep.page) {
            if *self.credits == 0 {
                return false;
            }
            *self.credits -= 1;
            let (y, number) = page;
            let mut rows = page_rows(number);
            self.kept.clear();
            let bounds = [Interval::ALL, Interval::single(y), rows];
            self.tree.meeting(&bounds, self.kept);
            self.enter_layer(y);
            if page == sweep.page {
                rows.low = rows.low.max(sweep.row);
            }
            *sweep = match self.rows(y, number, rows) {
                Some(row) => Sweep { page, row },
                None => Sweep {
                    page: (y, number + 1),
                    ..Sweep::START
                },
            };
        }
        true
    }

    fn enter_layer(&mut self, y: i32) {
        self.layers.clear();
        let layers = self.kept.iter().filter_map(|kept| kept.layer(y));
        self.layers.extend(layers);
    }
}

impl Visit for Removal<'_> {
    fn layer(&mut self, y: i32) -> Option<Interval> {
        self.layer = self.from?.layer(y);
        self.enter_layer(y);
        self.layer.as_ref().map(Layer::z_interval)
    }

    fn rows(&mut self, y: i32, number: i32, rows: Interval) -> Option<i32> {
        let Self {
            layer,
            layers,
            tree,
            left,
            credits,
            ..
        } = self;
        if **credits == 0 {
            return Some(rows.low);
        }
        let stopped = self.rows.remove_from((y, number), |page| {
            spend(rows, credits, |z, limit| {
                if page.row(z).is_empty() {
                    return None;
                }
                let mut count = 0;
                let mut remove = |interval| {
                    if count < limit {
                        let removed = |part| left.push(y, z, part, tree);
                        count += page.remove(z, interval, limit - count, removed);
                    }
                };
                match (&*layer, layers.as_slice()) {
                    (Some(from), [] | [_]) => {
                        let parts = from.x_interval_minus(z, layers.first());
                        parts.into_iter().flatten().for_each(remove);
                    }
                    _ => {
                        let interval = layer.map_or(Some(Interval::ALL), |from| from.x_interval(z));
                        for part in outside(interval, z, layers).as_slice() {
                            remove(*part);
                        }
                    }
                }
                Some(count)
            })
        });
        stopped.unwrap_or_else(|| {
            // There are no members in the page.
            *self.credits -= 1;
            None
        })
    }
}

/// The part of an interval in row `z` that is in none of `layers`.
fn outside(interval: Option<Interval>, z: i32, layers: &[Layer]) -> IntervalList {
    let mut parts = IntervalList::default();
    if let Some(interval) = interval {
        parts.insert(interval, u64::MAX, |_| ());
    }
    for kept in layers.iter().filter_map(|layer| layer.x_interval(z)) {
        if parts.is_empty() {
            break;
        }
        parts.remove(kept, u64::MAX, |_| ());
    }
    parts
}
