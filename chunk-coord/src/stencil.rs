//! What one step of a viewer changes, worked out once and used again wherever it takes the same step.

use alloc::vec::Vec;

use crate::budget::{OrderingCost, QUANTUM};
use crate::members::{Members, page_of};
use crate::placed::Placed;
use crate::span::Span;
use crate::{ChunkCoord, ScanBudget, ViewRange};

/// The chunks that one step brings and those that it leaves behind, relative to where it ends.
///
/// Which chunks those are and in which order depends on nothing but the range and the step, as long as no other viewer
/// is near. So a viewer that goes on in the same direction pays for looking them up and for nothing else.
#[derive(Clone, Debug)]
pub(crate) struct Stencil {
    pub(crate) enters: Side<false>,
    pub(crate) leaves: Side<true>,
}

/// Steps that change more chunks than this on one side are not worth their memory, nor the time of the update in which
/// they are worked out.
const MOST_CHUNKS: usize = 4_096;
/// Footprints of more rows are not walked to find out.
const MOST_ROWS: u64 = 8_192;

impl Stencil {
    /// `None` where the step changes too much.
    fn new(range: ViewRange, [x, y, z]: [i32; 3]) -> Option<Self> {
        // All that is relative fits into 16 bits, or the end of the world would be in the way at the origin too.
        let [far_x, far_y, far_z] = range.unload().half_extents();
        i16::try_from(far_x.max(far_y).max(far_z)).ok()?;
        let before = ChunkCoord::new(x.checked_neg()?, y.checked_neg()?, z.checked_neg()?);
        let load = |centre| Placed::new(centre, range.load());
        let unload = |centre| Placed::new(centre, range.unload());
        Some(Self {
            enters: Side::new(&load(ChunkCoord::ORIGIN), &load(before))?,
            leaves: Side::new(&unload(before), &unload(ChunkCoord::ORIGIN))?,
        })
    }

    /// Whether all that the step changes lies inside the world where the step ends at `centre`.
    fn fits(centre: ChunkCoord) -> bool {
        let inside = i32::MIN - i32::from(i16::MIN)..=i32::MAX - i32::from(i16::MAX);
        [centre.x, centre.y, centre.z]
            .iter()
            .all(|at| inside.contains(at))
    }
}

/// The chunks that enter, or those that leave.
#[derive(Clone, Debug)]
pub(crate) struct Side<const LEAVES: bool> {
    /// In the order of a walk.
    parts: Vec<Part>,
    /// Where each chunk stands in the order of changes, chunk after chunk of the parts.
    places: Vec<u16>,
}

/// A run of chunks in one row.
#[derive(Clone, Copy, Debug)]
struct Part {
    y: i16,
    z: i16,
    low: i16,
    high: i16,
}

impl<const LEAVES: bool> Side<LEAVES> {
    /// What `whole` has and `without` has not, in the order around the origin.
    fn new(whole: &Placed, without: &Placed) -> Option<Self> {
        if whole.rows_at_most() > MOST_ROWS {
            return None;
        }
        let mut parts = Vec::new();
        // The rank of each chunk, then its number. A walk meets equal distances in the order of coordinates.
        let mut order: Vec<u64> = Vec::new();
        let layers = whole.y_span();
        for y in layers.low..=layers.high {
            let (Some(layer), other) = (whole.layer(y), without.layer(y)) else {
                continue;
            };
            let rows = layer.z_span();
            for z in rows.low..=rows.high {
                for run in layer.x_span_minus(z, other.as_ref()).into_iter().flatten() {
                    if order.len() as u64 + run.count() > MOST_CHUNKS as u64 {
                        return None;
                    }
                    parts.push(Part {
                        y: y.try_into().ok()?,
                        z: z.try_into().ok()?,
                        low: run.low.try_into().ok()?,
                        high: run.high.try_into().ok()?,
                    });
                    run.each(|x| {
                        // All three are of 16 bits, so the square is of 32.
                        let distance_sq = ChunkCoord::new(x, y, z).distance_sq(ChunkCoord::ORIGIN);
                        let rank = if LEAVES { !distance_sq } else { distance_sq };
                        order.push(rank << 16 | order.len() as u64);
                    });
                }
            }
        }
        parts.shrink_to_fit();
        order.sort_unstable();
        let mut places = alloc::vec![0; order.len()];
        for (place, rank) in (0..).zip(order) {
            places[usize::from(rank as u16)] = place;
        }
        Some(Self { parts, places })
    }

