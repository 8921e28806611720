//! The stream as a whole, frame by frame, on a simulated pool.
#![cfg(feature = "streaming")]

mod adopting;
mod budget;
mod composition;
#[cfg(feature = "visibility")]
mod drawing;
#[cfg(feature = "metrics")]
mod facade;
mod failures;
mod figures;
mod frames;
mod honesty;
mod interference;
mod levels;
mod loading;
mod overtaking;
#[cfg(feature = "bevy_reflect")]
mod reflecting;
mod replacing;
mod rig;
mod saving;
mod shares;
mod two_streams;
mod unloading;
mod viewers;
