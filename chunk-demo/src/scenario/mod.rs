//! Where the viewers are at any time, what goes wrong meanwhile, and what must hold all the same.
//!
//! A scenario is one small file: it says what it proves, places the viewers, and checks the outcome. All of them run on
//! any [`Workload`](crate::Workload).

mod flight;

use core::fmt;

use bevy_math::Vec3;

use crate::faults::Faults;
use crate::outcome::Outcome;
use crate::settings::Settings;

pub use flight::Flight;

/// One way to move through a world, and what it must not break.
pub trait Scenario: fmt::Debug + Sync {
    /// What it is called on the command line.
    fn name(&self) -> &'static str;

    /// What a run of it proves, in a sentence.
    fn proves(&self) -> &'static str;

    /// Changes the defaults that make no sense for it, such as the number of viewers.
    fn adjust(&self, _settings: &mut Settings) {}

    /// Where a viewer is, in metres; y is up.
    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3;

    /// What goes wrong in generators.
    fn faults(&self) -> Faults {
        Faults::NONE
    }

    /// How many chunks around the viewers are edited in this frame.
    fn edits(&self, _frame: u64) -> u32 {
        0
    }

    /// What did not hold, a sentence each. What must hold in every scenario has been checked by then.
    fn check(&self, _outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        Vec::new()
    }
}

/// Every scenario, in the order in which they are listed to the user.
pub const ALL: [&dyn Scenario; 1] = [&Flight];

/// The scenario of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Scenario> {
    ALL.into_iter().find(|scenario| scenario.name() == name)
}
