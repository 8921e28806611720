//! Generators that panic.

use bevy_math::Vec3;

use super::{Flight, Scenario, whole_world};
use crate::faults::Faults;
use crate::outcome::Outcome;
use crate::settings::Settings;

/// The flight, with a share of the chunks panicking. Half of those recover when they are tried again.
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

    fn check(&self, outcome: &Outcome, _settings: &Settings) -> Vec<String> {
        let mut violations = whole_world(outcome);
        let report = &outcome.report;
        if report.panics == 0 && report.requested > 1_000 {
            violations.push("no generator panicked, though some should have".to_owned());
        }
        // How often each was tried is checked chunk by chunk; here, that it is counted.
        if report.retried > report.panics || report.failed > report.panics {
            violations.push(format!(
                "{} retries and {} failures of {} panics",
                report.retried, report.failed, report.panics
            ));
        }
        violations
    }
}
