//! What a run of the demo may be told, checked once.

use core::fmt;

use chunk_apply::{ApplyBudget, StreamingConfig};
use chunk_coord::{ChunkGrid, ViewRange};
use chunk_scheduler::SchedulerConfig;

use crate::city::CityConfig;
use crate::settings_error::{CHUNK_SIZES, DENSITIES, SettingsError};

/// Under which limits the world is streamed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// 3 jobs in flight and 2 ms of the main thread a frame.
    #[default]
    Standard,
    /// The limits of the system that this workspace replaces: 3 jobs in flight and 2 chunks a frame, however long
    /// they take.
    Original,
}

impl Profile {
    /// What the profile allows a frame to spend on the world.
    #[must_use]
    pub const fn budget(self) -> ApplyBudget {
        match self {
            Self::Standard => ApplyBudget::DEFAULT,
            Self::Original => ApplyBudget::original(),
        }
    }
}

/// Everything that a run depends on, besides its scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How long the scenario lasts, in simulated seconds at 60 frames each. Default 15.
    pub seconds: f64,
    /// Which city, and which chunks are unlucky where a scenario injects faults. Default 1.
    pub seed: u64,
    /// How many viewers there are. Default 1. With none, nothing is streamed.
    pub viewers: u32,
    /// Chunks up to this far from a viewer are loaded, in chunks. Default 12.
    pub radius: u32,
    /// Chunks beyond this distance from every viewer are unloaded, in chunks. Default 14. The closer to the radius,
    /// the more a viewer that sways over a border loads and unloads.
    pub unload_radius: u32,
    /// Entities in each chunk, 15 to 2,000. Default 120.
    pub density: u32,
    /// The side of a chunk in metres, 20 to 10,000. Default 200.
    pub chunk_size: f32,
    /// Jobs on workers at the same time. Default 3.
    pub max_in_flight: usize,
    /// Which limits apply where none is given by itself.
    pub profile: Profile,
    /// What a frame may spend on the world. Default: as the profile says.
    pub budget: ApplyBudget,
}

