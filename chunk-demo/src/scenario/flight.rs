//! A flight over the city.

use bevy_math::Vec3;

use super::scenario_trait::Scenario;
use crate::harness::Settings;

/// Level flight in a gentle curve, over the centre of the city at half time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flight;

/// Metres a second: a chunk of 200 m every 0.8 s.
const SPEED: f64 = 250.0;
const HEIGHT: f32 = 120.0;

impl Scenario for Flight {
    fn name(&self) -> &'static str {
        "flight"
    }

    fn proves(&self) -> &'static str {
        "a viewer in level flight sees the world filled: after a second at most, no chunk near it is ever missing"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let along = SPEED * (seconds - settings.seconds / 2.0);
        let sway = 300.0 * (along / 900.0).sin();
        // Further viewers fly abreast, so far apart that they share few chunks.
        let abreast =
            f64::from(viewer) * f64::from(settings.radius) * f64::from(settings.chunk_size);
        Vec3::new(along as f32, HEIGHT, (sway + abreast) as f32)
    }

    fn must_keep_up(&self) -> bool {
        true
    }
}
