//! Very many edits.

use bevy_math::Vec3;

use super::flight::Flight;
use super::scenario_trait::Scenario;
use crate::harness::{Outcome, Profile, Settings};

/// The flight, with four chunks around the viewers edited in every frame.
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
        let observed = &outcome.observed;
        let none = (observed.edits == 0 && settings.viewers > 0)
            .then(|| "no edit was accepted".to_owned());
        // One edit in a hundred may be on a worker that another program preempted. Unpaced frames are over before a
        // worker is, and two chunks a frame are fewer than there are edits.
        let must_overtake = settings.profile != Profile::Original && !outcome.is_unpaced;
        let overtaken = observed.edits_overtaken;
        let late = (must_overtake && overtaken > observed.edits / 100).then(|| {
            format!(
                "edits wait behind loading: {overtaken} chunks appeared before an edit that was made earlier"
            )
        });
        none.into_iter().chain(late).collect()
    }
}
