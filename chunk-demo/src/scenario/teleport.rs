//! Jumps to where nothing is loaded.

use bevy_math::Vec3;

use super::{Scenario, whole_world};
use crate::outcome::Outcome;
use crate::settings::Settings;

/// Twice a second somewhere else, 1,000 chunks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Teleport;

const JUMPS_A_SECOND: f64 = 2.0;
const CHUNKS: f32 = 1_000.0;

impl Scenario for Teleport {
    fn name(&self) -> &'static str {
        "teleport"
    }

    fn proves(&self) -> &'static str {
        "jumps of 1,000 chunks leave nothing behind, and before the next jump all that bare threads can make is there"
    }

    fn adjust(&self, settings: &mut Settings) {
        settings.seconds = 10.0;
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        // Around the corners of a square, so that a position never needs more digits than an `f32` has.
        let side = CHUNKS * settings.chunk_size;
        let corner = (seconds * JUMPS_A_SECOND) as u64 % 4;
        let (x, z) = match corner {
            0 => (0.0, 0.0),
            1 => (side, 0.0),
            2 => (side, side),
            _ => (0.0, side),
        };
        let apart = 3.0 * settings.radius as f32 * settings.chunk_size;
        Vec3::new(x + viewer as f32 * apart, 80.0, z)
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let mut violations = whole_world(outcome);
        let seen = &outcome.witnessed;
        let must_be_there = !outcome.is_unpaced && bare_threads(outcome) <= SHARE / JUMPS_A_SECOND;
        if must_be_there && seen.leaps_unfilled > 0 {
            violations.push(format!(
                "{} of {} jumps came before the world was there, for which bare threads need {:.3} s",
                seen.leaps_unfilled,
                seen.leaps,
                bare_threads(outcome)
            ));
        }
        violations
    }
}

/// The share of the time between two jumps that bare threads may need for what must be there by the next.
const SHARE: f64 = 0.8;

/// How long as many threads as the pool has would need to make all that is wanted after a jump, in seconds.
fn bare_threads(outcome: &Outcome) -> f64 {
    let threads = outcome.pool_threads.min(outcome.max_in_flight).max(1);
    let chunks = outcome.witnessed.most_wanted as f64;
    chunks * outcome.report.generation_us_mean / 1e6 / threads as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::Witnessed;

    fn violations(generation_us: f64) -> Vec<String> {
        let mut outcome = Outcome {
            pool_threads: 1,
            max_in_flight: 3,
            witnessed: Witnessed {
                leaps: 20,
                leaps_unfilled: 2,
                most_wanted: 500,
                ..Witnessed::default()
            },
            ..Outcome::default()
        };
        outcome.report.generation_us_mean = generation_us;
        Teleport.check(&outcome, &Settings::default())
    }

    #[test]
    fn what_bare_threads_could_have_made_must_be_there() {
        assert_eq!(
            violations(800.0),
            ["2 of 20 jumps came before the world was there, for which bare threads need 0.400 s"]
        );
        assert_eq!(violations(801.0), [""; 0], "nobody can");
    }
}
