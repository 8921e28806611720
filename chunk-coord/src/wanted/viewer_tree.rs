//! The viewers in a tree of bounding boxes, for queries about a footprint or a chunk.

use alloc::vec::Vec;

use crate::box_tree::{BoxTree, LEAF, Placed};
use crate::coord::ChunkCoord;
use crate::order::nearest_distance_sq;
use crate::range::Viewer;
use crate::rows::{Bounds, Interval, PlacedFootprint, isqrt, isqrt_up};

/// The unload footprints of all viewers.
///
/// The first queries scan all of them; further queries build a tree and use it. So one viewer that moves among many at
/// rest does not pay for a tree, and many that move at once do not pay for each other. A tree that there is follows
/// when few of many viewers move.
#[derive(Clone, Debug, Default)]
pub(super) struct ViewerTree {
    footprints: BoxTree<PlacedFootprint>,
    /// The queries since the viewers changed, as long as there is no tree.
    queries: usize,
    /// The viewers that [`focus`](Self::focus) found, or none where a query has to use the tree.
    candidates: Vec<ChunkCoord>,
}

/// Queries answered before the tree is built. Building it costs about as much as this many scans.
const SCANS: usize = 32;

/// Above this many candidates, nearest-viewer queries use the tree.
const MAX_CANDIDATES: usize = 24;

/// When more than this share of the viewers moved, one of so many, the tree is not used any more.
const MOST_MOVED: usize = 4;

fn unload_footprint(viewer: &Viewer) -> PlacedFootprint {
    PlacedFootprint::new(viewer.coord, viewer.range.unload())
}

impl Placed for PlacedFootprint {
    fn centre(&self) -> ChunkCoord {
        self.centre
    }

    fn bounds(&self) -> Bounds {
        PlacedFootprint::bounds(self)
    }
}

impl ViewerTree {
    /// Replaces the viewers that it was given last, `old`.
    pub(super) fn set_viewers(&mut self, old: &[Viewer], new: &[Viewer]) {
        self.candidates.clear();
        if self.footprints.is_built() && self.follow(old, new) {
            return;
        }
        self.footprints.refill(new.iter().map(unload_footprint));
        self.queries = 0;
    }

    /// Puts the viewers that moved into the tree, if they are few of all. False where the tree must not be used any
    /// more.
    fn follow(&mut self, old: &[Viewer], new: &[Viewer]) -> bool {
        let both = old.iter().zip(new);
        let both = both.map(|(old, new)| (unload_footprint(old), unload_footprint(new)));
        let mut moved = both.filter(|(old, new)| old != new);
        old.len() == new.len()
            && moved.clone().nth(old.len() / MOST_MOVED).is_none()
            && moved.all(|(old, new)| self.footprints.replace(&old, new))
    }

    /// Appends the unload footprints whose bounding boxes share a chunk with `bounds` to `found`.
    pub(super) fn meeting(&mut self, bounds: &Bounds, found: &mut Vec<PlacedFootprint>) {
        self.tree().query(bounds, &mut |footprint| {
            found.push(*footprint);
            true
        });
    }

    /// Restricts [`nearest_sq`](Self::nearest_sq) to the viewers that may be the nearest to a chunk of
    /// `footprint`, until the next call. Without a footprint, or with too many such viewers, it uses all.
    pub(super) fn focus(&mut self, footprint: Option<&PlacedFootprint>) {
        self.candidates.clear();
        let Some(&PlacedFootprint { centre, footprint }) = footprint else {
            return;
        };
        // They are no farther from its centre than the viewer nearest to that, and twice the outermost chunk.
        let nearest = isqrt_up(self.nearest_sq(centre));
        let outermost = isqrt_up(footprint.outermost_sq());
        let within = nearest.saturating_add(2 * outermost);
        let within_sq = within.saturating_mul(within);
        let reach = isqrt(within_sq);
        let bounds = [centre.x, centre.y, centre.z].map(|at| Interval::around(at, reach));
        let mut candidates = core::mem::take(&mut self.candidates);
        let are_few = self.tree().query(&bounds, &mut |footprint| {
            if footprint.centre.distance_sq(centre) <= within_sq {
                candidates.push(footprint.centre);
            }
            candidates.len() <= MAX_CANDIDATES
        });
        if !are_few {
            candidates.clear();
        }
        self.candidates = candidates;
    }

