//! The workers: tasks that pull jobs, and what they share with the main thread.
//!
//! - `work_loop`: what a worker does
//! - `slot`: the job and the results of one worker
//! - `count`: how many workers there are, and how one exits without losing a wake-up
//! - `permits`: room for results, taken before a job starts
//! - `shared`: the state that all workers and the main thread share

mod count;
mod permits;
mod shared;
mod slot;
mod work_loop;

pub(crate) use count::MAX_WORKERS;
pub(crate) use permits::ResultPermits;
pub(crate) use shared::Shared;
pub(crate) use slot::{Fault, Finished, ResultQueue, WorkerSlot, empty_queue};
pub(crate) use work_loop::run;
