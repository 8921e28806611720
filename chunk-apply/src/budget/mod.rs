//! How much main-thread work a frame may hold, and how it is measured.

mod apply_budget;
mod clock;
mod cost_key;
mod cost_model;
mod pacer;
mod report;
mod table_growth;

pub use apply_budget::ApplyBudget;
pub use clock::{Clock, ManualClock, MonotonicClock};
pub(crate) use cost_key::CostKey;
pub(crate) use cost_model::CostModel;
pub(crate) use pacer::Pacer;
pub use report::ApplyReport;
