//! A session of hours.

use core::f64::consts::TAU;

use bevy_math::Vec3;

use super::scenario_trait::Scenario;
use crate::harness::{Outcome, Settings};

/// Round after round over the city, for hours of simulated time. Play it unpaced.
#[derive(Clone, Copy, Debug, Default)]
pub struct Long;

/// In chunks; with chunks of 200 m a round of 25 km takes 100 s.
const RADIUS: f64 = 20.0;
const FRAMES_A_ROUND: u64 = 6_000;
/// Memory in use may grow by this many bytes over the second half of a session, from round to round at the same position:
/// a table may still grow to its working size. More is a leak.
const TOLERATED: f64 = 64.0 * 1024.0;
/// And by this share of what caches hold: that is measured without the tables in which they find it, which grow for as long
/// as a cache fills.
const OF_CACHES: f64 = 0.01;

impl Scenario for Long {
    fn name(&self) -> &'static str {
        "long"
    }

    fn proves(&self) -> &'static str {
        "hours of flight take no more memory than minutes, and at the end every entity and request is accounted for"
    }

    fn adjust(&self, settings: &mut Settings) {
        // A million frames.
        settings.seconds = 1e6 / 60.0;
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let frames = seconds * f64::from(Settings::FRAMES_PER_SECOND);
        let rounds = frames / FRAMES_A_ROUND as f64 + f64::from(viewer) / 8.0;
        let angle = TAU * rounds.fract();
        let (sin, cos) = angle.sin_cos();
        let radius = RADIUS * f64::from(settings.chunk_size);
        Vec3::new((radius * cos) as f32, 120.0, (radius * sin) as f32)
    }

    fn round(&self) -> Option<u64> {
        Some(FRAMES_A_ROUND)
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let slope = outcome.memory_slope.unwrap_or_default();
        let growth = slope * outcome.report.frames as f64 / 2.0;
        let tolerated = TOLERATED + OF_CACHES * outcome.cached_bytes as f64;
        Vec::from_iter((growth > tolerated).then(|| {
            format!(
                "memory grew by {:.1} KiB over the second half of the session, from {:.1} KiB",
                growth / 1024.0,
                outcome.memory_at_half as f64 / 1024.0,
            )
        }))
    }
}
