//! Where workers run, and the clock that measures them.
//!
//! - `executor`: the user's choice, and the executor that carries it out
//! - `local_executor`: an executor without threads
//! - `simulation`: a deterministic executor for tests
//! - `clock`: the clock that measures how long work takes

mod clock;
mod executor;
mod local_executor;
mod simulation;

pub(crate) use clock::{ClockTime, WorkClock};
pub(crate) use executor::Executor;
#[cfg(not(loom))]
pub use executor::PoolRuntime;
pub use executor::{CustomRuntime, Runtime, available_cores, recommended_pool_threads};
pub use local_executor::WorkerFuture;
pub use simulation::Simulation;
pub(crate) use simulation::scramble;
