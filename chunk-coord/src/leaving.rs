//! The work of taking out of the set what no viewer keeps.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use smallvec::{SmallVec, smallvec};

use crate::ChunkCoord;
use crate::entering::Cursor;
use crate::footprint::{Layer, Placed};
use crate::members::{Members, PAGE_ROWS, page_of};
use crate::range::Viewer;
use crate::span::Span;

/// What may hold members outside every unload footprint.
///
/// Each viewer that moves or vanishes leaves an unload footprint behind, whose rows are checked against
/// the viewers of the time of the check. When footprints come faster than the budget lets them be
/// walked, one sweep over all members takes the place of all of them: the work never grows beyond that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaving {
    departures: VecDeque<Departure>,
    sweep: Option<Sweep>,
    /// Whether another sweep must follow the one under way.
    again: bool,
    near: Vec<Placed>,
    layers: Vec<Layer>,
}

/// An unload footprint that a viewer left.
#[derive(Clone, Debug)]
struct Departure {
    from: Placed,
    cursor: Cursor,
}

/// A walk over all members.
#[derive(Clone, Copy, Debug, Default)]
struct Sweep {
    slot: usize,
    /// The row of the page in `slot`.
    row: usize,
}

impl Leaving {
    pub(crate) fn is_pending(&self) -> bool {
        self.sweep.is_some() || !self.departures.is_empty()
    }

    /// Takes note that a viewer's unload footprint is no longer where it was.
    pub(crate) fn depart(&mut self, from: Placed, viewers: usize, members: &Members) {
        if members.len() == 0 {
            return;
        }
        let all_rows = (members.slots() * PAGE_ROWS) as u64;
        if self.departures.len() < 2 * viewers + 8 && from.rows_at_most() <= all_rows.max(64) * 4 {
            self.departures.push_back(Departure {
                from,
                cursor: Cursor::START,
            });
            return;
        }
        self.departures.clear();
        if self.sweep.is_some() {
            self.again = true;
        } else {
            self.sweep = Some(Sweep::default());
        }
    }

    /// Goes on with the work and appends what left to `left`. Uses up `credits`, or does all there is.
    pub(crate) fn advance(
        &mut self,
        viewers: &[Viewer],
        members: &mut Members,
        left: &mut Vec<ChunkCoord>,
        credits: &mut u64,
    ) {
        while *credits > 0 {
            if let Some(mut departure) = self.departures.pop_front() {
                if !self.advance_departure(&mut departure, viewers, members, left, credits) {
                    self.departures.push_front(departure);
                }
            } else if let Some(mut sweep) = self.sweep.take() {
                if !self.advance_sweep(&mut sweep, viewers, members, left, credits) {
                    self.sweep = Some(sweep);
                } else if core::mem::take(&mut self.again) {
                    self.sweep = Some(Sweep::default());
                }
            } else {
                return;
            }
        }
    }

    fn advance_departure(
        &mut self,
        departure: &mut Departure,
        viewers: &[Viewer],
        members: &mut Members,
        left: &mut Vec<ChunkCoord>,
        credits: &mut u64,
    ) -> bool {
        let Departure { from, cursor } = departure;
        self.near.clear();
        let kept = viewers.iter().map(unload_footprint);
        self.near
            .extend(kept.filter(|placed| placed.may_touch(from)));
        let layers = from.layers();
        let first = cursor.y.max(i64::from(layers.low)) as i32;
        for y in first..=layers.high {
            if let Some(layer) = from.layer(y) {
                self.layers.clear();
                self.layers
                    .extend(self.near.iter().filter_map(|placed| placed.layer(y)));
                let rows = layer.rows();
                let mut begin = cursor.z.max(i64::from(rows.low));
                while begin <= i64::from(rows.high) {
                    if *credits == 0 {
                        *cursor = Cursor {
                            y: i64::from(y),
                            z: begin,
                        };
                        return false;
                    }
                    let page = page_of(begin as i32);
                    let end = i64::from(rows.high).min(i64::from(page) * 32 + 31);
                    let Some(slot) = members.find(y, page) else {
                        *credits -= 1;
                        begin = end + 1;
                        continue;
                    };
                    let rows = Span {
                        low: begin as i32,
                        high: end as i32,
                    };
                    let from = Some(&layer);
                    let stopped =
                        leave_rows(slot, rows, from, &self.layers, members, left, credits);
                    begin = stopped.map_or(end + 1, i64::from);
                }
            }
            cursor.z = i64::MIN;
        }
        true
    }

