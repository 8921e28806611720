//! The stream as a whole, frame by frame, on a simulated pool.
#![cfg(feature = "streaming")]

mod budget;
mod composition;
#[cfg(feature = "metrics")]
mod facade;
mod failures;
mod figures;
mod interference;
mod levels;
mod loading;
mod replacing;
mod rig;
mod spans;
mod unloading;
mod viewers;
