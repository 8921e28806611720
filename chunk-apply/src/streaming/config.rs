//! What a stream may cost, and how far it reaches.

use crate::budget::ApplyBudget;
use chunk_coord::ViewRange;
use chunk_scheduler::SchedulerConfig;
use std::time::Duration;

/// The settings of one stream. All have working defaults.
#[derive(Clone, Debug)]
pub struct StreamingConfig {
    /// How far a [`ChunkViewer`](crate::ChunkViewer) without a range of its own sees, in chunks.
    /// Default: loads a disc of 12, unloads beyond 14. Equal radii unload and load again whatever
    /// lies on the border each time a viewer sways over it.
    pub range: ViewRange,
    /// Concurrency, bounds and retries of generation.
    pub scheduler: SchedulerConfig,
    /// Main-thread time and chunks a frame may spend on the `World`. Default 2 ms, no count.
    pub budget: ApplyBudget,
    /// Main-thread time a frame may spend on finding out which chunks became wanted. Default
    /// 0.25 ms; what is left goes on next frame, nearest rings first. With zero a few coordinates
    /// are still visited each frame, so a teleport takes many frames to be seen at all.
    pub scan_budget: Duration,
}

impl StreamingConfig {
    /// The limits of the system that this workspace replaces: 3 in flight, 2 chunks a frame.
    #[must_use]
    pub fn original() -> Self {
        Self {
            scheduler: SchedulerConfig {
                max_in_flight: 3,
                ..SchedulerConfig::default()
            },
            budget: ApplyBudget::original(),
            ..Self::default()
        }
    }
}

impl Default for StreamingConfig {
    fn default() -> Self {
        Self {
            range: ViewRange::disc(12, 14).expect("14 is not less than 12"),
            scheduler: SchedulerConfig::default(),
            budget: ApplyBudget::default(),
            scan_budget: Duration::from_micros(250),
        }
    }
}
