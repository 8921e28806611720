//! A crowd.

use core::f64::consts::TAU;

use bevy_math::Vec3;

use super::{Scenario, whole_world};
use crate::outcome::Outcome;
use crate::settings::Settings;

/// Sixty-four viewers that circle the city, each on a ring of its own, half of them the other way round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Orbit;

impl Scenario for Orbit {
    fn name(&self) -> &'static str {
        "orbit"
    }

    fn proves(&self) -> &'static str {
        "64 viewers share what they see: a chunk that several want is made once and stays until the last is gone"
    }

    fn adjust(&self, settings: &mut Settings) {
        settings.viewers = 64;
        settings.radius = 4;
        settings.unload_radius = 6;
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let number = f64::from(viewer);
        let radius = f64::from(settings.chunk_size) * (3.0 + number / 3.0);
        let direction = if viewer.is_multiple_of(2) { 1.0 } else { -1.0 };
        let angle = TAU * number / 64.0 + direction * seconds * 100.0 / radius;
        let (sin, cos) = angle.sin_cos();
        Vec3::new((radius * cos) as f32, 60.0, (radius * sin) as f32)
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let mut violations = whole_world(outcome);
        // That nothing is asked for more often than it comes to be wanted, and that nothing goes while a viewer looks at
        // it, is checked in every scenario.
        let report = &outcome.report;
        if report.generated > report.requested {
            violations.push(format!(
                "{} chunks were made for {} requests: some were made for each viewer",
                report.generated, report.requested
            ));
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_that_are_made_for_each_viewer_are_reported() {
        let mut outcome = Outcome::default();
        (outcome.report.requested, outcome.report.generated) = (100, 100);
        assert_eq!(Orbit.check(&outcome, &Settings::default()), [""; 0]);
        outcome.report.generated = 101;
        assert_eq!(
            Orbit.check(&outcome, &Settings::default()),
            ["101 chunks were made for 100 requests: some were made for each viewer"]
        );
    }
}
