//! What a run depends on, checked once.

use core::error::Error;
use core::fmt;
use core::time::Duration;

use bevy_math::Vec3;
use chunk_apply::{ApplyBudget, StreamingConfig};
use chunk_coord::{ChunkGrid, Footprint, ViewRange};
use chunk_scheduler::SchedulerConfig;

use crate::city::{CityConfig, CityError};
#[cfg(feature = "terrain")]
use crate::terrain::{TerrainConfig, TerrainError};

/// The limits that a run starts from.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// 3 in flight and 2 ms a frame
    #[default]
    Standard,
    /// What this workspace replaces: 3 in flight and 2 chunks a frame, however long they take
    Original,
}

/// Everything that a run depends on, besides its scenario and workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How long the scenario lasts, in simulated seconds at 60 frames each. Default 15.
    pub seconds: f64,
    /// Which city, and which chunks have faults where a scenario injects them. Default 1.
    pub seed: u64,
    /// How many viewers there are. Default 1. With none, nothing is streamed.
    pub viewers: u32,
    /// Chunks up to this far from a viewer are loaded, in chunks. Default 12.
    pub radius: u32,
    /// Chunks beyond this distance from every viewer are unloaded, in chunks. Default 14. The closer to the radius,
    /// the more a viewer that sways over a border loads and unloads.
    pub unload_radius: u32,
    /// How many layers of chunks above and below a viewer's own are loaded. 0, the default, is a world that is a plane.
    pub half_height: u32,
    /// Viewers fly no higher than this, in metres. Default: no limit.
    pub ceiling: f32,
    /// Whether chunks contain the land. Default `false`: they stand on a plane at the height 0, which is drawn to the horizon.
    pub has_land: bool,
    /// Entities in each chunk of the city near a viewer, without its outline: 15 to 2,000. Default 120.
    pub density: u32,
    /// Whether the city has all of its details as far as it is loaded. Default `false`: far chunks have outlines.
    pub full_detail: bool,
    /// The side of a chunk in metres, 20 to 10,000. Default 200.
    pub chunk_size: f32,
    /// Jobs on workers at the same time. Default 3.
    pub max_in_flight: usize,
    /// The profile that the limits were taken from.
    pub profile: Profile,
    /// What a frame may spend on the world. Default: the limits of the profile.
    pub budget: ApplyBudget,
}

impl Settings {
    /// Frames in a simulated second.
    pub const FRAMES_PER_SECOND: u32 = 60;
    /// The widest radius: some 125,000 chunks around each viewer.
    pub const WIDEST_RADIUS: u32 = 200;
    /// The longest run, a week.
    const LONGEST_SECONDS: f64 = 7.0 * 24.0 * 3600.0;
    /// The most jobs on workers at the same time, which is as many as a scheduler takes.
    const MOST_IN_FLIGHT: usize = 4_096;
    /// The most viewers.
    const MOST_VIEWERS: u32 = 4_096;

    /// The defaults of a profile.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let city = CityConfig::default();
        Self {
            seconds: 15.0,
            seed: city.seed,
            viewers: 1,
            radius: 12,
            unload_radius: 14,
            half_height: 0,
            ceiling: f32::INFINITY,
            has_land: false,
            density: city.density,
            full_detail: false,
            chunk_size: city.chunk_size,
            max_in_flight: 3,
            profile,
            budget: match profile {
                Profile::Standard => ApplyBudget::DEFAULT,
                Profile::Original => ApplyBudget {
                    chunks: Some(2),
                    ..ApplyBudget::unlimited()
                },
            },
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first setting that makes no sense, with its value.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let refuse = |setting, value: &dyn fmt::Display, demand: &str| {
            Err(SettingsError::new(setting, value, demand))
        };
        if !(self.seconds > 0.0 && self.seconds <= Self::LONGEST_SECONDS) {
            let demand = "more than 0 and at most 604800, a week";
            return refuse("seconds", &self.seconds, demand);
        }
        if self.viewers > Self::MOST_VIEWERS {
            return refuse("viewers", &self.viewers, "at most 4096");
        }
        if !(1..=Self::WIDEST_RADIUS).contains(&self.radius) {
            return refuse("radius", &self.radius, "1 to 200 chunks");
        }
        self.range()?;
        if self.unload_radius > 2 * Self::WIDEST_RADIUS {
            return refuse("unload-radius", &self.unload_radius, "at most 400 chunks");
        }
        self.city().validate()?;
        if self.budget.chunks == Some(0) {
            return refuse("chunks-per-frame", &0, "at least 1");
        }
        if self.budget.time == Some(Duration::ZERO) {
            return refuse("apply-budget-ms", &0, "more than 0");
        }
        if !(1..=Self::MOST_IN_FLIGHT).contains(&self.max_in_flight) {
            return refuse("max-in-flight", &self.max_in_flight, "1 to 4096");
        }
        Ok(())
    }

    /// How many frames the scenario lasts, at least one.
    #[must_use]
    pub fn frames(&self) -> u64 {
        ((self.seconds * f64::from(Self::FRAMES_PER_SECOND)).round() as u64).max(1)
    }

    /// The settings of the stream.
    ///
    /// # Errors
    ///
    /// If any setting makes no sense.
    pub fn streaming(&self) -> Result<StreamingConfig, SettingsError> {
        self.validate()?;
        Ok(StreamingConfig {
            range: Some(self.range()?),
            scheduler: self.scheduler(),
            budget: self.budget,
            ..StreamingConfig::default()
        })
    }

