//! One job: what identifies it, its state, and what makes its content.
//!
//! - `key`: keys, versions and lanes
//! - `state`: the state of a job, shared between threads
//! - `handle`: the view of a job that its generator gets
//! - `generator`: the user's code
//! - `error`: why it made nothing
//! - `panics`: catches panics of the user's code

mod error;
mod generator;
mod handle;
mod key;
pub(crate) mod panics;
mod state;

pub use error::GenerateError;
pub use generator::Generator;
pub(crate) use generator::{Attempt, KnownEmpty, Make};
pub use handle::Job;
pub(crate) use handle::yield_now;
pub use key::{Key, Lane, Requested, Version};
pub(crate) use state::JobCell;
pub use state::JobState;
