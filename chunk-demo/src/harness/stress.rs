//! The five stress tests: each is one or two runs of a scenario that a streaming design is likely to fail.

use std::time::Duration;

use super::frame_cost::{Cause, FrameCost};
use super::outcome::Outcome;
use super::pacing::Pacing;
use super::progress::Watcher;
use super::run::Run;
use super::settings::{Settings, SettingsError};
use super::workload::Workload;
use super::world_kind::WorldKind;
use crate::scenario::{Dense, Flight, Long, Panicking, Scenario, Teleport};

/// One run of a stress test.
#[derive(Clone, Copy, Debug)]
pub struct StressRun {
    /// Which of the five tests it belongs to.
    pub test: &'static str,
    /// What is played.
    pub scenario: &'static dyn Scenario,
    /// For how many simulated seconds.
    pub seconds: f64,
    /// For how many simulated seconds in a quick run.
    pub quick_seconds: f64,
    /// Whether frames follow each other at once instead of 60 a second.
    pub is_unpaced: bool,
    /// What must hold beyond what the scenario checks; the second argument says whether the run is quick.
    check: fn(&Outcome, bool) -> Option<String>,
}

/// The five tests: rapid teleports, a long session, panic injection, frame times, and very many chunks at once.
pub const STRESS_RUNS: [StressRun; 7] = [
    StressRun::of("teleports", &Teleport, 60.0, 4.0),
    StressRun {
        is_unpaced: true,
        ..StressRun::of("long session", &Long, 1e6 / 60.0, 600.0)
    },
    StressRun::of("panics", &Panicking::RARE, 60.0, 4.0),
    StressRun::of("panics", &Panicking::HALF, 60.0, 4.0),
    StressRun {
        check: frame_times,
        ..StressRun::of("frame times", &Flight, 60.0, 15.0)
    },
    StressRun::of("many chunks", &Dense::HUNDREDS, 15.0, 3.0),
    // The last, because an allocator does not give back all that this takes.
    StressRun::of("many chunks", &Dense::THOUSANDS, 30.0, 5.0),
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
            check: |_, _| None,
        }
    }

    /// The settings of the run on one of the worlds.
    #[must_use]
    pub fn settings(&self, world: WorldKind, seed: u64, is_quick: bool) -> Settings {
        let mut settings = Settings {
            seed,
            ..Settings::default()
        };
        self.scenario.adjust(&mut settings);
        world.adjust(&mut settings);
        settings.seconds = if is_quick {
            self.quick_seconds
        } else {
            self.seconds
        };
        settings
    }

    /// Plays the run on a workload, with the settings of one of the worlds. `live_bytes` counts the memory in use; without it nothing measures whether that grows.
    ///
    /// # Errors
    ///
    /// If a setting makes no sense.
    pub fn go<T: Send + Sync + 'static>(
        &self,
        world: WorldKind,
        seed: u64,
        is_quick: bool,
        workload: Workload<T>,
        live_bytes: Option<fn() -> u64>,
        watcher: &mut dyn Watcher,
    ) -> Result<Outcome, SettingsError> {
        let settings = self.settings(world, seed, is_quick);
        let mut run = Run::new(settings, self.scenario, workload);
        run.live_bytes = live_bytes;
        if self.is_unpaced {
            run.pacing = Pacing::Unpaced;
        }
        let mut outcome = run.go(watcher)?;
        if !outcome.was_interrupted {
            let violation = (self.check)(&outcome, is_quick);
            outcome.report.violations.extend(violation);
        }
        Ok(outcome)
    }

    /// The command that plays the same run again with the same checks.
    #[must_use]
    pub fn command(&self, world: WorldKind, seed: u64, is_quick: bool) -> String {
        let quick = if is_quick { " --quick" } else { "" };
        let world = match world {
            WorldKind::City => "",
            WorldKind::Voxels => " --world voxels",
            WorldKind::Terrain => " --world terrain",
        };
        let name = self.scenario.name();
        format!("cargo xtask stress --only {name} --seed {seed}{quick}{world}")
    }

    /// The run's name: its test and its scenario.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}: {}", self.test, self.scenario.name())
    }

    /// The runs that a text names: those whose test or scenario has this name, or else those whose names contain it.
    pub fn named(text: &str) -> Vec<Self> {
        let names = |run: &Self| [run.test, run.scenario.name()];
        let called = |run: &Self| names(run).contains(&text);
        let exactly: Vec<Self> = STRESS_RUNS.into_iter().filter(called).collect();
        if !exactly.is_empty() {
            return exactly;
        }
        let contains = |run: &Self| names(run).iter().any(|name| name.contains(text));
        STRESS_RUNS.into_iter().filter(contains).collect()
    }
}

