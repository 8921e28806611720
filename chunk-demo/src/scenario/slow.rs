//! Generators that take long.

use std::time::Duration;

use bevy_math::Vec3;

use super::{Flight, Scenario, keeps_up, whole_world};
use crate::faults::Faults;
use crate::outcome::Outcome;
use crate::settings::Settings;

/// The flight, with one chunk in a hundred taking 200 ms.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slow;

const DELAY: Duration = Duration::from_millis(200);

impl Scenario for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn proves(&self) -> &'static str {
        "chunks that take 200 ms hold up a worker and nothing else: neither what is near nor the main thread waits"
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

    fn check(&self, outcome: &Outcome, settings: &Settings) -> Vec<String> {
        let mut violations = whole_world(outcome);
        violations.extend(keeps_up(outcome, settings));
        if outcome.stream_alone_max >= DELAY {
            violations.push(format!(
                "the main thread waited for a generator: the stream took {:?} of a frame",
                outcome.stream_alone_max
            ));
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_main_thread_that_waits_is_reported() {
        let mut outcome = Outcome {
            stream_alone_max: Duration::from_millis(199),
            ..Outcome::default()
        };
        assert_eq!(Slow.check(&outcome, &Settings::default()), [""; 0]);
        outcome.stream_alone_max = DELAY;
        assert_eq!(
            Slow.check(&outcome, &Settings::default()),
            ["the main thread waited for a generator: the stream took 200ms of a frame"]
        );
    }
}
