//! The viewers of the last update, and what each still waits for.

use alloc::collections::binary_heap::{BinaryHeap, PeekMut};
use alloc::vec::Vec;
use core::cmp::Reverse;

use hashbrown::HashMap;

use crate::entering::Entering;
use crate::placed::Placed;
use crate::walk::Cursor;
use crate::{ChunkCoord, Viewer};

/// Viewers, side by side with their entering work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    viewers: Vec<Viewer>,
    /// One for each viewer.
    work: Vec<Option<Entering>>,
    /// How far each work has reached around its viewer, and whose it is; the nearest on top, the first
    /// of several.
    queue: BinaryHeap<Reverse<(i64, u32)>>,
}

impl Roster {
    #[inline]
    pub(crate) fn viewers(&self) -> &[Viewer] {
        &self.viewers
    }

    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether several viewers wait for theirs.
    pub(crate) fn is_crowded(&self) -> bool {
        self.queue.len() > 1
    }

    /// The viewer whose work is nearest to it, and the work.
    pub(crate) fn nearest_pending(&self) -> Option<usize> {
        self.queue.peek().map(|Reverse((_, index))| *index as usize)
    }

    /// The only viewer that waits for anything, where it has just taken a step, and where from.
    pub(crate) fn lone_step(&self) -> Option<(&Viewer, ChunkCoord)> {
        let &Reverse((_, index)) = self.queue.peek().filter(|_| self.queue.len() == 1)?;
        let viewer = self.viewers.get(index as usize)?;
        match self.work.get(index as usize)? {
            Some(Entering::AtOnce {
                complete: Some(before),
                cursor: Cursor::START,
            }) if before.footprint == viewer.range.load() => Some((viewer, before.centre)),
            _ => None,
        }
    }

    /// Lets the work of the viewer that is [`nearest_pending`](Self::nearest_pending) go on; `work`
    /// returns whether it is done.
    pub(crate) fn advance(&mut self, work: impl FnOnce(&Placed, &mut Entering) -> bool) {
        let Some(mut top) = self.queue.peek_mut() else {
            return;
        };
        let index = top.0.1 as usize;
        let viewer = &self.viewers[index];
        let target = Placed::new(viewer.coord, viewer.range.load());
        let entering = &mut self.work[index];
        let is_done = entering
            .as_mut()
            .is_none_or(|entering| work(&target, entering));
        if is_done {
            *entering = None;
            PeekMut::pop(top);
        } else if let Some(entering) = entering {
            let reached = entering.reached(&target);
            // Touching the top makes the heap find its place anew.
            if reached != top.0.0 {
                top.0.0 = reached;
            }
        }
    }

    /// Puts `viewers` in the place of those before. `depart` is told of every unload footprint that is
    /// no longer where it was.
    pub(crate) fn replace(
        &mut self,
        viewers: &[Viewer],
        unlimited: bool,
        mut depart: impl FnMut(Placed),
    ) {
        let mut leave_behind = |old: &Viewer, new: Option<&Viewer>| {
            let is_same = |new: &Viewer| {
                new.coord == old.coord && new.range.unload().covers(&old.range.unload())
            };
            if !new.is_some_and(is_same) {
                depart(Placed::new(old.coord, old.range.unload()));
            }
        };
        if !(self.viewers.iter().map(|old| old.id)).eq(viewers.iter().map(|new| new.id)) {
            self.reorder(viewers, unlimited, |old| leave_behind(old, None));
        }
        for ((old, work), new) in self.viewers.iter_mut().zip(&mut self.work).zip(viewers) {
            if old != new {
                leave_behind(old, Some(new));
                *work = Entering::moved(old, new, work.take(), unlimited);
                *old = *new;
            }
        }
        let mut queue = core::mem::take(&mut self.queue).into_vec();
        queue.clear();
        for (index, (viewer, work)) in (0..).zip(self.viewers.iter().zip(&self.work)) {
            if let Some(work) = work {
                let target = Placed::new(viewer.coord, viewer.range.load());
                queue.push(Reverse((work.reached(&target), index)));
            }
        }
        self.queue = queue.into();
    }

    /// Brings the viewers into the order of `viewers`: those that are not among them go, and those that
    /// are new stand where they are to stand.
    fn reorder(&mut self, viewers: &[Viewer], unlimited: bool, mut gone: impl FnMut(&Viewer)) {
        let mut places: HashMap<u64, usize, ahash::RandomState> =
            HashMap::with_hasher(ahash::RandomState::with_seeds(1, 2, 3, 4));
        places.extend((self.viewers.iter().enumerate()).map(|(index, old)| (old.id, index)));
        let before = core::mem::take(&mut self.viewers);
        let mut works = core::mem::take(&mut self.work);
        let mut is_kept = alloc::vec![false; before.len()];
        for new in viewers {
            // Taking the place out of the map gives each viewer of before to one of now, whatever the
            // ids.
            match places.remove(&new.id) {
                Some(index) => {
                    is_kept[index] = true;
                    self.viewers.push(before[index]);
                    self.work.push(works[index].take());
                }
                None => {
                    self.viewers.push(*new);
                    self.work.push(Some(Entering::appeared(unlimited)));
                }
            }
        }
        for (old, _) in before.iter().zip(is_kept).filter(|(_, is_kept)| !is_kept) {
            gone(old);
        }
    }
}