/// The stream may take more than its budget and a twentieth in at most one of a hundred frames, and none may be late
/// because of it; time that may have been another thread's does not count, where the system tells. A quick run is often
/// one on a busy machine, so that only half of its frames must be within the budget.
fn frame_times(outcome: &Outcome, is_quick: bool) -> Option<String> {
    let report = &outcome.report;
    let alone_us = outcome.stream_alone_p99.as_secs_f64() * 1e6;
    let is_slow = if is_quick {
        report.main_thread_us_p50 > report.budget_us
    } else {
        alone_us > report.budget_us * 1.05 || outcome.late_by_stream > 0
    };
    is_slow.then(|| {
        format!(
            "the stream took {} µs (p50), {} µs (p99), {alone_us:.1} µs (p99, without other threads) of a frame, and \
             {} frames were late because of it; the budget is {} µs",
            report.main_thread_us_p50,
            report.main_thread_us_p99,
            outcome.late_by_stream,
            report.budget_us
        )
    })
}

/// The longest frames of a run and why each was long, a line each.
#[must_use]
pub fn frame_analysis(outcome: &Outcome) -> String {
    let budget_us = outcome.report.budget_us;
    let budget = (budget_us > 0.0).then(|| Duration::from_secs_f64(budget_us / 1e6));
    let line = |cost: &FrameCost| {
        let preempted = match cost.preempted {
            Some(time) => format!("{time:.1?}"),
            None => "an unknown time".to_owned(),
        };
        let cause = match cost.cause(budget) {
            Cause::Stream => "the stream",
            Cause::Rest => "the rest of the frame",
            Cause::Preempted => "other threads",
        };
        format!(
            "frame {}: {:.1?}, of it the stream {:.1?}; preempted for {preempted}: {cause}",
            cost.frame, cost.whole, cost.stream
        )
    };
    let lines: Vec<String> = outcome.longest_frames.iter().map(line).collect();
    lines.join("\n")
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
                for world in [WorldKind::City, WorldKind::Voxels, WorldKind::Terrain] {
                    let settings = run.settings(world, 1, is_quick);
                    assert_eq!(settings.validate(), Ok(()), "{run:?}");
                }
            }
        }
        let long = STRESS_RUNS.iter().find(|run| run.test == "long session");
        let frames = long.map(|run| run.settings(WorldKind::City, 1, false).frames());
        assert_eq!(frames, Some(1_000_000));
    }

    #[test]
    fn a_runs_command_plays_that_run_and_no_other() {
        for run in STRESS_RUNS {
            let name = run.scenario.name();
            let command = format!("cargo xtask stress --only {name} --seed 7");
            let command_of = |world, is_quick| run.command(world, 7, is_quick);
            assert_eq!(command_of(WorldKind::City, false), command);
            let quick = command + " --quick";
            assert_eq!(command_of(WorldKind::City, true), quick);
            let voxels = quick + " --world voxels";
            assert_eq!(command_of(WorldKind::Voxels, true), voxels);
            let named = StressRun::named(name);
            assert_eq!(named.len(), 1, "{name}");
            assert_eq!(named[0].name(), run.name());
        }
    }

    #[test]
    fn a_test_is_named_by_itself_by_its_scenario_or_by_a_part() {
        assert_eq!(StressRun::named("panics").len(), 2);
        assert_eq!(StressRun::named("panic").len(), 1);
        assert_eq!(StressRun::named("dense-1").len(), 1);
        assert_eq!(StressRun::named("").len(), STRESS_RUNS.len());
        assert!(StressRun::named("nap").is_empty());
    }

    #[test]
    fn a_slow_stream_is_reported() {
        let mut outcome = Outcome::default();
        outcome.report.budget_us = 2_000.0;
        outcome.report.main_thread_us_p99 = 9_000.0;
        outcome.stream_alone_p99 = Duration::from_micros(2_100);
        assert_eq!(
            frame_times(&outcome, false),
            None,
            "the rest was another thread's"
        );
        outcome.stream_alone_p99 = Duration::from_micros(2_101);
        let sentence = frame_times(&outcome, false).expect("it was slow");
        assert!(sentence.contains("2101.0 µs (p99, without"), "{sentence}");
        assert_eq!(frame_times(&outcome, true), None, "it is a quick run");
        outcome.report.main_thread_us_p50 = 2_001.0;
        assert!(frame_times(&outcome, true).is_some());
        let late = Outcome {
            late_by_stream: 1,
            ..Outcome::default()
        };
        assert!(frame_times(&late, false).is_some(), "one is enough");
    }

    #[test]
    fn the_longest_frames_say_why() {
        let ms = Duration::from_millis;
        let cost = |frame, stream, preempted| FrameCost {
            frame,
            whole: ms(20),
            stream: ms(stream),
            preempted,
            ..FrameCost::default()
        };
        let mut outcome = Outcome {
            longest_frames: vec![
                cost(3, 9, Some(ms(0))),
                cost(4, 1, Some(ms(11))),
                cost(5, 1, None),
            ],
            ..Outcome::default()
        };
        outcome.report.budget_us = 2_000.0;
        assert_eq!(
            frame_analysis(&outcome),
            "frame 3: 20.0ms, of it the stream 9.0ms; preempted for 0.0ns: the stream\n\
             frame 4: 20.0ms, of it the stream 1.0ms; preempted for 11.0ms: other threads\n\
             frame 5: 20.0ms, of it the stream 1.0ms; preempted for an unknown time: the rest of the frame"
        );
    }
}
