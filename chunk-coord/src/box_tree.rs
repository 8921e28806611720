//! Places of chunks in a tree of bounding boxes.

use alloc::vec::Vec;

use crate::coord::ChunkCoord;
use crate::rows::{Bounds, Interval, do_meet};

/// Something around a chunk.
pub(crate) trait Placed {
    fn centre(&self) -> ChunkCoord;

    /// Its bounding box, which has the centre in it.
    fn bounds(&self) -> Bounds;
}

impl Placed for ChunkCoord {
    fn centre(&self) -> ChunkCoord {
        *self
    }

    fn bounds(&self) -> Bounds {
        [self.x, self.y, self.z].map(Interval::single)
    }
}

/// Items that queries scan until the tree is [built](Self::build).
#[derive(Clone, Debug)]
pub(crate) struct BoxTree<T> {
    items: Vec<Counted<T>>,
    /// Boxes around all `items`, then around each half of them, then around each quarter, and so on: those of node n are
    /// halved at 2n + 1 and 2n + 2. Empty as long as there is no tree.
    boxes: Vec<Bounds>,
    /// How many items were replaced since the tree was built.
    replaced: usize,
}

/// An item, and how many equal ones it stands for.
#[derive(Clone, Copy, Debug)]
struct Counted<T> {
    item: T,
    count: u32,
}

/// This many items are not halved any further.
pub(crate) const LEAF: usize = 8;

/// The bounding box of no items, which no query reaches.
const NOWHERE: Bounds = [Interval::single(0); 3];

impl<T> Default for BoxTree<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            boxes: Vec::new(),
            replaced: 0,
        }
    }
}

impl<T: Placed + PartialEq> BoxTree<T> {
    /// Replaces all items. There is no tree after that.
    pub(crate) fn refill(&mut self, items: impl IntoIterator<Item = T>) {
        self.items.clear();
        self.boxes.clear();
        let items = items.into_iter().map(|item| Counted { item, count: 1 });
        self.items.extend(items);
    }

    /// How many items there are. Equal ones count once after [`build`](Self::build).
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    pub(crate) fn is_built(&self) -> bool {
        !self.boxes.is_empty()
    }

    /// Makes the tree. Takes about as long as 32 scans.
    pub(crate) fn build(&mut self) {
        // Items at the same chunk, such as passengers of a vehicle, are kept once.
        self.items.sort_unstable_by_key(|it| it.item.centre());
        self.items.dedup_by(|later, kept| {
            let is_equal = later.item == kept.item;
            kept.count += if is_equal { later.count } else { 0 };
            is_equal
        });
        let leaves = self.items.len().div_ceil(LEAF).next_power_of_two();
        self.boxes.resize(2 * leaves - 1, NOWHERE);
        self.replaced = 0;
        halve(&mut self.items, &mut self.boxes, 0);
    }

    /// Puts `new` in the place of `old` without building the tree again. The boxes around it only grow, so the tree
    /// becomes slower with each. False, and nothing is changed, where that is impossible or was done too often.
    pub(crate) fn replace(&mut self, old: &T, new: T) -> bool {
        if !self.is_built() || self.replaced >= self.items.len() {
            return false;
        }
        let is_replaced = replace(&mut self.items, &mut self.boxes, 0, old, new).is_ok();
        self.replaced += usize::from(is_replaced);
        is_replaced
    }

    /// Gives the items whose bounding boxes share a chunk with `bounds` to `act` until it returns false; returns whether
    /// it never did.
    pub(crate) fn query(&self, bounds: &Bounds, act: &mut impl FnMut(&T) -> bool) -> bool {
        self.root().query(bounds, act)
    }

    /// The squared distance from `coord` to the nearest centre, if it is less than `limit`; otherwise `limit`.
    pub(crate) fn nearest_sq(&self, coord: ChunkCoord, limit: u64) -> u64 {
        let mut nearest = limit;
        self.root().nearest_sq(coord, &mut nearest);
        nearest
    }

    fn root(&self) -> Node<'_, T> {
        Node {
            items: &self.items,
            boxes: &self.boxes,
            index: 0,
        }
    }
}

/// Orders `items` so that each half lies to one side, and sets the bounding boxes from node `index` on.
fn halve<T: Placed>(items: &mut [Counted<T>], boxes: &mut [Bounds], index: usize) {
    boxes[index] = (items.iter().map(|it| it.item.bounds()))
        .reduce(hull)
        .unwrap_or(NOWHERE);
    if index >= boxes.len() / 2 {
        return;
    }
    let middle = items.len() / 2;
    let [x, y, z] = boxes[index].map(Interval::count);
    items.select_nth_unstable_by_key(middle, |it| {
        let centre = it.item.centre();
        if x >= y.max(z) {
            centre.x
        } else if z >= y {
            centre.z
        } else {
            centre.y
        }
    });
    let (low, high) = items.split_at_mut(middle);
    halve(low, boxes, 2 * index + 1);
    halve(high, boxes, 2 * index + 2);
}

/// Replaces an item under node `index`, if it is there and stands for no other.
fn replace<T: Placed + PartialEq>(
    items: &mut [Counted<T>],
    boxes: &mut [Bounds],
    index: usize,
    old: &T,
    new: T,
) -> Result<(), T> {
    if !do_meet(&boxes[index], &old.bounds()) {
        return Err(new);
    }
    let bounds = new.bounds();
    if index < boxes.len() / 2 {
        let (low, high) = items.split_at_mut(items.len() / 2);
        replace(low, boxes, 2 * index + 1, old, new)
            .or_else(|new| replace(high, boxes, 2 * index + 2, old, new))?;
    } else {
        match items.iter_mut().find(|it| it.count == 1 && it.item == *old) {
            Some(found) => found.item = new,
            None => return Err(new),
        }
    }
    boxes[index] = hull(boxes[index], bounds);
    Ok(())
}

fn hull(one: Bounds, other: Bounds) -> Bounds {
    [0, 1, 2].map(|axis| one[axis].hull(other[axis]))
}

/// A node of the tree, or all items where there is no tree.
struct Node<'a, T> {
    /// The items under this node.
    items: &'a [Counted<T>],
    /// The boxes of all nodes.
    boxes: &'a [Bounds],
    index: usize,
}

impl<T: Placed> Node<'_, T> {
    /// The two nodes under this one, or `None` at a leaf. The lower half of a full tree are leaves.
    fn halves(&self) -> Option<[Self; 2]> {
        if self.index >= self.boxes.len() / 2 {
            return None;
        }
        let (low, high) = self.items.split_at(self.items.len() / 2);
        Some([(low, 1), (high, 2)].map(|(items, side)| Self {
            items,
            index: 2 * self.index + side,
            boxes: self.boxes,
        }))
    }

    fn query(&self, bounds: &Bounds, act: &mut impl FnMut(&T) -> bool) -> bool {
        let own = self.boxes.get(self.index);
        if own.is_some_and(|own| !do_meet(own, bounds)) {
            return true;
        }
        match self.halves() {
            Some([low, high]) => low.query(bounds, act) && high.query(bounds, act),
            None => (self.items.iter())
                .map(|it| &it.item)
                .filter(|item| do_meet(&item.bounds(), bounds))
                .all(act),
        }
    }

    /// Lowers `nearest` to the squared distance of the nearest centre under this node.
    fn nearest_sq(&self, coord: ChunkCoord, nearest: &mut u64) {
        let Some(halves) = self.halves() else {
            for Counted { item, .. } in self.items {
                *nearest = item.centre().distance_sq(coord).min(*nearest);
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
