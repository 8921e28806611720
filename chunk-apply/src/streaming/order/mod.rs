//! Which chunk is generated and applied first.
//!
//! - `load_order`: the orders to choose from
//! - `motion`: how fast a viewer moves
//! - `order_tracker`: what the order needs to know of the viewers, as the last scan saw them
//! - `viewer_rank`: the snapshot by which jobs and results are ordered
//! - `prefetch`: what lies ahead beyond the load radius

mod load_order;
mod motion;
mod order_tracker;
mod prefetch;
mod viewer_rank;

pub use load_order::{LoadOrder, ViewerSnapshot};
pub(super) use order_tracker::OrderTracker;
pub(super) use prefetch::Prefetch;
pub use viewer_rank::ViewerRank;
