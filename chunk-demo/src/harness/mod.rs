//! Plays scenarios on a stream, measures every frame, and checks what must hold.
//!
//! | file | what it is |
//! |---|---|
//! | `settings`, `pacing`, `faults`, `workload` | what a run depends on |
//! | `app` | puts a stream into a Bevy app |
//! | `run` | plays a scenario from its first frame to the audit after its last |
//! | `session` | the app of one run: viewers, edits, one frame after the other |
//! | `oracle`, `observer` | which chunks should be there, and what the stream did instead |
//! | `frame_cost`, `memory`, `recorder` | what frames and memory cost |
//! | `audit`, `invariants` | what must hold in the world, and in every run |
//! | `watchdog` | when a stream hangs |
//! | `progress` | what a run tells while it lasts |
//! | `outcome`, `report` | what came of it |
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

#[cfg(all(test, feature = "render"))]
pub(crate) use app::headless;
pub use app::{add_city, city_app, task_pools};
#[cfg(feature = "render")]
pub(crate) use app::{add_stream, ready};
pub use faults::{Fate, Faults};
pub use frame_cost::{Cause, FrameCost};
pub use outcome::{Observed, Outcome};
pub use pacing::Pacing;
pub use progress::{Phase, Progress, Watcher};
pub use report::Report;
pub use run::Run;
pub use settings::{Profile, Settings, SettingsError};
pub use stress::{STRESS_RUNS, StressRun, frame_analysis};
pub use workload::Workload;
