//! What lies ahead beyond the load radius.

use super::{order_tracker::OrderTracker, viewer_rank::OrderNow};
use chunk_coord::{ChunkCoord, Viewer};
use chunk_scheduler::Lane;
use std::collections::BTreeSet;

/// The chunks that are wanted because they are ahead, and for no other reason.
///
/// They are part of the wanted set, of which a viewer that moves is two viewers: one where it is, and one with the same
/// range at the end of its way. What is beyond every load footprint of the former is requested in the lowest lane.
#[derive(Debug, Default)]
pub(in crate::streaming) struct Prefetch {
    is_on: bool,
    /// Chunks that are in the lowest lane, or were made in it.
    chunks: BTreeSet<ChunkCoord>,
    /// The viewers and where they are going to be. Kept for its memory.
    viewers: Vec<Viewer>,
}

impl Prefetch {
    pub(in crate::streaming) fn new(order: &OrderTracker) -> Self {
        Self {
            is_on: order.prefetches(),
            ..Self::default()
        }
    }

    pub(in crate::streaming) fn is_on(&self) -> bool {
        self.is_on
    }

    /// Everybody for whom chunks are wanted.
    pub(in crate::streaming) fn viewers<'a>(
        &'a mut self,
        viewers: &'a [Viewer],
        order: &OrderTracker,
    ) -> &'a [Viewer] {
        let OrderNow::Motion(ways) = order.now() else {
            return viewers;
        };
        if !self.is_on || ways.is_empty() {
            return viewers;
        }
        self.viewers.clear();
        self.viewers.extend_from_slice(viewers);
        self.viewers
            .extend((0..).zip(&**ways).map(|(nth, way)| Viewer {
                // No entity has it. A wrong guess which of them is which costs time alone.
                id: u64::MAX - nth,
                coord: way.to,
                range: way.range,
            }));
        &self.viewers
    }

    /// The lane for a chunk that became wanted.
    pub(in crate::streaming) fn enter(&mut self, coord: ChunkCoord, viewers: &[Viewer]) {
        if self.is_on && !is_within(coord, viewers) {
            self.chunks.insert(coord);
        }
    }

    pub(in crate::streaming) fn lane(&self, coord: ChunkCoord) -> Lane {
        if self.chunks.contains(&coord) {
            Lane::Prefetch
        } else {
            Lane::Normal
        }
    }

    /// The chunk is no longer wanted.
    pub(in crate::streaming) fn leave(&mut self, coord: ChunkCoord) {
        self.chunks.remove(&coord);
    }

    /// The chunks that came within a load footprint, in their order. They are no longer prefetched.
    pub(in crate::streaming) fn take_reached(&mut self, viewers: &[Viewer]) -> Vec<ChunkCoord> {
        let mut reached = Vec::new();
        self.chunks.retain(|coord| {
            let is_reached = is_within(*coord, viewers);
            if is_reached {
                reached.push(*coord);
            }
            !is_reached
        });
        reached
    }
}

fn is_within(coord: ChunkCoord, viewers: &[Viewer]) -> bool {
    (viewers.iter()).any(|viewer| viewer.range.load().contains(viewer.coord, coord))
}