    fn advance_sweep(
        &mut self,
        sweep: &mut Sweep,
        viewers: &[Viewer],
        members: &mut Members,
        left: &mut Vec<ChunkCoord>,
        credits: &mut u64,
    ) -> bool {
        while sweep.slot < members.slots() {
            if *credits == 0 {
                return false;
            }
            *credits -= 1;
            let page = members.page(sweep.slot);
            let (y, rows) = (page.y, page.rows());
            self.layers.clear();
            let kept = viewers.iter().map(unload_footprint);
            self.layers.extend(
                kept.filter_map(|placed| placed.layer(y))
                    .filter(|layer| layer.rows().intersection(rows).is_some()),
            );
            let rest = Span {
                low: rows.low + sweep.row as i32,
                high: rows.high,
            };
            match leave_rows(sweep.slot, rest, None, &self.layers, members, left, credits) {
                Some(z) => sweep.row = z.abs_diff(rows.low) as usize,
                None => {
                    sweep.slot += 1;
                    sweep.row = 0;
                }
            }
        }
        true
    }
}

fn unload_footprint(viewer: &Viewer) -> Placed {
    Placed::new(viewer.coord, viewer.range.unload())
}

/// Removes what lies in the rows of `from`, or of the whole page, and in none of the `kept` layers; returns
/// the row to go on with when the credits did not suffice.
fn leave_rows(
    slot: usize,
    rows: Span,
    from: Option<&Layer>,
    kept: &[Layer],
    members: &mut Members,
    left: &mut Vec<ChunkCoord>,
    credits: &mut u64,
) -> Option<i32> {
    let page = members.page(slot);
    let y = page.y;
    let mut total = 0;
    let mut stopped = None;
    for z in rows.low..=rows.high {
        if !page.has_members_in(z) {
            continue;
        }
        if *credits == 0 {
            stopped = Some(z);
            break;
        }
        let mut count = 0;
        let take = |span| {
            let limit = *credits - count;
            if limit > 0 {
                count += page.remove(z, span, limit, |run| {
                    run.each(|x| left.push(ChunkCoord::new(x, y, z)));
                });
            }
        };
        match (from, kept) {
            (Some(from), [] | [_]) => {
                from.row_minus(z, kept.first())
                    .into_iter()
                    .flatten()
                    .for_each(take);
            }
            _ => {
                let span = from.map_or(Some(EVERY), |from| from.row(z));
                let parts = span.map(|span| outside(span, z, kept));
                parts.into_iter().flatten().for_each(take);
            }
        }
        total += count;
        *credits -= count.max(1);
        if *credits == 0 && count > 0 {
            // The row may hold more. If not, looking again finds nothing and moves on.
            stopped = Some(z);
            break;
        }
    }
    members.removed(slot, total);
    stopped
}

/// A row without end.
const EVERY: Span = Span {
    low: i32::MIN,
    high: i32::MAX,
};

/// The parts of a run in row `z` that lie in none of the `kept` layers.
fn outside(span: Span, z: i32, kept: &[Layer]) -> SmallVec<[Span; 8]> {
    let mut parts: SmallVec<[Span; 8]> = smallvec![span];
    for row in kept.iter().filter_map(|layer| layer.row(z)) {
        if parts.is_empty() {
            break;
        }
        if parts.iter().any(|part| part.intersection(row).is_some()) {
            parts = parts
                .iter()
                .flat_map(|part| part.minus(Some(row)).into_iter().flatten())
                .collect();
        }
    }
    parts
}
