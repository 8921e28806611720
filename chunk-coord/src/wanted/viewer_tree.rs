//! The viewers in a tree of bounding boxes, for queries about a footprint or a chunk.

use alloc::vec::Vec;

use crate::coord::ChunkCoord;
use crate::order::nearest_distance_sq;
use crate::range::Viewer;
use crate::rows::{Bounds, Interval, PlacedFootprint, do_meet, isqrt, isqrt_up};

/// The unload footprints of all viewers.
///
/// The first queries after a change of viewers scan all of them; further queries build a tree and use it. So one
/// viewer that moves among many does not pay for a tree, and many that move at once do not pay for each
/// other.
#[derive(Clone, Debug, Default)]
pub(super) struct ViewerTree {
    footprints: Vec<PlacedFootprint>,
    /// The bounding box of all `footprints`, then of each half of them, then of each quarter, and so on: those
    /// of node n are halved at 2n + 1 and 2n + 2. Empty as long as there is no tree.
    boxes: Vec<Bounds>,
    /// The queries since the viewers changed, as long as there is no tree.
    queries: usize,
    /// The viewers that [`focus`](Self::focus) found, or none where a query has to use the tree.
    candidates: Vec<ChunkCoord>,
}

/// Queries answered before the tree is built. Building it costs about as much as this many scans.
const SCANS: usize = 32;

/// Above this many candidates, nearest-viewer queries use the tree.
const MAX_CANDIDATES: usize = 24;

/// This many viewers are not halved any further.
const LEAF: usize = 8;

/// The bounding box of no viewers, which no query reaches.
const NOWHERE: Bounds = [Interval::single(0); 3];

impl ViewerTree {
    pub(super) fn set_viewers(&mut self, viewers: &[Viewer]) {
        self.footprints.clear();
        self.footprints.extend(
            (viewers.iter())
                .map(|viewer| PlacedFootprint::new(viewer.coord, viewer.range.unload())),
        );
        self.boxes.clear();
        self.queries = 0;
        self.candidates.clear();
    }

