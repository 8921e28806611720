//! What a frame of applying did and cost.

use std::time::Duration;

/// What one frame did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub struct ApplyReport {
    /// Chunks that became whole.
    pub applied: usize,
    /// Chunks whose last entity is gone.
    pub unloaded: usize,
    /// Chunks whose spawner failed.
    pub failed: usize,
    /// Entities spawned below roots.
    pub spawned: usize,
    /// Entities despawned below roots.
    pub despawned: usize,
    /// Bytes that were [uploaded](crate::ChunkWriter::upload), also of chunks that were not shown.
    pub bytes: usize,
    /// Main-thread time taken.
    pub spent: Duration,
    /// How far `spent` went beyond the budget's time.
    pub overshoot: Duration,
}

impl core::ops::AddAssign for ApplyReport {
    /// Joins the reports of several runs in one frame. Overshoots are not added: the budget of a later run is less by
    /// what the earlier ones took, so that the longest overshoot is that of the frame.
    fn add_assign(&mut self, other: Self) {
        self.applied += other.applied;
        self.unloaded += other.unloaded;
        self.failed += other.failed;
        self.spawned += other.spawned;
        self.despawned += other.despawned;
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.spent += other.spent;
        self.overshoot = self.overshoot.max(other.overshoot);
    }
}
