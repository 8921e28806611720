//! A flight over the city.

use bevy_math::Vec3;

use super::scenario_trait::Scenario;
use crate::harness::Settings;

/// Level flight in a gentle curve, over the centre of the city at half time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flight;

/// A chunk every 0.8 s: with chunks of 200 m, 250 m a second.
const CHUNKS_A_SECOND: f64 = 1.25;
/// How far the curve swings to either side, and over which way, in chunks.
const SWAY: [f64; 2] = [1.5, 4.5];
/// In metres.
const HEIGHT: f32 = 120.0;

impl Scenario for Flight {
    fn name(&self) -> &'static str {
        "flight"
    }

    fn proves(&self) -> &'static str {
        "a viewer in level flight sees the world filled: after a second at most, no chunk near it is ever missing"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let size = f64::from(settings.chunk_size);
        let along = CHUNKS_A_SECOND * size * (seconds - settings.seconds / 2.0);
        let [sway, way] = SWAY.map(|chunks| chunks * size);
        let sway = sway * (along / way).sin();
        // Further viewers fly abreast, so far apart that they share few chunks.
        let abreast = f64::from(viewer) * f64::from(settings.radius) * size;
        Vec3::new(along as f32, HEIGHT, (sway + abreast) as f32)
    }

    fn must_keep_up(&self) -> bool {
        true
    }
}
