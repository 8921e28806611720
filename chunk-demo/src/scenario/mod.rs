//! Where the viewers are at any time, what goes wrong meanwhile, and what must hold all the same.
//!
//! A scenario is one small file: it says what it proves, places the viewers, and checks the outcome. All of them run on
//! any [`Workload`](crate::Workload).

mod dense;
mod edits;
mod flight;
mod long;
mod orbit;
mod oscillate;
mod panicking;
mod rest;
mod slow;
mod sprint;
mod teleport;

use core::fmt;

use bevy_math::Vec3;

use crate::faults::Faults;
use crate::outcome::Outcome;
use crate::settings::{Profile, Settings};

pub use dense::Dense;
pub use edits::Edits;
pub use flight::Flight;
pub use long::Long;
pub use orbit::Orbit;
pub use oscillate::Oscillate;
pub use panicking::Panicking;
pub use rest::Rest;
pub use slow::Slow;
pub use sprint::Sprint;
pub use teleport::Teleport;

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

    /// After how many frames the viewers are where they were, if they go round. Memory is measured once a round.
    fn round(&self) -> Option<u64> {
        None
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
pub const ALL: [&dyn Scenario; 13] = [
    &Flight,
    &Rest,
    &Sprint,
    &Teleport,
    &Oscillate,
    &Orbit,
    &Dense::HUNDREDS,
    &Dense::THOUSANDS,
    &Panicking::RARE,
    &Panicking::HALF,
    &Slow,
    &Edits,
    &Long,
];

/// The scenario of this name.
#[must_use]
pub fn named(name: &str) -> Option<&'static dyn Scenario> {
    ALL.into_iter().find(|scenario| scenario.name() == name)
}

/// The names of all scenarios, for a sentence.
#[must_use]
pub fn names() -> String {
    ALL.map(Scenario::name).join(", ")
}

/// The names of all scenarios and what each proves, a line each.
#[must_use]
pub fn list() -> String {
    let widest = ALL.map(|scenario| scenario.name().len());
    let width = widest.into_iter().max().unwrap_or_default();
    let line =
        |scenario: &dyn Scenario| format!("{:width$}  {}", scenario.name(), scenario.proves());
    ALL.map(line).join("\n")
}

/// What must hold where the stream is to keep up: once warmed up, or a second after the start, what is near the viewers is
/// there in every frame. Frames that follow each other at once leave workers no time to keep up, and two chunks a frame
/// were not meant to.
fn keeps_up(outcome: &Outcome, settings: &Settings) -> Option<String> {
    let seen = &outcome.witnessed;
    let must_keep_up = settings.profile != Profile::Original && !outcome.is_unpaced;
    let is_broken = must_keep_up && seen.frames_near_missing > 0;
    is_broken.then(|| {
        format!(
            "a chunk near a viewer was missing in {} frames from frame {} on, by which the world should have been there",
            seen.frames_near_missing,
            seen.warm_in_frame.unwrap_or_default(),
        )
    })
}

/// What every scenario must come to in the end: at rest, everything wanted is there, but for what is broken for ever.
fn whole_world(outcome: &Outcome) -> Vec<String> {
    let unexplained = outcome.missing_at_rest - outcome.broken_at_rest;
    if unexplained == 0 {
        return Vec::new();
    }
    vec![format!(
        "{unexplained} of {} wanted chunks are missing in a world at rest",
        outcome.wanted_at_rest
    )]
}
