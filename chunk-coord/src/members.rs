//! Which coordinates are in the set, by rows.

use alloc::boxed::Box;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::ChunkCoord;
use crate::row::Row;
use crate::span::Span;

/// Rows per page: a walk over a layer looks a page up once for this many rows.
pub(crate) const PAGE_ROWS: usize = 32;

/// The page of its layer that row `z` lies in.
#[inline]
pub(crate) fn page_of(z: i32) -> i32 {
    z.div_euclid(PAGE_ROWS as i32)
}

/// Consecutive rows of one layer.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    /// The layer.
    pub(crate) y: i32,
    /// Which page of its layer: rows `number * PAGE_ROWS` and up.
    pub(crate) number: i32,
    rows: [Row; PAGE_ROWS],
    /// One bit for each row that has members.
    filled: u32,
}

impl Page {
    fn new(y: i32, number: i32) -> Self {
        Self {
            y,
            number,
            rows: Default::default(),
            filled: 0,
        }
    }

    /// The first and the last row of the page.
    pub(crate) fn rows(&self) -> Span {
        let low = self.number * PAGE_ROWS as i32;
        Span {
            low,
            high: low + (PAGE_ROWS as i32 - 1),
        }
    }

    #[inline]
    pub(crate) fn has_members_in(&self, z: i32) -> bool {
        self.filled & (1 << (z as usize % PAGE_ROWS)) != 0
    }

    /// The runs of row `z`, which is one of this page's.
    #[inline]
    pub(crate) fn runs(&self, z: i32) -> &[Span] {
        self.rows[z as usize % PAGE_ROWS].runs()
    }

    /// As [`Row::insert`], for row `z`.
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

    /// As [`Row::remove`], for row `z`.
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
/// only ever asked, never walked.
#[derive(Clone, Debug)]
pub(crate) struct Members {
    index: HashMap<(i32, i32), u32, ahash::RandomState>,
    #[expect(
        clippy::vec_box,
        reason = "growth moves pointers, so an update never copies all members"
    )]
    pages: Vec<Box<Page>>,
    /// Pages without members, for use again.
    free: Vec<u32>,
    len: usize,
}

impl Default for Members {
    fn default() -> Self {
        // Fixed seeds: the keys are positions of viewers, and the same run must do the same work.
        let hasher = ahash::RandomState::with_seeds(1, 2, 3, 4);
        Self {
            index: HashMap::with_hasher(hasher),
            pages: Vec::new(),
            free: Vec::new(),
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
        self.pages.iter().flat_map(|page| {
            let rows = page.rows();
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

    /// The slot of a page, which is made where there is none. The caller is about to insert.
    pub(crate) fn open(&mut self, y: i32, number: i32) -> usize {
        match self.find(y, number) {
            Some(slot) => slot,
            None => self.make(y, number),
        }
    }

    fn make(&mut self, y: i32, number: i32) -> usize {
        let slot = match self.free.pop() {
            Some(slot) => {
                let page = &mut self.pages[slot as usize];
                page.y = y;
                page.number = number;
                slot
            }
            None => {
                self.pages.push(Box::new(Page::new(y, number)));
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

    /// Takes note of what was inserted into a page.
    pub(crate) fn inserted(&mut self, count: u64) {
        self.len += count as usize;
    }

    /// Takes note of what was removed from the page in `slot`, and gives up the page if it was all.
    pub(crate) fn removed(&mut self, slot: usize, count: u64) {
        self.len -= count as usize;
        let page = &self.pages[slot];
        if count > 0 && page.filled == 0 {
            self.index.remove(&(page.y, page.number));
            self.free.push(slot as u32);
        }
    }
}
