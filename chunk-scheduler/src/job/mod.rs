//! One job: what it is called, where it is in its life, and what makes its content.
//!
//! - `key`: keys, versions and lanes
//! - `state`: the states of a job, shared between threads
//! - `handle`: what a generator is told about its job
//! - `generator`: the user's code
//! - `panics`: panics of the user's code, turned into text

mod generator;
mod handle;
mod key;
pub(crate) mod panics;
mod state;

pub use generator::Generator;
pub(crate) use generator::{Attempt, KnownEmpty, Make};
pub use handle::Job;
pub(crate) use handle::yield_now;
pub use key::{Key, Lane, Requested, Version};
pub(crate) use state::JobCell;
pub use state::JobState;