    /// Brings what enters into the set, or takes out what leaves, around `centre`, and appends it to `changed`. Returns
    /// the row to go on with when the budget did not suffice.
    ///
    /// The stencil [fits](Stencil::fits) there, and everything is as if the step had just been taken.
    pub(crate) fn apply(
        &self,
        centre: ChunkCoord,
        members: &mut Members,
        budget: &mut ScanBudget<'_>,
        changed: &mut Vec<ChunkCoord>,
        marks: &mut Vec<bool>,
    ) -> Option<(i32, i32)> {
        let start = changed.len();
        changed.resize(start + self.places.len(), ChunkCoord::ORIGIN);
        marks.clear();
        marks.resize(self.places.len(), false);
        let mut application = Application {
            side: self,
            centre,
            changed: &mut changed[start..],
            marks,
            part: 0,
            chunk: 0,
            found: 0,
        };
        loop {
            // Nothing is left to be put in order.
            let granted = budget.grant(QUANTUM, 0, OrderingCost::default());
            let mut credits = granted;
            let is_done = application.go_on(members, &mut credits);
            budget.charge(granted - credits);
            if is_done || granted == 0 {
                break;
            }
        }
        let (found, row) = (application.found, application.next_row());
        if found < self.places.len() {
            let mut end = start;
            for (place, _) in (start..).zip(marks).filter(|(_, is_found)| **is_found) {
                changed[end] = changed[place];
                end += 1;
            }
            changed.truncate(end);
        }
        row
    }
}

/// A side that is being applied.
struct Application<'a, const LEAVES: bool> {
    side: &'a Side<LEAVES>,
    centre: ChunkCoord,
    /// The place of each chunk, and whether it was found.
    changed: &'a mut [ChunkCoord],
    marks: &'a mut [bool],
    /// The part that is next, and its first chunk.
    part: usize,
    chunk: usize,
    found: usize,
}