impl Settings {
    /// Frames in a simulated second.
    pub const FRAMES_PER_SECOND: u32 = 60;
    /// The widest radius: some 125,000 chunks around each viewer.
    pub const WIDEST_RADIUS: u32 = 200;
    /// The longest run, a week.
    pub const LONGEST_SECONDS: f64 = 7.0 * 24.0 * 3600.0;
    /// The most jobs on workers at the same time, which is as many as a scheduler takes.
    pub const MOST_IN_FLIGHT: usize = 4_096;
    /// The most viewers.
    pub const MOST_VIEWERS: u32 = 4_096;

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
            density: city.density,
            chunk_size: city.chunk_size,
            max_in_flight: SchedulerConfig::default().max_in_flight,
            profile,
            budget: profile.budget(),
        }
    }

    /// Checks every field.
    ///
    /// # Errors
    ///
    /// The first setting that makes no sense, with its value.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let refuse = |setting, value: &dyn fmt::Display, demand: &str| {
            Err(SettingsError {
                setting,
                value: value.to_string(),
                demand: demand.to_owned(),
            })
        };
        if !(self.seconds > 0.0 && self.seconds <= Self::LONGEST_SECONDS) {
            return refuse(
                "seconds",
                &self.seconds,
                "more than 0 and at most 604800, a week",
            );
        }
        if self.viewers > Self::MOST_VIEWERS {
            return refuse("viewers", &self.viewers, "at most 4096");
        }
        if !(1..=Self::WIDEST_RADIUS).contains(&self.radius) {
            return refuse("radius", &self.radius, "1 to 200 chunks");
        }
        if self.unload_radius < self.radius {
            let demand = format!("at least the radius, which is {}", self.radius);
            return refuse("unload-radius", &self.unload_radius, &demand);
        }
        if self.unload_radius > 2 * Self::WIDEST_RADIUS {
            return refuse("unload-radius", &self.unload_radius, "at most 400 chunks");
        }
        if !CityConfig::DENSITIES.contains(&self.density) {
            return refuse("density", &self.density, DENSITIES);
        }
        if !CityConfig::CHUNK_SIZES.contains(&self.chunk_size) {
            return refuse("chunk-size", &self.chunk_size, CHUNK_SIZES);
        }
        if self.budget.chunks == Some(0) {
            return refuse("chunks-per-frame", &0, "at least 1");
        }
        if self.budget.time.is_some_and(|time| time.is_zero()) {
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

    /// How far each viewer sees.
    ///
    /// # Errors
    ///
    /// If the unload radius is less than the radius.
    pub fn range(&self) -> Result<ViewRange, SettingsError> {
        ViewRange::disc(self.radius, self.unload_radius).map_err(|_| SettingsError {
            setting: "unload-radius",
            value: self.unload_radius.to_string(),
            demand: format!("at least the radius, which is {}", self.radius),
        })
    }

    /// The settings of the stream.
    ///
    /// # Errors
    ///
    /// If any setting makes no sense.
    pub fn streaming(&self) -> Result<StreamingConfig, SettingsError> {
        self.validate()?;
        Ok(StreamingConfig {
            range: self.range()?,
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

    /// The grid that viewers' positions are on.
    pub(crate) fn grid(&self) -> Result<ChunkGrid, SettingsError> {
        ChunkGrid::planar(self.chunk_size).map_err(|_| SettingsError {
            setting: "chunk-size",
            value: self.chunk_size.to_string(),
            demand: CHUNK_SIZES.to_owned(),
        })
    }

    pub(crate) fn scheduler(&self) -> SchedulerConfig {
        SchedulerConfig {
            max_in_flight: self.max_in_flight,
            ..SchedulerConfig::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn refused(change: impl FnOnce(&mut Settings)) -> String {
        let mut settings = Settings::default();
        change(&mut settings);
        settings
            .validate()
            .expect_err("the change makes no sense")
            .to_string()
    }

    #[test]
    fn both_profiles_are_valid_and_last_900_frames() {
        for profile in [Profile::Standard, Profile::Original] {
            let settings = Settings::of(profile);
            assert_eq!(settings.validate(), Ok(()));
            assert_eq!(settings.frames(), 900);
        }
    }

    #[test]
    fn the_original_profile_is_the_streams_own_preset() {
        let ours = Settings::of(Profile::Original).streaming().expect("valid");
        let preset = StreamingConfig::original();
        assert_eq!(ours.budget, preset.budget);
        assert_eq!(ours.scheduler, preset.scheduler);
        assert_eq!(ours.range, preset.range);
    }

    #[test]
    fn the_defaults_are_the_streams_own() {
        let ours = Settings::default().streaming().expect("valid");
        let standard = StreamingConfig::default();
        assert_eq!(ours.budget, standard.budget);
        assert_eq!(ours.scheduler, standard.scheduler);
        assert_eq!(ours.range, standard.range);
    }

    #[test]
    fn each_bad_setting_is_refused_in_a_sentence_that_says_what_it_must_be() {
        let seconds = "it must be more than 0 and at most 604800, a week";
        for (message, sentence) in [
            (
                refused(|s| s.seconds = 0.0),
                format!("--seconds cannot be 0: {seconds}"),
            ),
            (
                refused(|s| s.seconds = -1.0),
                format!("--seconds cannot be -1: {seconds}"),
            ),
            (
                refused(|s| s.seconds = f64::NAN),
                format!("--seconds cannot be NaN: {seconds}"),
            ),
            (
                refused(|s| s.seconds = f64::INFINITY),
                format!("--seconds cannot be inf: {seconds}"),
            ),
        ] {
            assert_eq!(message, sentence);
        }
        for (message, sentence) in [
            (
                refused(|s| s.radius = 0),
                "--radius cannot be 0: it must be 1 to 200 chunks",
            ),
            (
                refused(|s| (s.radius, s.unload_radius) = (201, 210)),
                "--radius cannot be 201: it must be 1 to 200 chunks",
            ),
            (
                refused(|s| s.unload_radius = 11),
                "--unload-radius cannot be 11: it must be at least the radius, which is 12",
            ),
            (
                refused(|s| s.unload_radius = 401),
                "--unload-radius cannot be 401: it must be at most 400 chunks",
            ),
            (
                refused(|s| s.viewers = 1 << 20),
                "--viewers cannot be 1048576: it must be at most 4096",
            ),
            (
                refused(|s| s.density = 14),
                "--density cannot be 14: it must be 15 to 2000 entities a chunk",
            ),
            (
                refused(|s| s.chunk_size = f32::NAN),
                "--chunk-size cannot be NaN: it must be 20 to 10000 m",
            ),
            (
                refused(|s| s.max_in_flight = 0),
                "--max-in-flight cannot be 0: it must be 1 to 4096",
            ),
            (
                refused(|s| s.max_in_flight = 4_097),
                "--max-in-flight cannot be 4097: it must be 1 to 4096",
            ),
            (
                refused(|s| s.budget.chunks = Some(0)),
                "--chunks-per-frame cannot be 0: it must be at least 1",
            ),
            (
                refused(|s| s.budget.time = Some(Duration::ZERO)),
                "--apply-budget-ms cannot be 0: it must be more than 0",
            ),
        ] {
            assert_eq!(message, sentence);
        }
    }

    #[test]
    fn the_ranges_in_the_sentences_are_those_that_are_checked() {
        let (low, high) = CityConfig::CHUNK_SIZES.into_inner();
        assert_eq!(CHUNK_SIZES, format!("{low} to {high} m"));
        let (low, high) = CityConfig::DENSITIES.into_inner();
        assert_eq!(DENSITIES, format!("{low} to {high} entities a chunk"));
        let most = Settings {
            max_in_flight: Settings::MOST_IN_FLIGHT,
            ..Settings::default()
        };
        assert!(most.scheduler().validate().is_ok());
    }
}
