//! The five stress tests: each a few runs of scenarios under conditions that a design is likely to break under.

use crate::outcome::Outcome;
use crate::pacing::Pacing;
use crate::run::Run;
use crate::scenario::{Dense, Flight, Long, Panicking, Scenario, Teleport};
use crate::settings::{Settings, SettingsError};
use crate::watch::Watcher;
use crate::workload::Workload;

/// One run of a stress test.
#[derive(Clone, Copy, Debug)]
pub struct StressRun {
    /// Which of the five tests it belongs to.
    pub test: &'static str,
    /// What is played.
    pub scenario: &'static dyn Scenario,
    /// For how many simulated seconds.
    pub seconds: f64,
    /// For how many where time is short.
    pub quick_seconds: f64,
    /// Whether frames follow each other at once instead of 60 a second.
    pub is_unpaced: bool,
    /// What must hold beyond what the scenario checks.
    check: fn(&Outcome) -> Option<String>,
}

/// The five tests: rapid teleports, a long session, panic injection, very many chunks at once, and frame times.
pub const STRESS_RUNS: [StressRun; 7] = [
    StressRun::of("teleports", &Teleport, 60.0, 4.0),
    StressRun {
        is_unpaced: true,
        ..StressRun::of("long session", &Long, 1e6 / 60.0, 600.0)
    },
    StressRun::of("panics", &Panicking::RARE, 60.0, 4.0),
    StressRun::of("panics", &Panicking::HALF, 60.0, 4.0),
    StressRun::of("many chunks", &Dense::HUNDREDS, 15.0, 3.0),
    StressRun::of("many chunks", &Dense::THOUSANDS, 30.0, 5.0),
    StressRun {
        check: frame_times,
        ..StressRun::of("frame times", &Flight, 60.0, 5.0)
    },
];

impl StressRun {
    const fn of(
        test: &'static str,
        scenario: &'static dyn Scenario,
        seconds: f64,
        quick_seconds: f64,
    ) -> Self {
        Self {
            test,
            scenario,
            seconds,
            quick_seconds,
            is_unpaced: false,
            check: |_| None,
        }
    }

    /// What the run depends on.
    #[must_use]
    pub fn settings(&self, seed: u64, is_quick: bool) -> Settings {
        let mut settings = Settings {
            seed,
            ..Settings::default()
        };
        self.scenario.adjust(&mut settings);
        settings.seconds = if is_quick {
            self.quick_seconds
        } else {
            self.seconds
        };
        settings
    }

    /// Plays the run on a workload.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense.
    pub fn go<T: Send + Sync + 'static>(
        &self,
        settings: &Settings,
        workload: Workload<T>,
        watcher: &mut dyn Watcher,
    ) -> Result<Outcome, SettingsError> {
        let mut run = Run::new(settings.clone(), self.scenario, workload);
        if self.is_unpaced {
            run.pacing = Pacing::Unpaced;
        }
        let mut outcome = run.go(watcher)?;
        if !outcome.was_interrupted {
            let violation = (self.check)(&outcome);
            outcome.report.violations.extend(violation);
        }
        Ok(outcome)
    }

    /// The command that plays the same run again.
    #[must_use]
    pub fn command(&self, settings: &Settings) -> String {
        let unpaced = if self.is_unpaced { " --unpaced" } else { "" };
        format!(
            "cargo xtask demo --scenario {} --seconds {} --seed {}{unpaced}",
            self.scenario.name(),
            settings.seconds,
            settings.seed
        )
    }
}

/// Half of the frames must be within the budget, and of a hundred frames one at most may give the stream more than
/// half its time. The longest says nothing here: a thread that other programs push aside looks just as late.
fn frame_times(outcome: &Outcome) -> Option<String> {
    const HALF_A_FRAME_US: f64 = 1e6 / 120.0;
    let report = &outcome.report;
    let is_late =
        report.main_thread_us_p50 > report.budget_us || report.main_thread_us_p99 > HALF_A_FRAME_US;
    is_late.then(|| {
        format!(
            "the stream took {} µs of the main thread (p50), {} µs (p99), {} µs (max) a frame; \
             the budget is {} µs",
            report.main_thread_us_p50,
            report.main_thread_us_p99,
            report.main_thread_us_max,
            report.budget_us
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_five_tests_and_all_their_settings_make_sense() {
        let mut tests = STRESS_RUNS.map(|run| run.test).to_vec();
        tests.dedup();
        assert_eq!(tests.len(), 5);
        for run in STRESS_RUNS {
            for is_quick in [false, true] {
                assert_eq!(run.settings(1, is_quick).validate(), Ok(()), "{run:?}");
            }
        }
    }

    #[test]
    fn a_run_says_how_to_repeat_it() {
        let run = STRESS_RUNS[1];
        assert_eq!(
            run.command(&run.settings(7, true)),
            "cargo xtask demo --scenario long --seconds 600 --seed 7 --unpaced"
        );
    }

    #[test]
    fn a_late_stream_is_reported() {
        let mut outcome = Outcome::default();
        outcome.report.budget_us = 2_000.0;
        assert_eq!(frame_times(&outcome), None);
        outcome.report.main_thread_us_max = 17_000.0;
        assert_eq!(frame_times(&outcome), None);
        outcome.report.main_thread_us_p99 = 9_000.0;
        assert!(frame_times(&outcome).is_some_and(|text| text.contains("9000 µs (p99)")));
    }
}
