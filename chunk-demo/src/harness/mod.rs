//! Plays scenarios on a stream, measures every frame, and checks what must hold.
//!
//! | file | what it is |
//! |---|---|
//! | `settings`, `pacing`, `faults`, `workload`, `world_kind` | what a run depends on |
//! | `app` | puts a stream into a Bevy app |
//! | `run` | plays a scenario from its first frame to the audit after its last |
//! | `session` | the app of one run: viewers, edits, one frame after the other |
//! | `oracle` | which chunks should be loaded, by where the viewers really are |
//! | `observer` | what the stream does, compared with the oracle |
//! | `frame_cost`, `memory`, `recorder` | what frames and memory cost |
//! | `audit` | what must hold in the world |
//! | `invariants` | what must hold in every run |
//! | `watchdog` | notices a stream that hangs |
//! | `progress` | what a run tells its watcher |
//! | `outcome`, `report` | the result of a run |
//! | `stress` | the five stress tests |

mod app;
mod audit;
mod faults;
mod frame_cost;
mod invariants;
mod memory;
mod observer;
mod oracle;
mod outcome;
mod pacing;
mod progress;
mod recorder;
mod report;
mod run;
mod session;
mod settings;
mod stress;
mod watchdog;
mod workload;
mod world_kind;

#[cfg(all(test, feature = "render"))]
pub(crate) use app::headless;
pub use app::{add_city, city_app, task_pools};
#[cfg(feature = "render")]
pub(crate) use app::{add_world, ready};
pub use faults::{Fate, Faults};
pub use frame_cost::{Cause, FrameCost};
pub use outcome::{Observed, Outcome};
pub use pacing::Pacing;
pub use progress::{Phase, Progress, Watcher};
pub use report::Report;
pub use run::Run;
#[cfg(feature = "render")]
pub(crate) use settings::view_range;
pub use settings::{Profile, Settings, SettingsError};
pub use stress::{STRESS_RUNS, StressRun, frame_analysis};
pub use workload::Workload;
pub use world_kind::{OnWorld, WorldKind};