    /// Appends the unload footprints whose bounding boxes share a chunk with `bounds` to `found`.
    pub(super) fn meeting(&mut self, bounds: &Bounds, found: &mut Vec<PlacedFootprint>) {
        self.root().query(bounds, &mut |footprint| {
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
        let are_few = self.root().query(&bounds, &mut |footprint| {
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
        let mut nearest = u64::MAX;
        self.root().nearest_sq(coord, &mut nearest);
        nearest
    }

    /// Where a query begins. Builds the tree once there are many queries.
    fn root(&mut self) -> Node<'_> {
        if self.boxes.is_empty() {
            self.queries += 1;
            if self.queries > SCANS && self.footprints.len() > 2 * LEAF {
                self.build();
            }
        }
        Node {
            footprints: &self.footprints,
            boxes: &self.boxes,
            index: 0,
        }
    }

    fn build(&mut self) {
        // Viewers with the same chunk and range, such as passengers of a vehicle, count once.
        self.footprints
            .sort_unstable_by_key(|footprint| footprint.centre);
        self.footprints.dedup();
        let leaves = self.footprints.len().div_ceil(LEAF).next_power_of_two();
        self.boxes.resize(2 * leaves - 1, NOWHERE);
        halve(&mut self.footprints, &mut self.boxes, 0);
    }
}

/// Orders `footprints` so that each half lies to one side, and sets the bounding boxes from node `index` on.
fn halve(footprints: &mut [PlacedFootprint], boxes: &mut [Bounds], index: usize) {
    boxes[index] = (footprints.iter().map(PlacedFootprint::bounds))
        .reduce(|one, other| [0, 1, 2].map(|axis| one[axis].hull(other[axis])))
        .unwrap_or(NOWHERE);
    if index >= boxes.len() / 2 {
        return;
    }
    let middle = footprints.len() / 2;
    let [x, y, z] = boxes[index].map(Interval::count);
    footprints.select_nth_unstable_by_key(middle, |footprint| {
        let centre = footprint.centre;
        if x >= y.max(z) {
            centre.x
        } else if z >= y {
            centre.z
        } else {
            centre.y
        }
    });
    let (low, high) = footprints.split_at_mut(middle);
    halve(low, boxes, 2 * index + 1);
    halve(high, boxes, 2 * index + 2);
}

/// A node of the tree, or all footprints where there is no tree.
#[derive(Clone, Copy)]
struct Node<'a> {
    /// The footprints under this node.
    footprints: &'a [PlacedFootprint],
    /// The boxes of all nodes.
    boxes: &'a [Bounds],
    index: usize,
}

impl Node<'_> {
    /// The two nodes under this one, or `None` at a leaf. The lower half of a full tree are leaves.
    fn halves(self) -> Option<[Self; 2]> {
        if self.index >= self.boxes.len() / 2 {
            return None;
        }
        let (low, high) = self.footprints.split_at(self.footprints.len() / 2);
        Some([(low, 1), (high, 2)].map(|(footprints, side)| Self {
            footprints,
            index: 2 * self.index + side,
            ..self
        }))
    }

    /// Gives the footprints whose bounding boxes share a chunk with `bounds` to `act` until it returns false;
    /// returns whether it never did.
    fn query(self, bounds: &Bounds, act: &mut impl FnMut(&PlacedFootprint) -> bool) -> bool {
        let own = self.boxes.get(self.index);
        if own.is_some_and(|own| !do_meet(own, bounds)) {
            return true;
        }
        match self.halves() {
            Some([low, high]) => low.query(bounds, act) && high.query(bounds, act),
            None => (self.footprints.iter())
                .filter(|footprint| do_meet(&footprint.bounds(), bounds))
                .all(act),
        }
    }

    /// Lowers `nearest` to the squared distance of the nearest viewer under this node.
    fn nearest_sq(self, coord: ChunkCoord, nearest: &mut u64) {
        let Some(halves) = self.halves() else {
            for footprint in self.footprints {
                *nearest = footprint.centre.distance_sq(coord).min(*nearest);
            }
            return;
        };
        let mut halves =
            halves.map(|half| (distance_to_box_sq(&self.boxes[half.index], coord), half));
        if halves[1].0 < halves[0].0 {
            halves.swap(0, 1);
        }
        for (distance_sq, half) in halves {
            if distance_sq < *nearest {
                half.nearest_sq(coord, nearest);
            }
        }
    }
}

fn distance_to_box_sq([x, y, z]: &Bounds, coord: ChunkCoord) -> u64 {
    let inside = ChunkCoord::new(
        coord.x.clamp(x.low, x.high),
        coord.y.clamp(y.low, y.high),
        coord.z.clamp(z.low, z.high),
    );
    coord.distance_sq(inside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::footprint::Footprint;
    use crate::range::ViewRange;
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
        ) {
            // Viewers of a region, and some at each end of the world.
            let viewers: Vec<Viewer> = (0..).zip(viewers).map(|(id, (at, radius))| {
                let [x, y, z] = at;
                let x = if is_apart && x % 3 == 0 { i32::MAX - x.abs() } else { x };
                let range = ViewRange::sphere(radius, radius).expect("a radius is not less than itself");
                Viewer { id, coord: ChunkCoord::new(x, y, z), range }
            }).collect();
            let mut tree = ViewerTree::default();
            tree.set_viewers(&viewers);
            let centre = ChunkCoord::from(centre);
            let asked = PlacedFootprint::new(centre, Footprint::Sphere { radius });
            let inside = centre.saturating_offset(0, radius as i32, 0);
            for _ in 0..SCANS {
                check(&mut tree, &viewers, &asked, inside);
            }
            prop_assert_eq!(tree.boxes.is_empty(), viewers.len() <= 2 * LEAF);
        }
    }
}
