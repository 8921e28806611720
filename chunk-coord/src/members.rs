//! Which coordinates are in the set, by rows.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::iter::repeat_with;

use hashbrown::HashMap;

use crate::ChunkCoord;
use crate::runs::Runs;
use crate::span::Span;

/// Rows per page: a walk over a layer looks a page up once for this many rows.
pub(crate) const PAGE_ROWS: usize = 32;

/// The page of its layer that row `z` lies in.
#[inline]
pub(crate) fn page_of(z: i32) -> i32 {
    z.div_euclid(PAGE_ROWS as i32)
}

/// The rows of the page with this number.
#[inline]
pub(crate) fn page_span(number: i32) -> Span {
    let low = number * PAGE_ROWS as i32;
    Span {
        low,
        high: low + (PAGE_ROWS as i32 - 1),
    }
}

/// Consecutive rows of one layer.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// The layer.
    pub(crate) y: i32,
    /// Which page of its layer: rows `number * PAGE_ROWS` and up.
    pub(crate) number: i32,
    /// [`PAGE_ROWS`] of them, or none in a page without members.
    rows: Box<[Runs]>,
    /// One bit for each row that has members.
    filled: u32,
}

impl Page {
    /// The rows (values of z) of the page.
    pub(crate) fn z_span(&self) -> Span {
        page_span(self.number)
    }

    #[inline]
    pub(crate) fn has_members_in(&self, z: i32) -> bool {
        self.filled & (1 << (z as usize % PAGE_ROWS)) != 0
    }

    /// The runs of row `z`, which is one of this page's.
    #[inline]
    pub(crate) fn runs(&self, z: i32) -> &[Span] {
        self.rows[z as usize % PAGE_ROWS].as_slice()
    }

    /// As [`Runs::insert`], for row `z`.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        z: i32,
        span: Span,
        limit: u64,
        added: impl FnMut(Span),
    ) -> u64 {
        let index = z as usize % PAGE_ROWS;
        self.filled |= 1 << index;
        self.rows[index].insert(span, limit, added)
    }

    /// As [`Runs::remove`], for row `z`.
    #[inline]
    pub(crate) fn remove(
        &mut self,
        z: i32,
        span: Span,
        limit: u64,
        removed: impl FnMut(Span),
    ) -> u64 {
        let index = z as usize % PAGE_ROWS;
        let row = &mut self.rows[index];
        let count = row.remove(span, limit, removed);
        if row.is_empty() {
            self.filled &= !(1 << index);
        }
        count
    }
}

/// A set of coordinates that costs memory by the row, and time by the page.
///
/// Pages stay in the order in which they came to be, so walking all of them is reproducible; the map is
/// only ever asked, never walked. A page without members keeps its place and gives its rows back, so the
/// memory of a peak returns but for 40 bytes a page.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    index: HashMap<(i32, i32), u32, ahash::RandomState>,
    pages: Vec<Page>,
    /// Pages without members, for use again.
    free: Vec<u32>,
    /// Rows of such pages, for use again.
    spare: Vec<Box<[Runs]>>,
    len: usize,
}

/// This many pages' worth of rows are kept for use again: a viewer that walks gives up pages behind it and
/// fills others ahead.
const MOST_SPARE: usize = 64;

impl Default for Members {
    fn default() -> Self {
        // Fixed seeds: the keys are positions of viewers, and the same run must do the same work.
        let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
        Self {
            index: HashMap::with_hasher(hasher),
            pages: Vec::new(),
            free: Vec::new(),
            spare: Vec::new(),
            len: 0,
        }
    }
}

impl Members {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn contains(&self, coord: ChunkCoord) -> bool {
        self.find(coord.y, page_of(coord.z)).is_some_and(|slot| {
            self.pages[slot].rows[coord.z as usize % PAGE_ROWS].contains(coord.x)
        })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = ChunkCoord> + '_ {
        let pages = self.pages.iter().filter(|page| page.filled != 0);
        pages.flat_map(|page| {
            let rows = page.z_span();
            (rows.low..=rows.high).flat_map(move |z| {
                let runs = page.runs(z).iter();
                runs.flat_map(move |run| {
                    (run.low..=run.high).map(move |x| ChunkCoord::new(x, page.y, z))
                })
            })
        })
    }

