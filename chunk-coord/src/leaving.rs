//! The work of taking out of the set what no viewer keeps.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use smallvec::{SmallVec, smallvec};

use crate::ChunkCoord;
use crate::crowd::Crowd;
use crate::found::Found;
use crate::members::{Members, PAGE_ROWS};
use crate::placed::{Layer, Placed};
use crate::span::{EVERYTHING, Span};
use crate::walk::{Cursor, Visit};

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
    kept: Vec<Placed>,
    layers: Vec<Layer>,
    rivals: Vec<ChunkCoord>,
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

/// This many of the kept footprints, the nearest, are put first: they cover most of what one that left
/// has left, so the others need rarely be looked at.
const FIRST: usize = 4;

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

    /// The only unload footprint left behind, where nothing of it was walked.
    pub(crate) fn lone_departure(&self) -> Option<Placed> {
        let departure = self.departures.front()?;
        let is_alone = self.departures.len() == 1 && self.sweep.is_none();
        (is_alone && departure.cursor == Cursor::START).then_some(departure.from)
    }

    /// Goes on with that at a row, or takes it as done.
    pub(crate) fn skip_to(&mut self, row: Option<(i32, i32)>) {
        match (row, self.departures.front_mut()) {
            (Some((y, z)), Some(departure)) => departure.cursor = Cursor::at(y, z),
            _ => self.departures.clear(),
        }
    }

    /// Goes on with the work and adds what left to `left`. Uses up `credits`, or does all there is.
    pub(crate) fn advance(
        &mut self,
        crowd: &mut Crowd,
        members: &mut Members,
        left: &mut Found<true>,
        credits: &mut u64,
    ) {
        let Self {
            departures,
            sweep,
            again,
            kept,
            layers,
            rivals,
        } = self;
        while *credits > 0 {
            kept.clear();
            rivals.clear();
            let mut removal = Removal {
                from: None,
                layer: None,
                kept,
                layers,
                members: &mut *members,
                left: &mut *left,
                rivals,
                crowd: &mut *crowd,
                credits: &mut *credits,
            };
            if let Some(departure) = departures.front_mut() {
                if removal.follow(departure) {
                    departures.pop_front();
                    if !departures.is_empty() {
                        // The next walk begins anew, perhaps with the same distances.
                        left.mix();
                    }
                }
            } else if let Some(under_way) = sweep {
                if removal.sweep(under_way) {
                    *sweep = core::mem::take(again).then(Sweep::default);
                }
            } else {
                return;
            }
        }
    }
}

/// Takes out of the set what a walk comes to and nobody keeps.
struct Removal<'a> {
    /// What is walked, where it is not every member.
    from: Option<Placed>,
    /// Its part in the layer under way.
    layer: Option<Layer>,
    /// Unload footprints that may reach into what is walked.
    kept: &'a mut Vec<Placed>,
    /// Their parts in the layer under way.
    layers: &'a mut Vec<Layer>,
    members: &'a mut Members,
    left: &'a mut Found<true>,
    /// The viewers that may be nearest to what is walked, or none where it takes the crowd to tell.
    rivals: &'a mut Vec<ChunkCoord>,
    crowd: &'a mut Crowd,
    credits: &'a mut u64,
}

