//! The viewers of the last update, and what each still waits for.

use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::Viewer;
use crate::entering::Entering;
use crate::footprint::Placed;

/// Viewers, side by side with their entering work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    viewers: Vec<Viewer>,
    /// One for each viewer.
    work: Vec<Option<Entering>>,
    /// How many of `work` there are.
    pending: usize,
}

impl Roster {
    #[inline]
    pub(crate) fn viewers(&self) -> &[Viewer] {
        &self.viewers
    }

    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        self.pending > 0
    }

    /// The viewer whose work is nearest to it; the first of several.
    pub(crate) fn nearest_pending(&self) -> Option<usize> {
        if self.pending == 0 {
            return None;
        }
        let works = self.work.iter().zip(&self.viewers).enumerate();
        works
            .filter_map(|(index, (work, viewer))| {
                let target = Placed::new(viewer.coord, viewer.range.load());
                Some((work.as_ref()?.reached(&target), index))
            })
            .min()
            .map(|(_, index)| index)
    }

    /// Lets a viewer's work go on; `work` returns whether it is done.
    pub(crate) fn advance(&mut self, index: usize, work: impl FnOnce(&mut Entering) -> bool) {
        if self.work[index].as_mut().is_some_and(work) {
            self.work[index] = None;
            self.pending -= 1;
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
        self.pending = self.work.iter().flatten().count();
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
