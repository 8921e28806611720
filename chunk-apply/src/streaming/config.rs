//! What a stream may cost, and how far it reaches.

use super::saving::SavePolicy;
use crate::budget::ApplyBudget;
use bevy_math::Vec3;
use chunk_coord::{ChunkGrid, Plane, ViewRange};
use chunk_scheduler::{ConfigError, SchedulerConfig};
use core::{fmt, time::Duration};

/// The settings of one stream. All have working defaults.
#[derive(Clone, Debug)]
pub struct StreamingConfig {
    /// How far a [`ChunkViewer`](crate::ChunkViewer) without a range of its own sees, in chunks. Default `None`: what fits
    /// the grid, [`default_range`](Self::default_range).
    ///
    /// A range that loads more than the viewer's own layer does not fit a planar grid; the plugin refuses it. A disc lies
    /// in the plane of the grid. In a volumetric grid it is the viewer's own level alone.
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
    /// How long a viewer that vanishes, because its entity was despawned or its [`ChunkViewer`](crate::ChunkViewer) removed,
    /// still counts as standing where it was, by the stream's clock. Default 1 s. A viewer that is made anew near the same
    /// place in that time, as for a respawn or in a new scene, finds the world as it was. With zero, what no other viewer
    /// wants is given up in the next scan; with minutes, it is kept in memory for minutes.
    ///
    /// Never more viewers linger than were there at once, so lingering at most doubles what is wanted.
    pub linger: Duration,
    /// How many [uploaded](crate::ChunkWriter::upload) bytes all chunks may have together. Default `None`: no limit. Beyond it
    /// loading stops. Of the wanted chunks those are loaded that are nearest to a viewer and fit, up to the first that does not;
    /// others are given up, the farthest first, and not asked for until there is room:
    /// [`ChunkStream::held_back`](crate::ChunkStream::held_back) has them. A loaded chunk is not given up for one that is less
    /// than two chunks nearer, and one that was never loaded is expected to weigh what the others weigh on average.
    ///
    /// More than the limit is there for a time: one chunk, or a group that is swapped; what waits for its gates, up to
    /// `backlog_capacity` chunks, which is more than the limit also when all gates open at once; and what left and cannot be
    /// saved, up to [`SavePolicy::max_kept`] chunks. A chunk that alone is heavier is not shown, with a warning, and not tried
    /// again before it is refreshed, is wanted anew, or the limit is raised; where an older version stands, that one stays until
    /// the chunk is refreshed, and raising the limit does not bring the newer one. With zero only chunks without bytes are
    /// loaded. While chunks are loaded or viewers move, a limit that does not admit everything costs the scan a look
    /// at each wanted chunk, in every tenth frame where 10,000 are wanted; what follows from that is part of
    /// [`scan_budget`](Self::scan_budget).
    pub max_loaded_bytes: Option<usize>,
    /// How long a chunk of which all is spawned may wait for its [gates](crate::ChunkWriter::show_when), by the stream's clock.
    /// Default 5 s. After that it is reported, once, by a warning and in
    /// [`StreamingTotals::late_gates`](crate::StreamingTotals::late_gates), and listed by
    /// [`ChunkStream::late_gates`](crate::ChunkStream::late_gates); it goes on waiting, but a newer version may take its place.
    /// Chunks that are [refreshed together](crate::ChunkStream::refresh_together) wait for each other for as long. With zero,
    /// every closed gate is reported, a chunk that is edited faster than its gates open is never seen, and chunks that are
    /// refreshed together are parted; with hours, a gate that never opens keeps newer versions away for hours.
    pub gate_patience: Duration,
    /// What becomes of a wanted chunk whose root somebody despawned. Default: it stays gone.
    pub despawned_roots: DespawnedRoots,
}

/// What becomes of a chunk whose root is despawned by other code than the stream's, as long as it is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::Reflect))]
pub enum DespawnedRoots {
    /// It stays gone until it is no longer wanted, or until [`refresh`](crate::ChunkStream::refresh) asks for it. A new level
    /// of detail does not bring it back, unless one was requested before. [`ChunkStream::despawned`](crate::ChunkStream::despawned) lists such chunks.
    #[default]
    StayGone,
    /// It is requested again, within the scan budgets of the coming frames. Its content is what its generator makes; nothing
    /// of it was saved when its root was despawned. Code that despawns each new root as well makes the stream work
    /// without end.
    MakeAgain,
}

impl StreamingConfig {
    /// The range of viewers without one of their own, in a stream that is given none either. In a planar grid it loads a
    /// disc of radius 12, which is 441 chunks, and unloads beyond 14; in a volumetric grid it loads a sphere of radius 6,
    /// which is 925 chunks, and unloads beyond 8. With equal radii, chunks at the border would be unloaded and loaded again
    /// each time a viewer crosses it.
    #[must_use]
    pub fn default_range(grid: &ChunkGrid) -> ViewRange {
        let range = if grid.plane().is_some() {
            ViewRange::disc(12, 14)
        } else {
            ViewRange::sphere(6, 8)
        };
        range.expect("the band is two chunks wide")
    }

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
    /// [`StreamingConfig::range`] loads more than the viewer's own layer, and the grid is planar.
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
            Self::Range { range, grid } => {
                let Vec3 { x, y, z } = grid.size();
                let (along, across) = match grid.plane() {
                    Some(Plane::Xy) => (y, "z"),
                    _ => (z, "y"),
                };
                write!(
                    f,
                    "the range {:?} reaches along {across}, and the grid of chunks of {x} by {along} has one layer there: use \
                     a flat range, or `ChunkGrid::volumetric`",
                    range.load(),
                )
            }
            Self::SharedLevels => f.write_str(
                "the `ChunkLevels` belong to another stream: give each stream levels of its own",
            ),
        }
    }
}

impl core::error::Error for StreamingConfigError {}

/// Why a stream cannot [start](crate::ChunkStreamingPlugin::start).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is invalid.
    Config(StreamingConfigError),
    /// A stream of the same content runs, or the frame in which it was stopped still works on its chunks.
    Running,
    /// The app has no systems for this content.
    NoSystems,
    /// The app's systems for this content read the viewers of another filter.
    OtherViewers {
        /// The filter of the systems.
        systems: &'static str,
        /// The filter of the stream.
        stream: &'static str,
    },
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Running => f.write_str(
                "a stream of the same content runs: stop it first, with `ChunkStream::stop`",
            ),
            Self::NoSystems => f.write_str(
                "the app has no systems for this content: add `ChunkStreamSystemsPlugin` when the app is built",
            ),
            Self::OtherViewers { systems, stream } => write!(
                f,
                "the app's systems for this content read the viewers of the filter `{systems}`, and the stream is for those of \
                 `{stream}`: give `ChunkStreamSystemsPlugin` the same filter"
            ),
        }
    }
}

impl core::error::Error for StartError {}

impl From<StreamingConfigError> for StartError {
    fn from(error: StreamingConfigError) -> Self {
        Self::Config(error)
    }
}

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
            linger: Duration::from_secs(1),
            max_loaded_bytes: None,
            gate_patience: Duration::from_secs(5),
            despawned_roots: DespawnedRoots::default(),
        }
    }
}
