//! The systems of a stream, in the order in which they run in a frame.

mod apply;
mod begin_frame;
mod clear_up;
mod frame_time;
mod generate;
mod mark_changed;
mod scan;
mod tell_ready;

pub(super) use apply::apply;
pub(super) use begin_frame::begin_frame;
pub(super) use clear_up::{clear_up, has_left_over};
pub(super) use frame_time::{adapts, frame_begins, frame_ends};
pub(super) use generate::generate;
pub use mark_changed::mark_changed_chunks;
pub(super) use scan::scan;
pub(super) use tell_ready::tell_ready;
