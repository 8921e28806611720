//! Many viewers.

use core::f64::consts::TAU;

use bevy_math::Vec3;

use super::scenario_trait::Scenario;
use crate::harness::{Outcome, Settings};

/// Sixty-four viewers that circle the city, each on a ring of its own, half of them the other way round.
#[derive(Clone, Copy, Debug, Default)]
pub struct Orbit;

impl Scenario for Orbit {
    fn name(&self) -> &'static str {
        "orbit"
    }

    fn proves(&self) -> &'static str {
        "64 viewers share chunks: one that several want is made once and stays until the last of them has left"
    }

    fn adjust(&self, settings: &mut Settings) {
        settings.viewers = 64;
        settings.radius = 4;
        settings.unload_radius = 6;
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let number = f64::from(viewer);
        let radius = f64::from(settings.chunk_size) * (3.0 + number / 3.0);
        let speed = 0.5 * f64::from(settings.chunk_size);
        let direction = if viewer.is_multiple_of(2) { 1.0 } else { -1.0 };
        let angle = TAU * number / 64.0 + direction * seconds * speed / radius;
        let (sin, cos) = angle.sin_cos();
        Vec3::new((radius * cos) as f32, 60.0, (radius * sin) as f32)
    }

    /// That nothing is requested or unloaded too often is checked in every run.
    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let report = &outcome.report;
        Vec::from_iter((report.generated > report.requested).then(|| {
            format!(
                "{} chunks were made for {} requests: some were made for each viewer",
                report.generated, report.requested
            )
        }))
    }
}
