//! The viewers by place, so that those near a footprint are found without asking each of them.

use alloc::vec::Vec;

use crate::ChunkCoord;
use crate::placed::{Bounds, Placed, do_meet};
use crate::range::Viewer;
use crate::root::{root, root_up};
use crate::span::Span;

/// The unload footprints of all viewers, each once.
///
/// The first questions after a change are answered by looking at all of them; when there are many, a tree
/// is made for the rest. So one that moves among many does not pay for a tree, and many that move
/// at once do not pay for each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crowd {
    places: Vec<Placed>,
    /// What bounds all of `places`, then each half of them, then each quarter, and so on: those of node n
    /// are halved at 2n + 1 and 2n + 2. Empty as long as there is no tree.
    boxes: Vec<Bounds>,
    questions: usize,
}

/// Questions answered before a tree is made. Making one costs about as much as this many.
const PATIENCE: usize = 32;

/// More viewers than this are asked through the tree who is nearest to a chunk.
const MANY: usize = 24;

/// What bounds no places; they are never asked for.
const NOWHERE: Bounds = [Span { low: 0, high: 0 }; 3];

/// This many are not worth halving.
const FEW: usize = 8;

impl Crowd {
    pub(crate) fn renew(&mut self, viewers: &[Viewer]) {
        self.places.clear();
        self.places.extend(
            (viewers.iter()).map(|viewer| Placed::new(viewer.coord, viewer.range.unload())),
        );
        self.boxes.clear();
        self.questions = 0;
    }

    /// Appends the footprints whose bounding boxes share a chunk with `bounds` to `meeting`.
    pub(crate) fn meet(&mut self, bounds: &Bounds, meeting: &mut Vec<Placed>) {
        self.ask(bounds, |placed| {
            meeting.push(*placed);
            true
        });
    }

    /// Appends the chunks of the viewers that are within `distance_sq` of `coord` to `near`, or none where
    /// they are so many that [`nearest_sq`](Self::nearest_sq) is faster than asking each of them.
    pub(crate) fn within(
        &mut self,
        coord: ChunkCoord,
        distance_sq: u64,
        near: &mut Vec<ChunkCoord>,
    ) {
        let reach = root(distance_sq);
        let bounds = [coord.x, coord.y, coord.z].map(|at| Span::around(at, reach));
        let are_few = self.ask(&bounds, |placed| {
            if placed.centre.distance_sq(coord) <= distance_sq {
                near.push(placed.centre);
            }
            near.len() <= MANY
        });
        if !are_few {
            near.clear();
        }
    }

    /// Appends the chunks of the viewers that may be nearest to anything in a footprint to `near`, or none as
    /// [`within`](Self::within) does.
    pub(crate) fn nearest_to(&mut self, footprint: &Placed, near: &mut Vec<ChunkCoord>) {
        // They are no farther from its centre than who is nearest to that, and twice the reach.
        let nearest = root_up(self.nearest_sq(footprint.centre));
        let reach = root_up(footprint.footprint.outermost_sq());
        let within = nearest.saturating_add(2 * reach);
        self.within(footprint.centre, within.saturating_mul(within), near);
    }

    /// Whether what a viewer, which is at `centre` now, has left behind in an unload footprint concerns only that viewer:
    /// no other keeps anything of it or may be the nearest to it.
    pub(crate) fn is_alone(
        &mut self,
        centre: ChunkCoord,
        from: &Placed,
        near: &mut Vec<ChunkCoord>,
    ) -> bool {
        let mut keepers = 0;
        let are_few = self.ask(&from.bounds(), |_| {
            keepers += 1;
            keepers <= 1
        });
        near.clear();
        self.nearest_to(from, near);
        // One that went far may be farther away than another that is near to where it was.
        are_few && *near == [centre]
    }

    /// The squared distance from `coord` to the nearest viewer; [`u64::MAX`] when there are none.
    pub(crate) fn nearest_sq(&mut self, coord: ChunkCoord) -> u64 {
        let mut nearest = u64::MAX;
        if self.has_tree() {
            approach(&self.places, &self.boxes, 0, coord, &mut nearest);
        } else {
            nearest_of(&self.places, coord, &mut nearest);
        }
        nearest
    }

    /// Gives the footprints that meet `bounds` to `act` until it returns false; returns whether it never
    /// did.
    fn ask(&mut self, bounds: &Bounds, mut act: impl FnMut(&Placed) -> bool) -> bool {
        if self.has_tree() {
            descend(&self.places, &self.boxes, 0, bounds, &mut act)
        } else {
            meeting(&self.places, bounds).all(act)
        }
    }

    /// Counts a question, and makes a tree once there are many.
    fn has_tree(&mut self) -> bool {
        if self.boxes.is_empty() {
            self.questions += 1;
            if self.questions <= PATIENCE || self.places.len() <= 2 * FEW {
                return false;
            }
            self.grow();
        }
        true
    }

    fn grow(&mut self) {
        // Viewers that share a chunk, as passengers do, count once.
        self.places.sort_unstable_by_key(|placed| placed.centre);
        self.places.dedup();
        let halvings = self.places.len().div_ceil(FEW).next_power_of_two();
        self.boxes.resize(2 * halvings - 1, NOWHERE);
        halve(&mut self.places, &mut self.boxes, 0);
    }
}

