//! How a scheduler behaves.
//!
//! - `scheduler_config`: all settings
//! - `policy`: those about retries, concurrency and overruns
//! - `error`: why a setting is refused

mod error;
mod policy;
mod scheduler_config;

pub(crate) use error::check_in_flight;
pub use error::{ConfigError, ConfigErrorKind};
pub use policy::{AdaptivePolicy, Concurrency, OverrunPolicy, RetryPolicy};
pub use scheduler_config::SchedulerConfig;
