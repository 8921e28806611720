//! A real use of the workspace: a city without end, streamed around viewers, measured and audited.
//!
//! | part | what it is |
//! |---|---|
//! | [`city`] | what a chunk contains, from a seed and a coordinate |
//! | [`city_app`], [`add_city`], [`spawn`] | the city in a Bevy app |
//! | [`scenario`] | ways to move through a world, each with what it proves |
//! | [`Run`], [`Workload`], [`Settings`] | plays a scenario on the city, or on a generator of your own |
//! | [`STRESS_RUNS`] | the five stress tests, on any workload |
//! | [`Outcome`], [`Report`], [`chart::text_table()`] | what was measured, and what did not hold |
//!
//! ```
//! use chunk_demo::{Pacing, Run, Settings, Workload, scenario::Flight};
//!
//! let settings = Settings { seconds: 0.5, radius: 3, unload_radius: 4, ..Settings::default() };
//! let city = Workload::city(settings.city())?;
//! let run = Run { pacing: Pacing::Unpaced, ..Run::new(settings, &Flight, city) };
//! let report = run.go(&mut ())?.report;
//! assert_eq!(report.assets, 4);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! It is a program to measure with and to copy from, not a library to ship in a game.
#![forbid(unsafe_code)]

mod app;
mod audit;
pub mod chart;
pub mod city;
mod faults;
mod lateness;
mod memory;
pub mod motion;
mod oracle;
mod outcome;
mod pacing;
mod patience;
mod promises;
mod recorder;
#[cfg(feature = "render")]
pub mod render;
mod report;
mod run;
pub mod scenario;
mod settings;
mod settings_error;
pub mod spawn;
mod stage;
mod stress;
mod watch;
mod witness;
mod workload;

pub use app::{add_city, city_app, task_pools};
pub use faults::{Fate, Faults};
pub use lateness::{Cause, FrameCost};
pub use memory::{peak_rss_bytes, rss_bytes};
pub use outcome::Outcome;
pub use pacing::Pacing;
pub use report::Report;
pub use run::Run;
pub use settings::{Profile, Settings};
pub use settings_error::SettingsError;
pub use stress::{STRESS_RUNS, StressRun, frame_analysis};
pub use watch::{Phase, Progress, Watcher};
pub use witness::Witnessed;
pub use workload::Workload;

/// Compiles and runs the quick start of the workspace's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct QuickStart;

/// Compiles the snippets of the migration guides.
#[cfg(doctest)]
mod migration_guides {
    #[doc = include_str!("../../migration-guides/from-your-own.md")]
    struct FromYourOwn;
}
