//! What a stream may cost, and how far it reaches.

use super::saving::SavePolicy;
use crate::budget::ApplyBudget;
use chunk_coord::{ChunkGrid, ViewRange};
use chunk_scheduler::{ConfigError, SchedulerConfig};
use core::{fmt, time::Duration};

/// The settings of one stream. All have working defaults.
#[derive(Clone, Debug)]
pub struct StreamingConfig {
    /// How far a [`ChunkViewer`](crate::ChunkViewer) without a range of its own sees, in chunks. Default `None`: what fits
    /// the grid, [`ChunkViewer::default_range`](crate::ChunkViewer::default_range).
    ///
    /// A range that loads chunks above or below the viewer does not fit a planar grid; the plugin refuses it. In a
    /// volumetric grid a disc is the viewer's own layer alone.
    pub range: Option<ViewRange>,
    /// Concurrency, bounds and retries of generation.
    pub scheduler: SchedulerConfig,
    /// Main-thread time a frame may spend, scanning and generating included, and chunks it may apply. Default 2 ms and no
    /// limit by count.
    pub budget: ApplyBudget,
    /// The part of the budget's time that finding out which chunks became wanted, and requesting them, may take. Default
    /// 0.25 ms; the rest continues in the next frame, nearest rings first. In a frame in which nothing waits to be
    /// applied, requesting takes up to half of the budget. With zero a few coordinates are still visited each frame, so
    /// that a teleport takes many frames to be noticed.
    pub scan_budget: Duration,
    /// What happens to a chunk whose save hook fails.
    pub saving: SavePolicy,
}

impl StreamingConfig {
    /// Checks the settings by themselves. [`ChunkStreamingPlugin::validate`](crate::ChunkStreamingPlugin::validate) checks
    /// as well whether they fit the grid.
    ///
    /// # Errors
    ///
    /// When the scheduler's settings are invalid, or `budget.unload_share` is not between 0 and 1.
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

/// An invalid setting.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StreamingConfigError {
    /// One of [`StreamingConfig::scheduler`].
    Scheduler(ConfigError),
    /// `unload_share`, which is not between 0 and 1.
    UnloadShare(f32),
    /// [`StreamingConfig::range`] loads chunks above or below the viewer, and the grid is planar.
    Range {
        /// The range.
        range: ViewRange,
        /// The grid.
        grid: ChunkGrid,
    },
    /// The [`ChunkLevels`](crate::ChunkLevels) belong to another stream.
    SharedLevels,
}

impl fmt::Display for StreamingConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheduler(error) => error.fmt(f),
            Self::UnloadShare(share) => write!(f, "`unload_share` is {share}, not 0 to 1"),
            Self::Range { range, grid } => write!(
                f,
                "the range {:?} loads more than one layer, and the grid of chunks of {} by {} is planar: use a flat range, \
                 or `ChunkGrid::volumetric`",
                range.load(),
                grid.size().x,
                grid.size().z,
            ),
            Self::SharedLevels => f.write_str(
                "the `ChunkLevels` belong to another stream: give each stream levels of its own",
            ),
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
            range: None,
            scheduler: SchedulerConfig::default(),
            budget: ApplyBudget::default(),
            scan_budget: Duration::from_micros(250),
            saving: SavePolicy::default(),
        }
    }
}
