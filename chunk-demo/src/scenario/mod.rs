//! Where the viewers are at any time, which generators fail meanwhile, and what must hold all the same.
//!
//! A scenario is one small file: it says what it proves, places the viewers, and checks the outcome. `scenario_trait`
//! says what a scenario is and `catalogue` lists them all. They run on any [`Workload`](crate::Workload).

mod catalogue;
mod dense;
mod edits;
mod flight;
mod long;
mod orbit;
mod oscillate;
mod panicking;
mod rest;
mod scenario_trait;
mod slow;
mod sprint;
mod teleport;

pub use catalogue::{ALL, list, named, names};
pub use dense::Dense;
pub use edits::Edits;
pub use flight::Flight;
pub use long::Long;
pub use orbit::Orbit;
pub use oscillate::Oscillate;
pub use panicking::Panicking;
pub use rest::Rest;
pub use scenario_trait::Scenario;
pub(crate) use scenario_trait::place;
pub use slow::Slow;
pub use sprint::Sprint;
pub use teleport::Teleport;
