//! Generators that take long.

use std::time::Duration;

use bevy_math::Vec3;

use super::{Flight, Scenario, whole_world};
use crate::faults::Faults;
use crate::outcome::Outcome;
use crate::settings::Settings;

/// The flight, with one chunk in a hundred taking 200 ms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slow;

impl Scenario for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn proves(&self) -> &'static str {
        "chunks that take 200 ms hold up a worker and nothing else: the main thread never waits for them"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        Flight.place(viewer, seconds, settings)
    }

    fn faults(&self) -> Faults {
        Faults {
            slow: 0.01,
            delay: Duration::from_millis(200),
            ..Faults::NONE
        }
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        whole_world(outcome)
    }
}
