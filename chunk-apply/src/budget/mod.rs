//! How much main-thread work a frame may hold, and how it is measured.

mod apply_budget;
mod clock;
mod cost_key;
mod cost_model;
#[cfg_attr(
    not(feature = "streaming"),
    expect(dead_code, reason = "only a stream sees whole frames")
)]
mod downstream;
#[cfg(feature = "streaming")]
mod frame_budget;
mod frame_target;
mod pacer;
mod report;
mod table_growth;

pub use apply_budget::ApplyBudget;
pub use clock::{Clock, ManualClock, MonotonicClock};
pub(crate) use cost_key::CostKey;
pub(crate) use cost_model::CostModel;
#[cfg(feature = "streaming")]
pub(crate) use downstream::Changes;
pub(crate) use downstream::Downstream;
#[cfg(feature = "streaming")]
pub(crate) use frame_budget::FrameBudget;
pub use frame_target::FrameTarget;
pub(crate) use pacer::Pacer;
pub use report::ApplyReport;
