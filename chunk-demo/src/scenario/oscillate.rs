//! Back and forth over a border.

use bevy_math::Vec3;

use super::scenario_trait::{Scenario, apart};
use crate::harness::{Outcome, Settings};

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
        apart(viewer, offset, 80.0, settings).with_z(offset)
    }

    fn check(&self, outcome: &Outcome, settings: &Settings) -> Vec<String> {
        let report = &outcome.report;
        let wanted = outcome.wanted_at_rest as u64;
        // Over a corner the band must be wider than the diagonal of a chunk.
        if settings.unload_radius < settings.radius + 2 {
            return Vec::new();
        }
        // Where there are levels, the first sway may change that of each chunk, once.
        let relevelled = outcome.observed.levels_changed.min(wanted);
        let churned = (report.unloaded + report.cancelled > relevelled).then(|| {
            format!(
                "I9 broken, churn at a border: {} chunks unloaded and {} cancelled",
                report.unloaded, report.cancelled
            )
        });
        let repeated = (report.requested > wanted + relevelled).then(|| {
            format!(
                "I9 broken: {} chunks were requested, though only {wanted} were ever wanted",
                report.requested
            )
        });
        churned.into_iter().chain(repeated).collect()
    }
}
