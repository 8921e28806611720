//! A viewer faster than anything should be.

use bevy_math::Vec3;

use super::{Scenario, keeps_up, whole_world};
use crate::outcome::Outcome;
use crate::settings::Settings;

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

    fn check(&self, outcome: &Outcome, settings: &Settings) -> Vec<String> {
        let mut violations = whole_world(outcome);
        violations.extend(keeps_up(outcome, settings));
        let seen = &outcome.witnessed;
        if seen.most_unloading > seen.most_wanted {
            violations.push(format!(
                "unloading falls behind: {} chunks waited to go, when {} were wanted at most",
                seen.most_unloading, seen.most_wanted
            ));
        }
        violations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::Witnessed;

    #[test]
    fn chunks_that_pile_up_behind_the_viewer_are_reported() {
        let mut outcome = Outcome {
            witnessed: Witnessed {
                most_wanted: 441,
                most_unloading: 441,
                ..Witnessed::default()
            },
            ..Outcome::default()
        };
        assert_eq!(Sprint.check(&outcome, &Settings::default()), [""; 0]);
        outcome.witnessed.most_unloading = 442;
        assert_eq!(
            Sprint.check(&outcome, &Settings::default()),
            ["unloading falls behind: 442 chunks waited to go, when 441 were wanted at most"]
        );
    }
}
