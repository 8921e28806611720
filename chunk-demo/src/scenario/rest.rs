//! Viewers that stand still.

use bevy_math::Vec3;

use super::{Scenario, whole_world};
use crate::outcome::Outcome;
use crate::settings::Settings;

/// A viewer that does not move.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rest;

impl Scenario for Rest {
    fn name(&self) -> &'static str {
        "rest"
    }

    fn proves(&self) -> &'static str {
        "a viewer at rest gets its world once, and then nothing is loaded or unloaded any more"
    }

    fn place(&self, viewer: u32, _seconds: f64, settings: &Settings) -> Vec3 {
        let apart = 3.0 * settings.radius as f32 * settings.chunk_size;
        Vec3::new(viewer as f32 * apart, 80.0, 0.0)
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let (report, seen) = (&outcome.report, &outcome.witnessed);
        let mut violations = whole_world(outcome);
        if seen.applied_after_filled + report.unloaded + report.cancelled > 0 {
            violations.push(format!(
                "a world at rest changed: {} chunks appeared after it was full, {} were unloaded, {} cancelled",
                seen.applied_after_filled, report.unloaded, report.cancelled
            ));
        }
        violations
    }
}
