//! What a scenario is.

use core::fmt;

use bevy_math::Vec3;

use crate::harness::{Faults, Outcome, Settings};

/// One way to move through a world, and what must hold meanwhile.
pub trait Scenario: fmt::Debug + Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// What a run proves, in a sentence.
    fn proves(&self) -> &'static str;

    /// Changes the defaults that make no sense for the scenario, such as the number of viewers.
    fn adjust(&self, _settings: &mut Settings) {}

    /// The position of a viewer, in metres; y is up.
    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3;

    /// Which generators panic or take long.
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

    /// Whether every chunk near a viewer must be loaded in every frame after the warm-up.
    fn must_keep_up(&self) -> bool {
        false
    }

    /// What did not hold, a sentence each, beyond what every run is checked for.
    fn check(&self, _outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        Vec::new()
    }
}

/// Where a viewer of a scenario is, below the ceiling.
pub(crate) fn place(
    scenario: &dyn Scenario,
    viewer: u32,
    seconds: f64,
    settings: &Settings,
) -> Vec3 {
    let place = scenario.place(viewer, seconds, settings);
    place.with_y(place.y.min(settings.ceiling))
}

/// A position `x`, `y` for the first viewer; further viewers are so far away that they share no chunk with it.
pub(super) fn apart(viewer: u32, x: f32, y: f32, settings: &Settings) -> Vec3 {
    let distance = 3.0 * settings.radius as f32 * settings.chunk_size;
    Vec3::new(x + viewer as f32 * distance, y, 0.0)
}
