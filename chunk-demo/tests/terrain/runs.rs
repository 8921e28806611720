//! Scenarios on the terrain.

use core::ops::ControlFlow;

use chunk_apply::ManualClock;
use chunk_demo::scenario::{ALL, Oscillate, Scenario};
use chunk_demo::{Outcome, Pacing, Progress, Run, STRESS_RUNS, Settings, Workload, WorldKind};
use chunk_scheduler::Simulation;

fn small(scenario: &dyn Scenario) -> Settings {
    let mut settings = Settings::default();
    scenario.adjust(&mut settings);
    WorldKind::Terrain.adjust(&mut settings);
    Settings {
        seconds: 0.5,
        radius: settings.radius.min(5),
        unload_radius: settings.unload_radius.min(7),
        viewers: settings.viewers.min(4),
        ..settings
    }
}

fn play(scenario: &dyn Scenario, settings: Settings) -> Outcome {
    let simulation = Simulation::new(settings.seed);
    let terrain = Workload::terrain(settings.terrain()).expect("the settings make a terrain");
    let run = Run {
        pacing: Pacing::Stepped(ManualClock::default()),
        runtime: simulation.runtime(),
        ..Run::new(settings, scenario, terrain)
    };
    let mut watcher = |_: &Progress| {
        simulation.advance(Pacing::FRAME);
        ControlFlow::Continue(())
    };
    let outcome = run.go(&mut watcher).expect("the settings make sense");
    assert_eq!(outcome.report.violations, [""; 0], "{outcome:#?}");
    outcome
}

#[test]
fn every_scenario_holds_on_a_terrain() {
    for scenario in ALL {
        let outcome = play(scenario, small(scenario));
        assert_eq!(outcome.report.loaded_entities, outcome.report.loaded_chunks);
        // The five shared ones, and one for each chunk that stands.
        assert!(
            outcome.report.assets >= 5 + outcome.report.loaded_chunks,
            "{outcome:#?}"
        );
    }
}

#[test]
fn a_viewer_that_sways_over_a_corner_changes_each_level_once() {
    let [short, long] = [1.0, 3.0].map(|seconds| {
        let settings = Settings {
            seconds,
            ..small(&Oscillate)
        };
        play(&Oscillate, settings).observed.levels_changed
    });
    assert!(short > 0);
    assert_eq!(short, long);
}

#[test]
fn the_settings_of_every_stress_run_make_a_terrain() {
    for run in STRESS_RUNS {
        for is_quick in [false, true] {
            let settings = run.settings(WorldKind::Terrain, 1, is_quick);
            assert_eq!(settings.terrain().validate(), Ok(()), "{run:?}");
        }
    }
}