    /// The viewers that [`focus`](Self::focus) has restricted queries to; none where queries use all.
    #[inline]
    pub(super) fn candidates(&self) -> &[ChunkCoord] {
        &self.candidates
    }

    /// The squared distance from `coord` to the nearest viewer; [`u64::MAX`] when there are none.
    pub(super) fn nearest_sq(&mut self, coord: ChunkCoord) -> u64 {
        if !self.candidates.is_empty() {
            return nearest_distance_sq(coord, &self.candidates);
        }
        self.tree().nearest_sq(coord, u64::MAX)
    }

    /// What a query asks. Builds the tree once there are many queries.
    fn tree(&mut self) -> &BoxTree<PlacedFootprint> {
        if !self.footprints.is_built() {
            self.queries += 1;
            if self.queries > SCANS && self.footprints.len() > 2 * LEAF {
                self.footprints.build();
            }
        }
        &self.footprints
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::Footprint;
    use crate::range::ViewRange;
    use crate::rows::do_meet;
    use proptest::prelude::*;

    /// Compares queries with a scan of `viewers`.
    fn check(tree: &mut ViewerTree, viewers: &[Viewer], asked: &PlacedFootprint, at: ChunkCoord) {
        let sorted = |mut found: Vec<PlacedFootprint>| {
            found.sort_unstable_by_key(|found| (found.centre, found.footprint.outermost_sq()));
            found.dedup();
            found
        };
        let bounds = asked.bounds();
        let all = (viewers.iter())
            .map(|viewer| PlacedFootprint::new(viewer.coord, viewer.range.unload()));
        let expected = all.filter(|footprint| do_meet(&footprint.bounds(), &bounds));
        let mut found = Vec::new();
        tree.meeting(&bounds, &mut found);
        assert_eq!(sorted(found), sorted(expected.collect()));
        let coords: Vec<_> = viewers.iter().map(|viewer| viewer.coord).collect();
        for footprint in [None, Some(asked)] {
            tree.focus(footprint);
            assert!(tree.candidates().len() <= MAX_CANDIDATES);
            assert_eq!(tree.nearest_sq(at), nearest_distance_sq(at, &coords));
        }
    }

    proptest! {
        #[test]
        fn a_tree_answers_as_a_scan_does(
            viewers in prop::collection::vec((prop::array::uniform3(-60..60_i32), 0..9_u32), 0..90),
            centre in prop::array::uniform3(-60..60_i32), radius in 0..40_u32, is_apart: bool,
            moves in prop::collection::vec((0..90_usize, prop::array::uniform3(-2..3_i32)), 0..120),
        ) {
            // Viewers of a region, and some at each end of the world.
            let mut viewers: Vec<Viewer> = (0..).zip(viewers).map(|(id, (at, radius))| {
                let [x, y, z] = at;
                let x = if is_apart && x % 3 == 0 { i32::MAX - x.abs() } else { x };
                let range = ViewRange::sphere(radius, radius).expect("a radius is not less than itself");
                Viewer { id, coord: ChunkCoord::new(x, y, z), range }
            }).collect();
            let mut tree = ViewerTree::default();
            tree.set_viewers(&[], &viewers);
            let centre = ChunkCoord::from(centre);
            let asked = PlacedFootprint::new(centre, Footprint::Sphere { radius });
            let inside = centre.saturating_offset(0, radius as i32, 0);
            for _ in 0..SCANS {
                check(&mut tree, &viewers, &asked, inside);
            }
            prop_assert_eq!(tree.footprints.is_built(), viewers.len() > 2 * LEAF);
            for (nth, [x, y, z]) in moves {
                let before = viewers.clone();
                if let Some(viewer) = viewers.get_mut(nth) {
                    viewer.coord = viewer.coord.saturating_offset(x, y, z);
                }
                tree.set_viewers(&before, &viewers);
                check(&mut tree, &viewers, &asked, inside);
            }
        }
    }
}
