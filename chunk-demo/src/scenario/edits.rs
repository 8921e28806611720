//! A storm of edits.

use bevy_math::Vec3;

use super::{Flight, Scenario, whole_world};
use crate::outcome::Outcome;
use crate::settings::{Profile, Settings};

/// The flight, with four chunks around the viewers made anew in every frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct Edits;

impl Scenario for Edits {
    fn name(&self) -> &'static str {
        "edits"
    }

    fn proves(&self) -> &'static str {
        "240 edits a second overtake what is wanted later, replace chunks whole, and never leave two versions of one"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        Flight.place(viewer, seconds, settings)
    }

    fn edits(&self, _frame: u64) -> u32 {
        4
    }

    fn check(&self, outcome: &Outcome, settings: &Settings) -> Vec<String> {
        let mut violations = whole_world(outcome);
        let seen = &outcome.witnessed;
        if seen.edits == 0 && settings.viewers > 0 {
            violations.push("no edit was accepted".to_owned());
        }
        // One in a hundred may meet a worker that another program has pushed aside. Frames that follow each other at
        // once are over before a worker is, and two chunks a frame are fewer than there are edits.
        let must_overtake = settings.profile != Profile::Original && !outcome.is_unpaced;
        if must_overtake && seen.edits_overtaken > seen.edits / 100 {
            violations.push(format!(
                "edits wait behind loading: {} chunks appeared before an edit that was made earlier",
                seen.edits_overtaken
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
    fn edits_that_wait_or_are_not_accepted_are_reported() {
        let violations = |witnessed| {
            let outcome = Outcome {
                witnessed,
                ..Outcome::default()
            };
            Edits.check(&outcome, &Settings::default())
        };
        let good = Witnessed {
            edits: 1_000,
            edits_overtaken: 10,
            ..Witnessed::default()
        };
        assert_eq!(violations(good), [""; 0]);
        let late = Witnessed {
            edits_overtaken: 11,
            ..good
        };
        assert_eq!(
            violations(late),
            ["edits wait behind loading: 11 chunks appeared before an edit that was made earlier"]
        );
        assert_eq!(violations(Witnessed::default()), ["no edit was accepted"]);
    }
}
