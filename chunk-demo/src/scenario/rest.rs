//! Viewers that stand still.

use bevy_math::Vec3;

use super::scenario_trait::{Scenario, apart};
use crate::harness::{Outcome, Settings};

/// A viewer that does not move.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rest;

impl Scenario for Rest {
    fn name(&self) -> &'static str {
        "rest"
    }

    fn proves(&self) -> &'static str {
        "around a viewer at rest every chunk is loaded once, and then nothing is loaded or unloaded any more"
    }

    fn place(&self, viewer: u32, _seconds: f64, settings: &Settings) -> Vec3 {
        apart(viewer, 0.0, 80.0, settings)
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let (report, observed) = (&outcome.report, &outcome.observed);
        let changes = observed.applied_after_filled + report.unloaded + report.cancelled;
        Vec::from_iter((changes > 0).then(|| {
            format!(
                "a world at rest changed: {} chunks appeared after it was full, {} were unloaded, {} cancelled",
                observed.applied_after_filled, report.unloaded, report.cancelled
            )
        }))
    }
}
