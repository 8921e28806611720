//! Versioned, bounded, nearest-first background generation on a task pool.
//!
//! It generates requested keys on background threads, the soonest first by an order that may change at any time, and
//! delivers each result exactly once, on the thread that requested it. It loses nothing, delivers nothing outdated,
//! and never makes that thread wait.
//!
//! | type | what it is |
//! |---|---|
//! | [`Scheduler`] | the main thread's handle: request, refresh, cancel, tick, drain, applied |
//! | [`Generator`] | makes the content: a function or an async function of a [`Job`] |
//! | [`Layers`], [`Layer`] | intermediate results that generators read for any key and share |
//! | [`Rank`] | the order, as a snapshot of what it depends on |
//! | [`Runtime`] | where workers run: Bevy's pool, one of your own, no threads, a [`Simulation`] |
//! | [`Counters`], [`Depths`], [`Explanation`] | what happened, where jobs are, and why |
//!
//! ```
//! use chunk_scheduler::prelude::*;
//! use std::time::Duration;
//!
//! let generator = Generator::new(|job: &Job<[i32; 2]>| vec![job.key(); 3]);
//! let viewer = [0, 0];
//! let nearest = FnRank(move |key: &[i32; 2]| key[0].abs_diff(viewer[0]).max(key[1].abs_diff(viewer[1])));
//! let mut scheduler = Scheduler::new(SchedulerConfig::default(), generator, Runtime::default(), nearest)?;
//!
//! scheduler.request([1, 0]);
//! scheduler.request([4, 4]);
//! let mut frame = 0;
//! while scheduler.depths().live() > 0 {
//!     frame += 1;
//!     scheduler.tick(Duration::from_millis(16) * frame);
//!     let mut ready = Vec::new();
//!     scheduler.drain(8, |delivered| ready.push(delivered));
//!     for chunk in ready {
//!         assert!(scheduler.applied(chunk.key, chunk.version));
//!     }
//! }
//! assert_eq!(scheduler.counters().applied, 2);
//! # Ok::<(), chunk_scheduler::ConfigError>(())
//! ```
//!
//! With the feature `store`, the module `store` saves values by key: encoded and written on workers, durable when it says so.
//!
//! It does not know what a key means or where a viewer is (see `chunk-coord`), and it does not touch a `World` (see
//! `chunk-apply`). It cannot stop a generator that does not stop itself.
//!
//! Panics of generators are caught, retried and quarantined, **unless the program is built with `panic = "abort"`**:
//! then a panic ends the process, and only errors that generators return are retried. The log says so, once.
//!
//! A generator that panics until it is given up takes one line of the log, with the place of the panic. The process's panic
//! hook prints nothing about what panics inside of a generator's call where warnings of this crate are seen, so neither
//! about panics that the generator catches itself, nor about those of other tasks that its call runs meanwhile.
#![forbid(unsafe_code)]

mod config;
mod histogram;
mod job;
mod layer;
mod queue;
mod runtime;
mod scheduler;
#[cfg(feature = "store")]
pub mod store;
mod sync;
mod worker;

pub use config::{
    AdaptivePolicy, Concurrency, ConfigError, ConfigErrorKind, OverrunPolicy, RetryPolicy,
    SchedulerConfig,
};
pub use histogram::{DurationRecorder, DurationSummary};
pub use job::{GenerateError, Generator, Job, JobState, Key, Lane, Requested, Version};
pub use layer::{Invalidated, Layer, LayerJob, LayerReport, Layers, Reader, Sources};
pub use queue::{FnRank, MayChange, Rank};
#[cfg(not(loom))]
pub use runtime::PoolRuntime;
pub use runtime::{
    CustomRuntime, Runtime, Simulation, WorkerFuture, available_cores, recommended_pool_threads,
};
pub use scheduler::{
    AuditError, AuditErrorKind, ConcurrencyDecision, ConcurrencyReason, ConcurrencyReport,
    Counters, Delivered, Depths, Explanation, Failure, LiveStatus, Overrun, Quarantined, Scheduler,
    Status, Verdict, WaitsFor,
};

/// The types that most users need.
pub mod prelude {
    pub use crate::{
        Concurrency, Delivered, FnRank, GenerateError, Generator, Job, Key, Lane, Layer, LayerJob,
        Layers, Rank, Requested, Runtime, Scheduler, SchedulerConfig, Version,
    };
}

/// Compiles and runs the example of this crate's README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