/// Orders `places` so that each half lies to one side, and says what bounds them, from `node` on.
fn halve(places: &mut [Placed], boxes: &mut [Bounds], node: usize) {
    boxes[node] = (places.iter().map(Placed::bounds))
        .reduce(|one, other| [0, 1, 2].map(|axis| one[axis].hull(other[axis])))
        .unwrap_or(NOWHERE);
    if is_leaf(boxes, node) {
        return;
    }
    let middle = places.len() / 2;
    let [x, y, z] = boxes[node].map(Span::count);
    if x >= y.max(z) {
        places.select_nth_unstable_by_key(middle, |placed| placed.centre.x);
    } else if z >= y {
        places.select_nth_unstable_by_key(middle, |placed| placed.centre.z);
    } else {
        places.select_nth_unstable_by_key(middle, |placed| placed.centre.y);
    }
    let (low, high) = places.split_at_mut(middle);
    halve(low, boxes, 2 * node + 1);
    halve(high, boxes, 2 * node + 2);
}

/// Gives the `places` under `node` that meet `bounds` to `act` until it returns false; returns whether it
/// never did.
fn descend(
    places: &[Placed],
    boxes: &[Bounds],
    node: usize,
    bounds: &Bounds,
    act: &mut impl FnMut(&Placed) -> bool,
) -> bool {
    if !do_meet(&boxes[node], bounds) {
        return true;
    }
    if is_leaf(boxes, node) {
        return meeting(places, bounds).all(act);
    }
    let (low, high) = places.split_at(places.len() / 2);
    descend(low, boxes, 2 * node + 1, bounds, act)
        && descend(high, boxes, 2 * node + 2, bounds, act)
}

fn meeting<'a>(places: &'a [Placed], bounds: &'a Bounds) -> impl Iterator<Item = &'a Placed> {
    places
        .iter()
        .filter(|placed| do_meet(&placed.bounds(), bounds))
}

/// Makes `nearest` the squared distance of the nearest of the `places` under `node`, where it is less.
fn approach(
    places: &[Placed],
    boxes: &[Bounds],
    node: usize,
    coord: ChunkCoord,
    nearest: &mut u64,
) {
    if is_leaf(boxes, node) {
        nearest_of(places, coord, nearest);
        return;
    }
    let (low, high) = places.split_at(places.len() / 2);
    let mut halves = [(low, 2 * node + 1), (high, 2 * node + 2)]
        .map(|(places, node)| (distance_to_box_sq(&boxes[node], coord), places, node));
    if halves[1].0 < halves[0].0 {
        halves.swap(0, 1);
    }
    for (distance_sq, places, node) in halves {
        if distance_sq < *nearest {
            approach(places, boxes, node, coord, nearest);
        }
    }
}

fn nearest_of(places: &[Placed], coord: ChunkCoord, nearest: &mut u64) {
    for placed in places {
        *nearest = placed.centre.distance_sq(coord).min(*nearest);
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

/// The lower half of a full tree has no children.
fn is_leaf(boxes: &[Bounds], node: usize) -> bool {
    node >= boxes.len() / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ViewRange;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_tree_finds_whom_asking_each_finds(
            viewers in prop::collection::vec((prop::array::uniform3(-60..60_i32), 0..9_u32), 0..90),
            asked in prop::array::uniform3(-60..60_i32), reach in 0..40_u32, is_apart: bool,
        ) {
            // Viewers of a region, and some at each end of the world.
            let viewers: Vec<Viewer> = (0..).zip(viewers).map(|(id, (at, radius))| {
                let [x, y, z] = at;
                let x = if is_apart && x % 3 == 0 { i32::MAX - x.abs() } else { x };
                let range = ViewRange::sphere(radius, radius).expect("a radius is not less than itself");
                Viewer { id, coord: ChunkCoord::new(x, y, z), range }
            }).collect();
            let mut crowd = Crowd::default();
            crowd.renew(&viewers);
            let asked = ChunkCoord::from(asked);
            let bounds = [asked.x, asked.y, asked.z].map(|at| Span::around(at, reach));
            let ask = |crowd: &mut Crowd| {
                let (mut meeting, mut near) = (Vec::new(), Vec::new());
                crowd.meet(&bounds, &mut meeting);
                crowd.within(asked, u64::from(reach * reach), &mut near);
                meeting.sort_unstable_by_key(|placed| (placed.centre, placed.footprint.outermost_sq()));
                meeting.dedup();
                near.sort_unstable();
                near.dedup();
                (meeting, near, crowd.nearest_sq(asked))
            };
            let before = ask(&mut crowd);
            let is_near = |viewer: &&Viewer| viewer.coord.distance_sq(asked) <= u64::from(reach * reach);
            let near = viewers.iter().filter(is_near).count();
            prop_assert!(before.1.len() <= near && (near > MANY || before.1.is_empty() == (near == 0)));
            let coords: Vec<_> = viewers.iter().map(|viewer| viewer.coord).collect();
            prop_assert_eq!(before.2, crate::nearest_distance_sq(asked, &coords));
            for _ in 0..PATIENCE {
                ask(&mut crowd);
            }
            prop_assert_eq!(crowd.boxes.is_empty(), viewers.len() <= 2 * FEW);
            let after = ask(&mut crowd);
            // The tree counts viewers that share a chunk once, so it may find few where there are many.
            if near > MANY {
                prop_assert_eq!((after.0, after.2), (before.0, before.2));
            } else {
                prop_assert_eq!(after, before);
            }
        }
    }
}