impl Removal<'_> {
    /// Goes on with a departure; returns whether it is done.
    fn follow(&mut self, departure: &mut Departure) -> bool {
        let from = departure.from;
        self.crowd.meet(&from.bounds(), self.kept);
        if self.kept.len() > 2 * FIRST {
            self.kept
                .select_nth_unstable_by_key(FIRST, |kept| kept.centre.distance_sq(from.centre));
        }
        self.crowd.nearest_to(&from, self.rivals);
        self.from = Some(from);
        departure.cursor.walk(from.y_span(), self)
    }

    /// Goes on with a sweep; returns whether it is done.
    fn sweep(&mut self, sweep: &mut Sweep) -> bool {
        while sweep.slot < self.members.slots() {
            if *self.credits == 0 {
                return false;
            }
            *self.credits -= 1;
            let page = self.members.page(sweep.slot);
            let (y, rows) = (page.y, page.z_span());
            self.kept.clear();
            (self.crowd).meet(&[EVERYTHING, Span { low: y, high: y }, rows], self.kept);
            self.enter_layer(y);
            let rest = Span {
                low: rows.low + sweep.row as i32,
                high: rows.high,
            };
            match self.take(sweep.slot, rest) {
                Some(z) => sweep.row = z.abs_diff(rows.low) as usize,
                None => {
                    sweep.slot += 1;
                    sweep.row = 0;
                }
            }
        }
        true
    }

    fn enter_layer(&mut self, y: i32) {
        self.layers.clear();
        self.layers
            .extend(self.kept.iter().filter_map(|kept| kept.layer(y)));
    }

    /// Removes what is not kept from rows of the page in `slot`; returns the row to go on with when the
    /// credits did not suffice.
    fn take(&mut self, slot: usize, rows: Span) -> Option<i32> {
        let Self {
            layer,
            layers,
            members,
            left,
            rivals,
            crowd,
            ..
        } = self;
        let mut credits = *self.credits;
        let page = members.page(slot);
        let y = page.y;
        let mut total = 0;
        let mut stopped = None;
        for z in rows.low..=rows.high {
            if !page.has_members_in(z) {
                continue;
            }
            if credits == 0 {
                stopped = Some(z);
                break;
            }
            let mut count = 0;
            let mut remove = |span| {
                if count < credits {
                    let removed = |run| left.push(y, z, run, rivals, crowd);
                    count += page.remove(z, span, credits - count, removed);
                }
            };
            match (&*layer, layers.as_slice()) {
                (Some(from), [] | [_]) => {
                    for part in from.x_span_minus(z, layers.first()) {
                        let Some(part) = part else { continue };
                        remove(part);
                    }
                }
                _ => {
                    let span = layer.map_or(Some(EVERYTHING), |from| from.x_span(z));
                    let parts = span.map(|span| outside(span, z, layers));
                    parts.into_iter().flatten().for_each(remove);
                }
            }
            total += count;
            credits -= count.max(1);
            if credits == 0 && count > 0 {
                // The row may hold more. If not, looking again finds nothing and moves on.
                stopped = Some(z);
                break;
            }
        }
        *self.credits = credits;
        members.removed(slot, total);
        stopped
    }
}

impl Visit for Removal<'_> {
    fn layer(&mut self, y: i32) -> Option<Span> {
        self.layer = self.from?.layer(y);
        self.enter_layer(y);
        self.layer.as_ref().map(Layer::z_span)
    }

    fn rows(&mut self, y: i32, page: i32, rows: Span) -> Option<i32> {
        if *self.credits == 0 {
            return Some(rows.low);
        }
        match self.members.find(y, page) {
            Some(slot) => self.take(slot, rows),
            None => {
                *self.credits -= 1;
                None
            }
        }
    }
}

/// The parts of a run in row `z` that lie in none of the `kept` layers.
fn outside(span: Span, z: i32, kept: &[Layer]) -> SmallVec<[Span; 8]> {
    let mut parts: SmallVec<[Span; 8]> = smallvec![span];
    for row in kept.iter().filter_map(|layer| layer.x_span(z)) {
        if parts.is_empty() {
            break;
        }
        let mut index = 0;
        while let Some(part) = parts.get_mut(index) {
            match part.minus(Some(row)) {
                [None, None] => {
                    parts.remove(index);
                }
                [Some(rest), None] | [None, Some(rest)] => {
                    *part = rest;
                    index += 1;
                }
                [Some(below), Some(above)] => {
                    *part = below;
                    parts.insert(index + 1, above);
                    index += 2;
                }
            }
        }
    }
    parts
}
