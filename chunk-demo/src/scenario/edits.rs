//! A storm of edits.

use bevy_math::Vec3;

use super::{Flight, Scenario, whole_world};
use crate::outcome::Outcome;
use crate::settings::Settings;

/// The flight, with four chunks around the viewers made anew in every frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Edits;

impl Scenario for Edits {
    fn name(&self) -> &'static str {
        "edits"
    }

    fn proves(&self) -> &'static str {
        "240 edits a second overtake loading, replace chunks whole, and never leave two versions of one"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        Flight.place(viewer, seconds, settings)
    }

    fn edits(&self, _frame: u64) -> u32 {
        4
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let mut violations = whole_world(outcome);
        if outcome.edits == 0 {
            violations.push("no edit was accepted".to_owned());
        }
        violations
    }
}
