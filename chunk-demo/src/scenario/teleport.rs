//! Jumps to where nothing is loaded.

use bevy_math::Vec3;

use super::scenario_trait::{Scenario, apart};
use crate::harness::{Outcome, Settings};

/// Twice a second somewhere else, 1,000 chunks away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Teleport;

const JUMPS_A_SECOND: f64 = 2.0;
const CHUNKS: f32 = 1_000.0;
/// The share of the time between two jumps that bare threads may need for what must be loaded by the next.
const SHARE: f64 = 0.8;

impl Scenario for Teleport {
    fn name(&self) -> &'static str {
        "teleport"
    }

    fn proves(&self) -> &'static str {
        "jumps of 1,000 chunks leave nothing behind, and before the next jump all that bare threads can make is loaded"
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
        apart(viewer, x, 80.0, settings).with_z(z)
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let observed = &outcome.observed;
        let needed = bare_threads(outcome);
        let is_possible = !outcome.is_unpaced && needed <= SHARE / JUMPS_A_SECOND;
        Vec::from_iter((is_possible && observed.leaps_unfilled > 0).then(|| {
            format!(
                "{} of {} jumps came before the world was there, for which bare threads need {needed:.3} s",
                observed.leaps_unfilled, observed.leaps
            )
        }))
    }
}

/// How long as many threads as the pool has would need to make all that is wanted after a jump, in seconds.
fn bare_threads(outcome: &Outcome) -> f64 {
    let threads = outcome.pool_threads.min(outcome.max_in_flight).max(1);
    let chunks = outcome.observed.most_wanted as f64;
    chunks * outcome.report.generation_us_mean / 1e6 / threads as f64
}