    /// The number of slots pages have: those in use and those without members.
    pub(crate) fn slots(&self) -> usize {
        self.pages.len()
    }

    /// The slot of a page, where it has members.
    #[inline]
    pub(crate) fn find(&self, y: i32, number: i32) -> Option<usize> {
        self.index.get(&(y, number)).map(|&slot| slot as usize)
    }

    /// The slot of a page, which is made where there is none. The caller inserts, and tells what in
    /// [`inserted`](Self::inserted).
    pub(crate) fn open(&mut self, y: i32, number: i32) -> usize {
        match self.find(y, number) {
            Some(slot) => slot,
            None => self.make(y, number),
        }
    }

    fn make(&mut self, y: i32, number: i32) -> usize {
        let rows = (self.spare.pop())
            .unwrap_or_else(|| repeat_with(Runs::default).take(PAGE_ROWS).collect());
        let page = Page {
            y,
            number,
            rows,
            filled: 0,
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.pages[slot as usize] = page;
                slot
            }
            None => {
                self.pages.push(page);
                (self.pages.len() - 1) as u32
            }
        };
        self.index.insert((y, number), slot);
        slot as usize
    }

    #[inline]
    pub(crate) fn page(&mut self, slot: usize) -> &mut Page {
        &mut self.pages[slot]
    }

    /// Takes note of what was inserted into the page in `slot`, and gives it up if it has no members.
    pub(crate) fn inserted(&mut self, slot: usize, count: u64) {
        self.len += count as usize;
        self.give_up_empty(slot);
    }

    /// Takes note of what was removed from the page in `slot`, and gives it up if that was all.
    pub(crate) fn removed(&mut self, slot: usize, count: u64) {
        self.len -= count as usize;
        self.give_up_empty(slot);
    }

    fn give_up_empty(&mut self, slot: usize) {
        let page = &mut self.pages[slot];
        if page.filled == 0 && !page.rows.is_empty() {
            self.index.remove(&(page.y, page.number));
            self.free.push(slot as u32);
            let rows = core::mem::take(&mut page.rows);
            if self.spare.len() < MOST_SPARE {
                self.spare.push(rows);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_share_pages_on_both_sides_of_zero_and_at_the_ends() {
        assert_eq!(
            [-33, -32, -1, 0, 31, 32].map(page_of),
            [-2, -1, -1, 0, 0, 1]
        );
        for z in [i32::MIN, -1, 0, i32::MAX] {
            let span = page_span(page_of(z));
            assert!(span.low <= z && z <= span.high);
            assert_eq!(span.count(), PAGE_ROWS as u64);
        }
    }

    #[test]
    fn rows_of_emptied_pages_are_used_again_or_given_back() {
        let mut members = Members::default();
        let one = Span { low: 5, high: 5 };
        let many = 3 * MOST_SPARE as i32;
        for round in 0..2 {
            for y in 0..many {
                let slot = members.open(y, -1);
                let count = members.page(slot).insert(-round - 1, one, 9, |_| ());
                members.inserted(slot, count);
            }
            assert_eq!(members.len(), many as usize);
            assert!(members.contains(ChunkCoord::new(5, 0, -round - 1)));
            assert_eq!(members.iter().count(), many as usize);
            for y in 0..many {
                let slot = members.find(y, -1).expect("a page with members");
                let count = members.page(slot).remove(-round - 1, one, 9, |_| ());
                members.removed(slot, count);
                assert_eq!(members.find(y, -1), None);
            }
            assert_eq!(members.len(), 0);
            assert_eq!(members.iter().next(), None);
            let held = members.pages.iter().filter(|page| !page.rows.is_empty());
            assert_eq!(held.count(), 0);
            assert_eq!(members.spare.len(), MOST_SPARE);
        }
        assert_eq!(members.slots(), many as usize);
    }
}
