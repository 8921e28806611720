//! What a frame of applying did and cost.

use std::time::Duration;

/// What one frame did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Main-thread time taken.
    pub spent: Duration,
    /// How far `spent` went beyond the budget's time.
    pub overshoot: Duration,
}
