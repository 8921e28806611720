//! A viewer that is faster than any player should be.

use bevy_math::Vec3;

use super::scenario_trait::Scenario;
use crate::harness::{Outcome, Settings};

/// Straight ahead at a chunk every tenth of a second.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sprint;

const CHUNKS_A_SECOND: f64 = 10.0;

impl Scenario for Sprint {
    fn name(&self) -> &'static str {
        "sprint"
    }

    fn proves(&self) -> &'static str {
        "at ten chunks a second what fell behind is given up and unloaded as fast as it is loaded ahead"
    }

    fn adjust(&self, settings: &mut Settings) {
        settings.seconds = 20.0;
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let size = f64::from(settings.chunk_size);
        let along = CHUNKS_A_SECOND * size * (seconds - settings.seconds / 2.0);
        let abreast = f64::from(viewer) * f64::from(settings.radius) * size;
        Vec3::new(along as f32, 200.0, abreast as f32)
    }

    fn must_keep_up(&self) -> bool {
        true
    }

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let observed = &outcome.observed;
        Vec::from_iter((observed.most_unloading > observed.most_wanted).then(|| {
            format!(
                "unloading falls behind: {} chunks waited to be unloaded, when {} were wanted at most",
                observed.most_unloading, observed.most_wanted
            )
        }))
    }
}
