//! The stream as a whole, frame by frame, on a simulated pool.
#![cfg(feature = "streaming")]

mod adaptive;
mod autosave;
mod blocked_saves;
mod budget;
mod budget_costs;
mod ceiling;
mod children;
mod composition;
mod continuous_edits;
mod despawned_roots;
mod dirty;
#[cfg(feature = "visibility")]
mod drawing;
mod failures;
mod fast_flight;
mod frames;
mod gates;
mod inline;
mod interference;
mod layered;
mod lingering;
mod load_order;
mod loading;
mod lod;
#[cfg(feature = "metrics")]
mod metrics_facade;
mod moving_origin;
mod panics;
mod picked_viewers;
mod planes;
mod prefetching;
#[cfg(feature = "bevy_reflect")]
mod reflection;
mod regions;
mod replacing;
mod reset;
mod returning;
mod rig;
mod room_for_saves;
mod root_events;
mod save_failures;
mod saving;
mod settings;
mod settled;
mod start_stop;
mod stats;
mod together;
mod two_streams;
mod unload_share;
mod unloading;
mod uploads;
mod user_code;
mod viewers;
mod viewers_at_chunks;
mod whole_chunks;
mod whole_frames;
