//! Runs of scenarios: on a simulated pool, where the outcome is exact, and on real threads, where it must still hold.

mod interrupted;
mod judged;
mod pipeline;
mod scenarios;
mod world;

use core::ops::ControlFlow;

use chunk_apply::ManualClock;
use chunk_demo::scenario::Scenario;
use chunk_demo::{Outcome, Pacing, Progress, Run, Settings, Workload};
use chunk_scheduler::Simulation;

/// A small world, so that a test takes no longer than it must.
fn small(scenario: &dyn Scenario, seconds: f64) -> Settings {
    let mut settings = Settings::default();
    scenario.adjust(&mut settings);
    Settings {
        seconds,
        radius: settings.radius.min(5),
        unload_radius: settings.unload_radius.min(7),
        viewers: settings.viewers.min(8),
        density: 20,
        ..settings
    }
}

/// A run on a simulated pool, on a clock that only frames move.
fn on<'a, T: Send + Sync + 'static>(
    simulation: &Simulation,
    settings: Settings,
    scenario: &'a dyn Scenario,
    workload: Workload<T>,
) -> Run<'a, T> {
    Run {
        pacing: Pacing::Stepped(ManualClock::default()),
        runtime: simulation.runtime(),
        ..Run::new(settings, scenario, workload)
    }
}

/// Plays a run on a simulated pool that finishes all jobs between two frames, on a clock that only frames move.
fn simulated(settings: Settings, scenario: &dyn Scenario) -> Outcome {
    let simulation = Simulation::new(settings.seed);
    let city = Workload::city_of(&settings).expect("the settings make a city");
    let run = on(&simulation, settings, scenario, city);
    let mut watcher = |_: &Progress| {
        simulation.advance(Pacing::FRAME);
        ControlFlow::Continue(())
    };
    run.go(&mut watcher).expect("the settings make sense")
}

/// Plays a run on real threads, unpaced.
fn unpaced(settings: Settings, scenario: &dyn Scenario) -> Outcome {
    let city = Workload::city(settings.city()).expect("the settings make a city");
    let run = Run {
        pacing: Pacing::Unpaced,
        ..Run::new(settings, scenario, city)
    };
    run.go(&mut ()).expect("the settings make sense")
}

/// That a run has no violations.
fn assert_good(outcome: &Outcome) {
    assert_eq!(outcome.report.violations, [""; 0], "{outcome:#?}");
}
