//! What a stream may cost, and how far it reaches.

use crate::budget::ApplyBudget;
use chunk_coord::ViewRange;
use chunk_scheduler::{ConfigError, SchedulerConfig};
use core::{fmt, time::Duration};

/// The settings of one stream. All have working defaults.
#[derive(Clone, Debug)]
pub struct StreamingConfig {
    /// How far a [`ChunkViewer`](crate::ChunkViewer) without a range of its own sees, in chunks.
    /// Default: loads a disc of 12, unloads beyond 14. Equal radii unload and load again whatever
    /// lies on the border each time a viewer sways over it.
    pub range: ViewRange,
    /// Concurrency, bounds and retries of generation.
    pub scheduler: SchedulerConfig,
    /// Main-thread time a frame may spend, on scanning and generating as well, and chunks it may
    /// apply. Default 2 ms, no count.
    pub budget: ApplyBudget,
    /// The part of the budget's time that finding out which chunks became wanted, and asking for
    /// them, may take. Default 0.25 ms; what is left goes on next frame, nearest rings first. Asking
    /// takes up to half of the budget in a frame in which nothing waits to be applied. With zero a few
    /// coordinates are still visited each frame, so a teleport takes many frames to be seen at all.
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

    /// Whether the settings make sense. The plugin asks before it starts a stream.
    ///
    /// # Errors
    ///
    /// When the scheduler refuses its settings, or `budget.unload_share` is no share.
    pub fn validate(&self) -> Result<(), StreamingConfigError> {
        self.scheduler.validate()?;
        let share = self.budget.unload_share;
        if (0.0..=1.0).contains(&share) {
            Ok(())
        } else {
            Err(StreamingConfigError::UnloadShare(share))
        }
    }
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StreamingConfigError {
    /// One of [`StreamingConfig::scheduler`].
    Scheduler(ConfigError),
    /// `unload_share`, which is not between 0 and 1.
    UnloadShare(f32),
}

impl fmt::Display for StreamingConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheduler(error) => error.fmt(f),
            Self::UnloadShare(share) => write!(f, "`unload_share` is {share}, not 0 to 1"),
        }
    }
}

impl core::error::Error for StreamingConfigError {}

impl From<ConfigError> for StreamingConfigError {
    fn from(error: ConfigError) -> Self {
        Self::Scheduler(error)
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
