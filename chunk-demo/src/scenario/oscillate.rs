//! Back and forth over a border.

use bevy_math::Vec3;

use super::{Scenario, whole_world};
use crate::outcome::Outcome;
use crate::settings::Settings;

/// Four times a second over a corner where four chunks meet, and back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Oscillate;

const CROSSINGS_A_SECOND: f64 = 8.0;

impl Scenario for Oscillate {
    fn name(&self) -> &'static str {
        "oscillate"
    }

    fn proves(&self) -> &'static str {
        "a viewer that sways over a border inside the hysteresis band loads everything once and unloads nothing"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let is_beyond = (seconds * CROSSINGS_A_SECOND) as u64 % 2 == 1;
        let offset = if is_beyond { 5.0 } else { -5.0 };
        let apart = 3.0 * settings.radius as f32 * settings.chunk_size;
        Vec3::new(offset + viewer as f32 * apart, 80.0, offset)
    }

    fn check(&self, outcome: &Outcome, settings: &Settings) -> Vec<String> {
        let report = &outcome.report;
        let mut violations = whole_world(outcome);
        // Over a corner it is the diagonal that the band must be wider than.
        let has_band = settings.unload_radius >= settings.radius + 2;
        if has_band && report.unloaded + report.cancelled > 0 {
            violations.push(format!(
                "I9 broken, churn at a border: {} chunks unloaded and {} cancelled",
                report.unloaded, report.cancelled
            ));
        }
        let wanted = outcome.wanted_at_rest as u64;
        if has_band && report.requested > wanted {
            violations.push(format!(
                "I9 broken: {} chunks were asked for, though only {wanted} were ever wanted",
                report.requested
            ));
        }
        violations
    }
}
