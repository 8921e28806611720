//! An archive without the type of its values.

use chunk_coord::ChunkCoord;
use chunk_scheduler::store::{Archive, Unsaved};
use core::time::Duration;

/// An archive of values of some type.
pub(super) trait AnyArchive: Send + Sync {
    fn tick(&self, now: Duration);

    /// How many values are not durable.
    fn waiting(&self) -> usize;

    fn flush_within(&self, patience: Duration) -> Result<(), Unsaved>;
}

impl<V: Send + Sync + 'static> AnyArchive for Archive<ChunkCoord, V> {
    fn tick(&self, now: Duration) {
        Archive::tick(self, now);
    }

    fn waiting(&self) -> usize {
        self.report().waiting
    }

    fn flush_within(&self, patience: Duration) -> Result<(), Unsaved> {
        Archive::flush_within(self, patience)
    }
}
