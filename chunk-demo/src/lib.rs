//! A complete use of the workspace: endless worlds that are streamed around viewers, measured and audited.
//!
//! | part | what it is |
//! |---|---|
//! | [`city`] | what a chunk of the city contains, from a seed and a coordinate |
//! | `voxels` | with the feature `voxels`: hills and caves that can be dug, a mesh for each chunk |
//! | `terrain` | with the feature `terrain`: hills and mountains at three levels of detail, with colliders near the viewer |
//! | `crash` | with the feature `saves`: programs that are killed while they save, and what must be there afterwards |
//! | `bake` | with the feature `shared-store`: the city made ahead of time, into a store that many processes share |
//! | [`city_app`], [`add_city`], [`city::spawn`] | the city in a Bevy app |
//! | [`scenario`] | ways to move through a world, each with what it proves |
//! | [`motion`] | vehicles and people that move |
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
//! The program `chunk-demo` is in `src/cli`. The crate is for measuring and for copying from, not for a game to depend
//! on.
#![forbid(unsafe_code)]

#[cfg(feature = "shared-store")]
pub mod bake;
pub mod chart;
pub mod city;
#[cfg(feature = "saves")]
pub mod crash;
mod harness;
pub mod motion;
#[cfg(feature = "render")]
pub mod render;
pub mod scenario;
#[cfg(feature = "terrain")]
pub mod terrain;
#[cfg(feature = "voxels")]
pub mod voxels;

pub use harness::{
    Cause, Drawing, Fate, Faults, FrameCost, Observed, OnWorld, Outcome, Pacing, Phase, Profile,
    Progress, Report, Run, STRESS_RUNS, Settings, SettingsError, StressRun, Watcher, Workload,
    WorldKind, add_city, city_app, frame_analysis, task_pools,
};

/// Compiles and runs the quick start of the workspace's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct QuickStart;

/// Compiles and runs the recipes.
#[cfg(doctest)]
#[doc = include_str!("../../docs/cookbook.md")]
struct Cookbook;

/// Compiles the snippets of the migration guides.
#[cfg(doctest)]
mod migration_guides {
    #[doc = include_str!("../../migration-guides/from-your-own.md")]
    struct FromYourOwn;
}
