//! Generators that take long.

use std::time::Duration;

use bevy_math::Vec3;

use super::flight::Flight;
use super::scenario_trait::Scenario;
use crate::harness::{Faults, Outcome, Settings};

/// The flight, with one chunk in a hundred taking 200 ms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slow;

const DELAY: Duration = Duration::from_millis(200);

impl Scenario for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn proves(&self) -> &'static str {
        "chunks that take 200 ms hold up one worker and nothing else: neither near chunks nor the main thread wait"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        Flight.place(viewer, seconds, settings)
    }

    fn faults(&self) -> Faults {
        Faults {
            slow: 0.01,
            delay: DELAY,
            ..Faults::NONE
        }
    }

    fn must_keep_up(&self) -> bool {
        true
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let longest = outcome.stream_alone_max;
        Vec::from_iter((longest >= DELAY).then(|| {
            format!(
                "the main thread waited for a generator: the stream took {longest:?} of a frame"
            )
        }))
    }
}
