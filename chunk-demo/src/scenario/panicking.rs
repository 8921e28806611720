//! Generators that panic.

use bevy_math::Vec3;

use super::flight::Flight;
use super::scenario_trait::Scenario;
use crate::harness::{Faults, Outcome, Settings};

/// The flight, with a share of the chunks panicking. Half of those succeed when they are tried again.
#[derive(Clone, Copy, Debug)]
pub struct Panicking {
    name: &'static str,
    share: f64,
}

impl Panicking {
    /// One chunk in a hundred.
    pub const RARE: Self = Self {
        name: "panic",
        share: 0.01,
    };
    /// Every other chunk.
    pub const HALF: Self = Self {
        name: "panic-half",
        share: 0.5,
    };
}

impl Scenario for Panicking {
    fn name(&self) -> &'static str {
        self.name
    }

    fn proves(&self) -> &'static str {
        "a panicking chunk hurts only itself: every other chunk arrives, and a broken one is given up after its retries"
    }

    fn place(&self, viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        Flight.place(viewer, seconds, settings)
    }

    fn faults(&self) -> Faults {
        Faults {
            panics: self.share,
            ..Faults::NONE
        }
    }

    /// How often each chunk was tried is checked in every run; here, that the panics are counted.
    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let report = &outcome.report;
        let (panics, retried, failed) = (report.panics, report.retried, report.failed);
        let none = (panics == 0 && report.requested > 1_000)
            .then(|| "no generator panicked, though some should have".to_owned());
        let too_few = (retried > panics || failed > panics)
            .then(|| format!("{retried} retries and {failed} failures of {panics} panics"));
        none.into_iter().chain(too_few).collect()
    }
}
