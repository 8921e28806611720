//! A watcher ends the run: no further frame is played, and the figures are true.

use core::ops::ControlFlow;

use chunk_demo::scenario::{ALL, Flight, Oscillate, Scenario};
use chunk_demo::{Outcome, Pacing, Phase, Progress, Settings, Workload};
use chunk_scheduler::Simulation;

use crate::{on, small};

/// Ends a run as soon as `is_enough`; returns its outcome and the phases of the frames after that.
fn until(
    settings: Settings,
    scenario: &dyn Scenario,
    is_enough: impl Fn(&Progress) -> bool,
) -> (Outcome, Vec<Phase>) {
    let simulation = Simulation::new(1);
    let city = Workload::city(settings.city()).expect("the settings make a city");
    let (mut after, mut was_enough) = (Vec::new(), false);
    let mut watcher = |progress: &Progress| {
        if was_enough {
            after.push(progress.phase);
        }
        simulation.advance(Pacing::FRAME);
        was_enough |= is_enough(progress);
        if was_enough {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    let run = on(&simulation, settings, scenario, city);
    let outcome = run.go(&mut watcher).expect("the settings make sense");
    (outcome, after)
}

#[test]
fn no_frame_is_played_after_it() {
    for frame in [1, 7, 30] {
        let (outcome, after) = until(small(&Flight, 1.0), &Flight, |progress| {
            progress.frame == frame
        });
        assert_eq!(after, [], "the world does not come to rest first");
        assert!(outcome.was_interrupted);
        assert_eq!(outcome.report.frames, frame);
        assert!(outcome.report.requested > 0, "the figures so far");
    }
}

#[test]
fn whatever_the_scenario_an_interruption_breaks_no_invariant() {
    for scenario in ALL {
        for frame in [1, 3, 20] {
            let (outcome, _) = until(small(scenario, 1.0), scenario, |progress| {
                progress.frame == frame
            });
            assert_eq!(
                outcome.report.violations, [""; 0],
                "{scenario:?} at {frame}"
            );
        }
    }
}

#[test]
fn what_comes_after_the_scenario_can_be_interrupted_too() {
    for phase in [Phase::Settling, Phase::Unloading] {
        // 81 chunks, of which one a frame is loaded and one a frame unloaded.
        let mut settings = small(&Oscillate, 1.0);
        settings.budget.chunks = Some(1);
        let (outcome, after) = until(settings, &Oscillate, |progress| progress.phase == phase);
        assert!(outcome.was_interrupted, "{phase:?}");
        assert_eq!(after, [], "{phase:?}");
        assert_eq!(outcome.report.violations, [""; 0], "{phase:?}");
        assert_eq!(outcome.report.frames, 60);
    }
}
