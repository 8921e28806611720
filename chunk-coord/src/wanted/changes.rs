//! What changed in one update.

use alloc::vec::Vec;

use crate::coord::ChunkCoord;

/// The coordinates that became wanted, and those that stopped being wanted.
///
/// [`WantedSet::update`](crate::WantedSet::update) appends to it. Keep one and [`clear`](Self::clear) it after
/// use to reuse its memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Coordinates that became wanted. Those of one update are nearest first: by squared distance to the
    /// nearest viewer, ties by coordinate.
    pub entered: Vec<ChunkCoord>,
    /// Coordinates that stopped being wanted. Those of one update are farthest first, the order of unloading:
    /// by squared distance to the viewer that is nearest now, ties by coordinate; by coordinate alone where
    /// no viewer is left.
    pub left: Vec<ChunkCoord>,
}

impl Changes {
    /// No changes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            entered: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Whether nothing entered and nothing left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entered.is_empty() && self.left.is_empty()
    }

    /// Removes the changes and keeps the memory.
    pub fn clear(&mut self) {
        self.entered.clear();
        self.left.clear();
    }
}
