//! What an update found.

use alloc::vec::Vec;

use crate::ChunkCoord;

/// The coordinates that became wanted, and those that no longer are.
///
/// [`WantedSet::update`](crate::WantedSet::update) appends to it; keep one and [`clear`](Self::clear) it
/// after use, so that its memory is used again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Coordinates that became wanted. Those of one update are nearest first: by squared distance to the
    /// nearest viewer, ties by coordinate.
    pub entered: Vec<ChunkCoord>,
    /// Coordinates that stopped being wanted. Those of one update are farthest first, as unloading wants
    /// them: by squared distance to the viewer that is nearest now, ties by coordinate; by coordinate alone
    /// where no viewer is left.
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

    /// Forgets the changes and keeps their memory.
    pub fn clear(&mut self) {
        self.entered.clear();
        self.left.clear();
    }
}
