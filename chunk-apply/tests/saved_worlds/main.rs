//! Worlds that are saved into an archive and go on in the next app, on a simulated pool and a store that does what a test
//! says.
//!
//! A failure of the model prints its seed and its last steps; run the seed again with
//! `SAVED_WORLDS_SEED=7 cargo test -p chunk-apply --features store --test saved_worlds`.

mod exit;
mod game;
mod model;
mod scripted;
