//! A set of chunks, by rows.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;

use super::interval::Interval;
use super::interval_list::IntervalList;
use crate::coord::ChunkCoord;

/// Rows per page: a walk over a layer looks up a page once for this many rows.
const PAGE_ROWS: usize = 32;

/// The number of the page of its layer that row `z` lies in.
#[inline]
pub(super) fn page_of(z: i32) -> i32 {
    z.div_euclid(PAGE_ROWS as i32)
}

/// The rows (values of z) of the page with this number.
#[inline]
pub(crate) fn page_rows(number: i32) -> Interval {
    let low = number * PAGE_ROWS as i32;
    Interval {
        low,
        high: low + (PAGE_ROWS as i32 - 1),
    }
}

/// A set of chunks whose memory grows with its rows, not with its chunks.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowSet {
    /// By layer (y) and number; none is empty.
    pages: BTreeMap<(i32, i32), Page>,
    len: u64,
}

impl RowSet {
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    /// The number of rows in pages with members.
    pub(crate) fn rows(&self) -> u64 {
        (self.pages.len() * PAGE_ROWS) as u64
    }

    pub(crate) fn contains(&self, coord: ChunkCoord) -> bool {
        (self.pages.get(&(coord.y, page_of(coord.z))))
            .is_some_and(|page| page.row(coord.z).contains(coord.x))
    }

    /// The members, in the order of coordinates.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ChunkCoord> + '_ {
        self.pages.iter().flat_map(|(&(y, number), page)| {
            let rows = page_rows(number);
            (rows.low..=rows.high).flat_map(move |z| {
                let intervals = page.row(z).as_slice().iter();
                intervals.flat_map(move |interval| {
                    (interval.low..=interval.high).map(move |x| ChunkCoord::new(x, y, z))
                })
            })
        })
    }

    /// The layer and number of the first page with members, from `page` on.
    pub(crate) fn page_from(&self, page: (i32, i32)) -> Option<(i32, i32)> {
        self.pages.range(page..).next().map(|(page, _)| *page)
    }

    /// Lets `insert` insert into a page.
    pub(crate) fn insert_into<T>(
        &mut self,
        page: (i32, i32),
        insert: impl FnOnce(&mut Page) -> T,
    ) -> T {
        match self.pages.entry(page) {
            Entry::Occupied(mut entry) => {
                let before = entry.get().len;
                let result = insert(entry.get_mut());
                self.len += entry.get().len - before;
                result
            }
            Entry::Vacant(entry) => {
                let mut page = Page::default();
                let result = insert(&mut page);
                self.len += page.len;
                if page.len > 0 {
                    entry.insert(page);
                }
                result
            }
        }
    }

    /// Lets `remove` remove from a page, where it has members.
    pub(crate) fn remove_from<T>(
        &mut self,
        page: (i32, i32),
        remove: impl FnOnce(&mut Page) -> T,
    ) -> Option<T> {
        let Entry::Occupied(mut entry) = self.pages.entry(page) else {
            return None;
        };
        let before = entry.get().len;
        let result = remove(entry.get_mut());
        self.len -= before - entry.get().len;
        if entry.get().len == 0 {
            entry.remove();
        }
        Some(result)
    }
}

/// Consecutive rows of one layer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    rows: Box<[IntervalList; PAGE_ROWS]>,
    /// The number of members.
    len: u64,
}

impl Page {
    /// The members in row `z`, which is one of this page's.
    #[inline]
    pub(crate) fn row(&self, z: i32) -> &IntervalList {
        &self.rows[z as usize % PAGE_ROWS]
    }

    /// As [`IntervalList::insert`], into row `z`.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        z: i32,
        new: Interval,
        limit: u64,
        added: impl FnMut(Interval),
    ) -> u64 {
        let count = self.rows[z as usize % PAGE_ROWS].insert(new, limit, added);
        self.len += count;
        count
    }

    /// As [`IntervalList::remove`], from row `z`.
    #[inline]
    pub(crate) fn remove(
        &mut self,
        z: i32,
        old: Interval,
        limit: u64,
        removed: impl FnMut(Interval),
    ) -> u64 {
        let count = self.rows[z as usize % PAGE_ROWS].remove(old, limit, removed);
        self.len -= count;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn rows_share_pages_on_both_sides_of_zero_and_at_the_ends() {
        assert_eq!(
            [-33, -32, -1, 0, 31, 32].map(page_of),
            [-2, -1, -1, 0, 0, 1]
        );
        for z in [i32::MIN, -1, 0, i32::MAX] {
            let rows = page_rows(page_of(z));
            assert!(rows.contains(z));
            assert_eq!(rows.count(), PAGE_ROWS as u64);
        }
    }

    #[test]
    fn pages_come_with_their_first_member_and_go_with_their_last() {
        let mut set = RowSet::default();
        let one = Interval::single(5);
        set.insert_into((0, 0), |_| ());
        assert_eq!(set.rows(), 0, "nothing was inserted");
        for y in [7, -3] {
            set.insert_into((y, -1), |page| page.insert(-2, one, 9, |_| ()));
        }
        let members = [-3, 7].map(|y| ChunkCoord::new(5, y, -2));
        assert_eq!(Vec::from_iter(set.iter()), members);
        assert!(members.iter().all(|coord| set.contains(*coord)));
        assert_eq!((set.len(), set.rows()), (2, 2 * PAGE_ROWS as u64));
        assert_eq!(set.page_from((-3, 0)), Some((7, -1)));
        for y in [7, -3] {
            let removed = set.remove_from((y, -1), |page| page.remove(-2, one, 9, |_| ()));
            assert_eq!(removed, Some(1));
            assert_eq!(set.remove_from((y, -1), |_| ()), None);
        }
        assert_eq!((set.len(), set.rows()), (0, 0));
    }
}
