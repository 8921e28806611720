//! The work of bringing one viewer's load footprint into the set.

use super::sorted_changes::SortedChanges;
use super::viewer_tree::ViewerTree;
use crate::range::Viewer;
use crate::rows::{
    Cursor, Interval, PlacedFootprint, Region, RowSet, Visit, complete_radius, last_ring,
    ring_layers, ring_region, spend,
};

/// What is left to do until every coordinate of a viewer's load footprint is a member.
///
/// A small step, and any with an unlimited budget, walks all rows of the footprint at once. A large step and a new
/// viewer walk ring after ring. A viewer that moves before its work is done goes on ring after ring, behind
/// those that are still complete around its new chunk.
#[derive(Clone, Debug)]
pub(super) struct Entering {
    /// The radius of the ball around the viewer in which the work is done, in chunks; -1 where there is none.
    complete: i64,
    by_rings: bool,
    /// In the footprint, or in the ring after `complete`.
    cursor: Cursor,
}

impl Entering {
    /// The work of a new viewer.
    pub(super) fn appeared(is_unlimited: bool) -> Self {
        Self {
            complete: -1,
            by_rings: !is_unlimited,
            cursor: Cursor::START,
        }
    }

    /// The work of a viewer that was `old` and is `new`, when `rest` was left of the old work.
    pub(super) fn moved(
        old: &Viewer,
        new: &Viewer,
        rest: Option<Self>,
        is_unlimited: bool,
    ) -> Option<Self> {
        let before = PlacedFootprint::new(old.coord, old.range.load());
        let target = PlacedFootprint::new(new.coord, new.range.load());
        if before == target {
            return rest;
        }
        let was_done = rest.is_none();
        // From step to step, and not from where the viewer once was complete: chunks that it moved away from may have
        // left the set, even if it is back by now.
        let reached = rest.map_or(i64::MAX, |rest| rest.complete);
        let complete = complete_radius(&before, &target, reached);
        if complete == i64::MAX {
            return None;
        }
        let last = i64::from(last_ring(&target));
        // What is left of a small step lies close to the outermost chunks, so that the order of its rows hardly
        // matters.
        let is_rim = was_done && last - complete <= last / 16 + 1;
        let by_rings = !is_unlimited && !is_rim;
        Some(Self {
            // The last ring has no outer bound, so no ball tells that it is complete.
            complete: if by_rings {
                complete.min(last - 1)
            } else {
                complete
            },
            by_rings,
            cursor: Cursor::START,
        })
    }

    /// The radius of the ball around the viewer in which the work is done, in chunks; -1 where there is none.
    pub(super) fn complete(&self) -> i64 {
        self.complete
    }

    /// Goes on with the work around `target` and returns whether it is done. Uses up `credits`, or does one
    /// ring.
    pub(super) fn advance(
        &mut self,
        target: PlacedFootprint,
        rows: &mut RowSet,
        tree: &mut ViewerTree,
        entered: &mut SortedChanges<false>,
        credits: &mut u64,
    ) -> bool {
        let ring = (self.by_rings).then_some((self.complete + 1) as u32);
        let layers = ring.map_or(target.y_interval(), |ring| ring_layers(&target, ring));
        let mut insertion = Insertion {
            target,
            ring,
            region: None,
            rows,
            tree,
            entered,
            credits,
        };
        if !self.cursor.walk(layers, &mut insertion) {
            return false;
        }
        let is_done = ring.is_none_or(|ring| ring == last_ring(&target));
        if !is_done {
            self.complete += 1;
            self.cursor = Cursor::START;
        }
        is_done
    }
}

/// Inserts the rows of a walk.
struct Insertion<'a> {
    target: PlacedFootprint,
    /// The ring of it that is walked, or `None` for all of it.
    ring: Option<u32>,
    /// That of the current layer.
    region: Option<Region>,
    rows: &'a mut RowSet,
    tree: &'a mut ViewerTree,
    entered: &'a mut SortedChanges<false>,
    credits: &'a mut u64,
}

impl Visit for Insertion<'_> {
    fn layer(&mut self, y: i32) -> Option<Interval> {
        self.region = match self.ring {
            Some(ring) => ring_region(&self.target, ring, y),
            None => self.target.layer(y).map(Region::whole),
        };
        self.region.as_ref().map(Region::z_interval)
    }

    fn rows(&mut self, y: i32, page: i32, rows: Interval) -> Option<i32> {
        let Self {
            region,
            tree,
            entered,
            credits,
            ..
        } = self;
        let region = region.as_ref()?;
        self.rows.insert_into((y, page), |page| {
            spend(rows, credits, |z, limit| {
                let mut count = 0;
                for interval in region.x_intervals(z).into_iter().flatten() {
                    if count < limit {
                        let added = |part| entered.push(y, z, part, tree);
                        count += page.insert(z, interval, limit - count, added);
                    }
                }
                Some(count)
            })
        })
    }
}
