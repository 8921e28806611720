//! The configuration of a scheduler.
//!
//! - `scheduler_config`: all settings
//! - `policy`: the settings for retries, concurrency and overruns
//! - `error`: why a setting is refused

mod error;
mod policy;
mod scheduler_config;

pub use error::{ConfigError, ConfigErrorKind};
pub(crate) use policy::check_in_flight;
pub use policy::{AdaptivePolicy, Concurrency, OverrunPolicy, RetryPolicy};
pub use scheduler_config::SchedulerConfig;