impl<const LEAVES: bool> Application<'_, LEAVES> {
    /// Goes on until the credits are used up; returns whether all is done.
    fn go_on(&mut self, members: &mut Members, credits: &mut u64) -> bool {
        // The page under way: its layer and number, and its slot if there is one.
        let mut under_way: Option<((i32, i32), Option<usize>)> = None;
        let mut total = 0;
        while let Some(part) = self.side.parts.get(self.part) {
            if *credits == 0 {
                break;
            }
            let (y, z) = self.row(part);
            let key = (y, page_of(z));
            let slot = match under_way {
                Some((known, slot)) if known == key => slot,
                _ => {
                    close::<LEAVES>(members, under_way, total);
                    total = 0;
                    let slot = if LEAVES {
                        members.find(key.0, key.1)
                    } else {
                        Some(members.open(key.0, key.1))
                    };
                    under_way = Some((key, slot));
                    // A page without members costs as much as a row with some, and its rows nothing.
                    *credits -= u64::from(slot.is_none());
                    slot
                }
            };
            let slot = slot.filter(|slot| !LEAVES || members.page(*slot).has_members_in(z));
            if let Some(slot) = slot {
                let count = self.apply(part, (y, z), members, slot, *credits);
                total += count;
                self.found += count as usize;
                *credits -= count.max(1);
                if *credits == 0 && count > 0 {
                    // The part may hold more. If not, looking again finds nothing and moves on.
                    break;
                }
            }
            self.part += 1;
            self.chunk += usize::from(part.high.abs_diff(part.low)) + 1;
        }
        close::<LEAVES>(members, under_way, total);
        self.part == self.side.parts.len()
    }

    /// Inserts or removes one part; returns how many chunks that changed.
    #[inline]
    fn apply(
        &mut self,
        part: &Part,
        (y, z): (i32, i32),
        members: &mut Members,
        slot: usize,
        credits: u64,
    ) -> u64 {
        let centre = self.centre.x;
        let span = Span {
            low: centre + i32::from(part.low),
            high: centre + i32::from(part.high),
        };
        let places = &self.side.places[self.chunk..];
        let (changed, marks) = (&mut *self.changed, &mut *self.marks);
        let note = |run: Span| {
            let first = run.low.abs_diff(span.low) as usize;
            let mut places = places[first..].iter();
            run.each(|x| {
                if let Some(&place) = places.next() {
                    changed[usize::from(place)] = ChunkCoord::new(x, y, z);
                    marks[usize::from(place)] = true;
                }
            });
        };
        let page = members.page(slot);
        if LEAVES {
            page.remove(z, span, credits, note)
        } else {
            page.insert(z, span, credits, note)
        }
    }

    /// The row to go on with, unless all is done.
    fn next_row(&self) -> Option<(i32, i32)> {
        self.side.parts.get(self.part).map(|part| self.row(part))
    }

    fn row(&self, part: &Part) -> (i32, i32) {
        (
            self.centre.y + i32::from(part.y),
            self.centre.z + i32::from(part.z),
        )
    }
}

/// Takes note of what changed in a page.
fn close<const LEAVES: bool>(
    members: &mut Members,
    page: Option<((i32, i32), Option<usize>)>,
    count: u64,
) {
    if let Some((_, Some(slot))) = page {
        if LEAVES {
            members.removed(slot, count);
        } else {
            members.inserted(slot, count);
        }
    }
}

/// The stencils of the steps that were taken more than once lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stencils {
    /// The latest first; none of a step that changes too much.
    known: Vec<(Step, Option<Stencil>)>,
    /// Steps that were taken and are not known, the latest first.
    seen: Vec<Step>,
    /// Kept for its memory.
    marks: Vec<bool>,
}

type Step = (ViewRange, [i32; 3]);

/// How many steps are known, and how many remembered: those to all 26 neighbours, and some.
pub(crate) const MOST_STEPS: usize = 32;

impl Stencils {
    /// How many steps are known.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.known
            .iter()
            .filter(|(_, stencil)| stencil.is_some())
            .count()
    }

    /// The stencil of a step from `before` to `centre` that was taken elsewhere before, and memory for its application.
    /// Working one out costs more than a step.
    pub(crate) fn of(
        &mut self,
        range: ViewRange,
        before: ChunkCoord,
        centre: ChunkCoord,
    ) -> Option<(&Stencil, &mut Vec<bool>)> {
        if !Stencil::fits(centre) {
            return None;
        }
        let step = [
            centre.x.checked_sub(before.x)?,
            centre.y.checked_sub(before.y)?,
            centre.z.checked_sub(before.z)?,
        ];
        let step = (range, step);
        if let Some(index) = self.known.iter().position(|(known, _)| *known == step) {
            self.known[..=index].rotate_right(1);
        } else if let Some(index) = self.seen.iter().position(|seen| *seen == step) {
            self.seen.remove(index);
            self.known.truncate(MOST_STEPS - 1);
            self.known.insert(0, (step, Stencil::new(step.0, step.1)));
        } else {
            self.seen.truncate(MOST_STEPS - 1);
            self.seen.insert(0, step);
            return None;
        }
        let (_, stencil) = self.known.first()?;
        Some((stencil.as_ref()?, &mut self.marks))
    }
}
