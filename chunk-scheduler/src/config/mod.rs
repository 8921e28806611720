//! The configuration of a scheduler.
//!
//! - `scheduler_config`: all settings
//! - `retry_policy`, `concurrency_policy`, `overrun_policy`: the settings for retries, for the limit on jobs in flight, and
//!   for generators that run too long
//! - `error`: why a setting is refused

mod concurrency_policy;
mod error;
mod overrun_policy;
mod retry_policy;
mod scheduler_config;

pub(crate) use concurrency_policy::check_in_flight;
pub use concurrency_policy::{AdaptivePolicy, Concurrency};
pub use error::{ConfigError, ConfigErrorKind};
pub use overrun_policy::OverrunPolicy;
pub use retry_policy::RetryPolicy;
pub use scheduler_config::SchedulerConfig;