    /// The settings of the city.
    #[must_use]
    pub fn city(&self) -> CityConfig {
        CityConfig {
            seed: self.seed,
            chunk_size: self.chunk_size,
            density: self.density,
        }
    }

    /// The settings of the terrain.
    #[cfg(feature = "terrain")]
    #[must_use]
    pub fn terrain(&self) -> TerrainConfig {
        TerrainConfig {
            seed: self.seed,
            chunk_size: self.chunk_size,
            // Its mountains are below the viewers of all scenarios.
            plains: -300.0,
            ..TerrainConfig::default()
        }
    }

    /// The grid that viewers' positions are on.
    pub(super) fn grid(&self) -> Result<ChunkGrid, SettingsError> {
        let grid = if self.half_height == 0 {
            ChunkGrid::planar(self.chunk_size)
        } else {
            ChunkGrid::volumetric(Vec3::splat(self.chunk_size))
        };
        grid.map_err(|_| CityError::ChunkSize(self.chunk_size).into())
    }

    pub(super) fn scheduler(&self) -> SchedulerConfig {
        SchedulerConfig {
            max_in_flight: self.max_in_flight,
            ..SchedulerConfig::default()
        }
    }

    fn range(&self) -> Result<ViewRange, SettingsError> {
        let band = self.unload_radius.checked_sub(self.radius);
        let range = band.map(|band| view_range(self.radius, self.half_height, band));
        range.ok_or_else(|| {
            let demand = format!("at least the radius, which is {}", self.radius);
            SettingsError::new("unload-radius", &self.unload_radius, &demand)
        })
    }
}

/// The range of a viewer that keeps `band` chunks more than it loads.
pub(crate) fn view_range(radius: u32, half_height: u32, band: u32) -> ViewRange {
    let load = match half_height {
        0 => Footprint::Disc { radius },
        _ => Footprint::Cylinder {
            radius,
            half_height,
        },
    };
    ViewRange::with_band(load, band)
}

impl Default for Settings {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// The setting, as it is called on the command line, without the dashes.
    pub setting: &'static str,
    /// The value it had.
    pub value: String,
    /// What it should have been.
    pub demand: String,
}

impl SettingsError {
    /// A setting that is called `setting` on the command line, with its value and what it must be.
    pub fn new(setting: &'static str, value: &dyn fmt::Display, demand: &str) -> Self {
        Self {
            setting,
            value: value.to_string(),
            demand: demand.to_owned(),
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            value,
            demand,
        } = self;
        write!(f, "--{setting} cannot be {value}: it must be {demand}")
    }
}

impl Error for SettingsError {}

impl From<CityError> for SettingsError {
    fn from(error: CityError) -> Self {
        match error {
            CityError::ChunkSize(size) => {
                let (low, high) = CityConfig::CHUNK_SIZES.into_inner();
                Self::new("chunk-size", &size, &format!("{low} to {high} m"))
            }
            CityError::Density(density) => {
                let (low, high) = CityConfig::DENSITIES.into_inner();
                let demand = format!("{low} to {high} entities a chunk");
                Self::new("density", &density, &demand)
            }
        }
    }
}

#[cfg(feature = "terrain")]
impl From<TerrainError> for SettingsError {
    fn from(error: TerrainError) -> Self {
        // The other settings of a terrain are not on the command line.
        match error {
            TerrainError::ChunkSize(size) => CityError::ChunkSize(size).into(),
            other => Self::new("world", &"terrain", &other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_streams_own() {
        let ours = Settings::default().streaming().expect("valid");
        let standard = StreamingConfig::default();
        assert_eq!(ours.budget, standard.budget);
        assert_eq!(ours.scheduler, standard.scheduler);
        let grid = ChunkGrid::planar(1.0).expect("1 is a size");
        assert_eq!(ours.range, Some(StreamingConfig::default_range(&grid)));
        assert_eq!(Settings::default().frames(), 900);
    }

    #[test]
    fn the_original_profile_limits_the_count_alone() {
        let original = Settings::of(Profile::Original);
        let streaming = original.streaming().expect("valid");
        assert_eq!(streaming.budget.to_string(), "2 chunks a frame");
        assert_eq!(streaming.scheduler.max_in_flight, 3);
        assert_eq!(original.frames(), 900);
    }

    #[test]
    fn what_no_option_can_say_is_refused_as_well() {
        type Change = fn(&mut Settings);
        let cases: [(Change, &str); 3] = [
            (
                |s| s.chunk_size = f32::NAN,
                "--chunk-size cannot be NaN: it must be 20 to 10000 m",
            ),
            (
                |s| s.chunk_size = 1.5,
                "--chunk-size cannot be 1.5: it must be 20 to 10000 m",
            ),
            (
                |s| s.budget.time = Some(Duration::ZERO),
                "--apply-budget-ms cannot be 0: it must be more than 0",
            ),
        ];
        for (change, sentence) in cases {
            let mut settings = Settings::default();
            change(&mut settings);
            let refused = settings.validate().expect_err("it makes no sense");
            assert_eq!(refused.to_string(), sentence);
        }
    }

    #[test]
    fn the_scheduler_takes_the_most_in_flight() {
        let most = Settings {
            max_in_flight: Settings::MOST_IN_FLIGHT,
            ..Settings::default()
        };
        assert!(most.scheduler().validate().is_ok());
    }
}
