//! Archives: what is saved is there, whatever the store does.

mod faults;
mod model;
mod saving;
mod scripted;
mod sharing;
