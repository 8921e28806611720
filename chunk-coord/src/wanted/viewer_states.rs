//! The viewers of the last update, and what each still waits for.

use alloc::collections::BTreeMap;
use alloc::collections::binary_heap::{BinaryHeap, PeekMut};
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::entering::Entering;
use super::sorted_changes::SortedChanges;
use super::viewer_tree::ViewerTree;
use crate::range::Viewer;
use crate::rows::{PlacedFootprint, RowSet};

/// Viewers, side by side with their entering work.
#[derive(Clone, Debug, Default)]
pub(super) struct ViewerStates {
    viewers: Vec<Viewer>,
    /// One for each viewer.
    work: Vec<Option<Entering>>,
    /// The complete radius of each work and the index of its viewer, the smallest on top.
    queue: BinaryHeap<Reverse<(i64, u32)>>,
}

impl ViewerStates {
    #[inline]
    pub(super) fn viewers(&self) -> &[Viewer] {
        &self.viewers
    }

    #[inline]
    pub(super) fn is_pending(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Goes on with the work, nearest to its viewer first, and adds the chunks that entered to `entered`. Uses up
    /// `credits`, or does all there is.
    pub(super) fn advance(
        &mut self,
        rows: &mut RowSet,
        tree: &mut ViewerTree,
        entered: &mut SortedChanges<false>,
        credits: &mut u64,
    ) {
        while *credits > 0 {
            let Some(mut top) = self.queue.peek_mut() else {
                return;
            };
            let Reverse((complete, index)) = *top;
            let viewer = &self.viewers[index as usize];
            let target = PlacedFootprint::new(viewer.coord, viewer.range.load());
            tree.focus(Some(&target));
            let work = &mut self.work[index as usize];
            let is_done = (work.as_mut())
                .is_none_or(|work| work.advance(target, rows, tree, entered, credits));
            if is_done {
                *work = None;
                PeekMut::pop(top);
            } else if let Some(work) = work
                && work.complete() != complete
            {
                // Writing to the top makes the heap sort it in again.
                top.0.0 = work.complete();
            }
        }
    }

    /// Replaces the viewers by `viewers`. Calls `depart` with every unload footprint of which chunks may have to
    /// leave.
    pub(super) fn replace(
        &mut self,
        viewers: &[Viewer],
        is_unlimited: bool,
        mut depart: impl FnMut(PlacedFootprint),
    ) {
        if !(self.viewers.iter().map(|old| old.id)).eq(viewers.iter().map(|new| new.id)) {
            self.reorder(viewers, is_unlimited, &mut depart);
        }
        self.queue.clear();
        for (index, new) in viewers.iter().enumerate() {
            let (old, work) = (&mut self.viewers[index], &mut self.work[index]);
            if old != new {
                let is_kept =
                    old.coord == new.coord && new.range.unload().covers(&old.range.unload());
                if !is_kept {
                    depart(PlacedFootprint::new(old.coord, old.range.unload()));
                }
                *work = Entering::moved(old, new, work.take(), is_unlimited);
                *old = *new;
            }
            if let Some(work) = work {
                self.queue.push(Reverse((work.complete(), index as u32)));
            }
        }
    }

    /// Brings the viewers into the order of `viewers`, by their ids: adds those that are new and removes those that
    /// are gone, whose unload footprints it gives to `depart`.
    fn reorder(
        &mut self,
        viewers: &[Viewer],
        is_unlimited: bool,
        depart: &mut impl FnMut(PlacedFootprint),
    ) {
        let old = core::mem::take(&mut self.viewers);
        let mut work = core::mem::take(&mut self.work);
        let mut indices: BTreeMap<u64, usize> = (old.iter().enumerate())
            .map(|(index, old)| (old.id, index))
            .collect();
        let mut is_kept = alloc::vec![false; old.len()];
        for new in viewers {
            // Removing the index gives each old viewer to one new viewer, also where ids repeat.
            if let Some(index) = indices.remove(&new.id) {
                is_kept[index] = true;
                self.viewers.push(old[index]);
                self.work.push(work[index].take());
            } else {
                self.viewers.push(*new);
                self.work.push(Some(Entering::appeared(is_unlimited)));
            }
        }
        for (old, _) in old.iter().zip(is_kept).filter(|(_, is_kept)| !is_kept) {
            depart(PlacedFootprint::new(old.coord, old.range.unload()));
        }
    }
}
