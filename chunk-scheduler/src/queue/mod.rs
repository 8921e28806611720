//! The queue of jobs, from which workers pick the soonest.
//!
//! - `rank`: the order, as the user defines it
//! - `inbox`: jobs that the main thread submitted and no worker has queued yet
//! - `picker`: which job is next
//! - `lane_queue`: the heap of one lane

mod inbox;
mod lane_queue;
mod picker;
mod rank;

pub(crate) use inbox::{Inbox, Submission, Submissions, no_submissions};
pub(crate) use picker::{Picked, Picker, Reach, Unrankable};
pub use rank::{FnRank, MayChange, Rank};
