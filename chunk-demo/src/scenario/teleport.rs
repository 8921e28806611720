//! Jumps to where nothing is loaded.

use bevy_math::Vec3;

use super::scenario_trait::{Scenario, apart};
use crate::harness::{Outcome, Settings};

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
        "jumps of 1,000 chunks leave nothing behind, and all is loaded before the next jump unless the threads or the budget are used up"
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
        let is_late = !outcome.is_unpaced && observed.leaps_unfilled > 0;
        Vec::from_iter(is_late.then(|| {
            format!(
                "{} of {} jumps came before the world was there, though neither the budget nor the threads were used up",
                observed.leaps_unfilled, observed.leaps
            )
        }))
    }
}
