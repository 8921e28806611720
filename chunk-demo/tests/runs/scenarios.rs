//! Every scenario, made small.

use core::ops::ControlFlow;

use bevy_math::Vec3;
use chunk_demo::scenario::{
    ALL, Dense, Edits, Flight, Long, Orbit, Oscillate, Panicking, Rest, Scenario, Slow, Sprint,
    Teleport,
};
use chunk_demo::{Faults, Progress, Settings, Workload};
use chunk_scheduler::Simulation;

use crate::{assert_good, on, simulated, small, unpaced};

#[test]
fn every_scenario_holds_on_a_simulated_pool() {
    for scenario in ALL {
        let outcome = simulated(small(scenario, 1.0), scenario);
        assert_good(&outcome);
        assert_eq!(outcome.report.scenario, scenario.name());
        assert_eq!(outcome.report.frames, 60);
    }
}

#[test]
fn every_scenario_without_delays_holds_on_real_threads() {
    for scenario in ALL {
        if scenario.faults().slow == 0.0 {
            assert_good(&unpaced(small(scenario, 1.0), scenario));
        }
    }
}

#[test]
fn panics_are_caught_retried_and_given_up() {
    let settings = small(&Panicking::HALF, 10.0);
    let outcome = simulated(settings, &Panicking::HALF);
    assert_good(&outcome);
    let report = &outcome.report;
    assert!(report.panics > report.failed, "{report:#?}");
    assert!(report.retried > 0 && report.failed > 0, "{report:#?}");
    assert!(report.quarantined > 0, "{report:#?}");
    assert_eq!(outcome.missing_at_rest, outcome.broken_at_rest);
    assert!(outcome.broken_at_rest > 0, "{outcome:#?}");
}

#[test]
fn a_viewer_at_rest_and_one_that_sways_load_once() {
    for scenario in [&Rest as &dyn Scenario, &Oscillate] {
        let settings = Settings {
            full_detail: true,
            ..small(scenario, 3.0)
        };
        let report = simulated(settings, scenario).report;
        assert_eq!((report.unloaded, report.cancelled), (0, 0), "{report:#?}");
        assert_eq!(report.requested, report.loaded_chunks, "{report:#?}");
    }
}

#[test]
fn a_sway_brings_each_chunk_that_comes_near_in_detail_once() {
    for (scenario, changed) in [(&Rest as &dyn Scenario, 0), (&Oscillate, 9)] {
        let outcome = simulated(small(scenario, 3.0), scenario);
        let report = &outcome.report;
        assert_eq!(outcome.observed.levels_changed, changed, "{outcome:#?}");
        let (gone, again) = (
            (report.unloaded, report.cancelled),
            report.requested - report.loaded_chunks,
        );
        assert_eq!((gone, again), ((changed, 0), changed), "{report:#?}");
    }
}

#[test]
fn edits_replace_chunks() {
    let outcome = simulated(small(&Edits, 2.0), &Edits);
    assert_good(&outcome);
    let report = &outcome.report;
    assert!(outcome.observed.edits > 100, "{outcome:#?}");
    assert!(outcome.observed.edits_shown > 100, "{outcome:#?}");
    assert!(outcome.observed.applied_after_filled > 100, "{outcome:#?}");
    assert_eq!(
        report.applied,
        report.loaded_chunks + report.unloaded,
        "what an edit replaced is gone: {report:#?}"
    );
}

#[test]
fn edits_overtake_a_world_that_is_still_loading() {
    let mut settings = small(&Edits, 2.0);
    settings.radius = 10;
    settings.unload_radius = 11;
    settings.budget.chunks = Some(5);
    let outcome = simulated(settings, &Edits);
    assert_good(&outcome);
    let seen = outcome.observed;
    assert!(
        seen.filled_in_frame.is_none_or(|frame| frame > 60),
        "{seen:#?}"
    );
    assert!(seen.edits_shown > 300, "{seen:#?}");
    assert_eq!(seen.edits_overtaken, 0);
    assert!(seen.edit_frames_p99 <= 2, "{seen:#?}");
}

#[test]
fn many_viewers_request_each_chunk_once() {
    let outcome = simulated(small(&Orbit, 5.0), &Orbit);
    assert_good(&outcome);
    let (report, seen) = (&outcome.report, outcome.observed);
    assert_eq!(report.requested, seen.entered, "{outcome:#?}");
    assert!(report.requested > 100, "{outcome:#?}");
}

#[test]
fn the_city_has_its_levels_in_every_scenario() {
    let mut changed = 0;
    for scenario in ALL {
        let settings = Settings {
            radius: 9,
            unload_radius: 11,
            viewers: 1,
            ..small(scenario, 3.0)
        };
        let outcome = simulated(settings, scenario);
        assert_good(&outcome);
        changed += outcome.observed.levels_changed;
    }
    assert!(changed > 500, "{changed}");
}

#[test]
fn a_city_in_full_detail_has_no_levels() {
    let settings = Settings {
        radius: 9,
        unload_radius: 11,
        full_detail: true,
        ..small(&Flight, 3.0)
    };
    let density = u64::from(settings.density);
    let city = Workload::city_in_full(settings.city()).expect("the settings make a city");
    let simulation = Simulation::new(1);
    let mut watcher = |_: &Progress| {
        simulation.run();
        ControlFlow::Continue(())
    };
    let run = on(&simulation, settings, &Flight, city);
    let outcome = run.go(&mut watcher).expect("the settings make sense");
    assert_good(&outcome);
    let report = &outcome.report;
    assert_eq!(outcome.observed.levels_changed, 0);
    assert_eq!(report.loaded_entities, density * report.loaded_chunks);
}

#[test]
fn every_jump_finds_its_world_before_the_next() {
    let outcome = simulated(small(&Teleport, 5.0), &Teleport);
    assert_good(&outcome);
    assert_eq!(outcome.observed.leaps, 9);
    assert_eq!(outcome.observed.leaps_unfilled, 0);
}

#[test]
fn what_falls_behind_a_sprint_does_not_pile_up() {
    let outcome = simulated(small(&Sprint, 5.0), &Sprint);
    assert_good(&outcome);
    let (report, seen) = (&outcome.report, outcome.observed);
    assert!(report.unloaded > 400, "{outcome:#?}");
    assert!(seen.most_unloading <= seen.most_wanted / 2, "{seen:#?}");
}

#[test]
fn scenarios_bring_their_own_settings_and_all_make_sense() {
    for scenario in ALL {
        let mut settings = Settings::default();
        scenario.adjust(&mut settings);
        assert_eq!(settings.validate(), Ok(()), "{scenario:?}");
        assert!(!scenario.proves().is_empty());
        for frame in 0..600 {
            let seconds = settings.seconds * f64::from(frame) / 600.0;
            let place = scenario.place(0, seconds, &settings);
            assert!(place.is_finite(), "{scenario:?} at {seconds}: {place}");
        }
    }
    let chunks = |dense: Dense| {
        let mut settings = Settings::default();
        dense.adjust(&mut settings);
        simulated(
            Settings {
                density: 15,
                seconds: 0.1,
                ..settings
            },
            &dense,
        )
        .wanted_at_rest
    };
    assert_eq!(chunks(Dense::HUNDREDS), 529);
    assert!(chunks(Dense::THOUSANDS) > 10_000);
}

#[test]
fn only_two_sorts_of_scenario_inject_faults() {
    for scenario in ALL {
        let is_faulty = scenario.faults() != Faults::NONE;
        let should_be = ["panic", "panic-half", "slow"].contains(&scenario.name());
        assert_eq!(is_faulty, should_be, "{scenario:?}");
    }
    assert_eq!(Slow.faults().delay.as_millis(), 200);
}

#[test]
fn a_long_session_ends_where_it_began() {
    let settings = small(&Long, 20.0);
    let outcome = simulated(settings, &Long);
    assert_good(&outcome);
    assert!(outcome.report.unloaded > 150, "{outcome:#?}");
}

/// At rest until the world is full, then too fast for one chunk a frame.
#[derive(Debug)]
struct Dash;

impl Scenario for Dash {
    fn name(&self) -> &'static str {
        "dash"
    }

    fn proves(&self) -> &'static str {
        "a world that cannot keep up is reported"
    }

    fn place(&self, _viewer: u32, seconds: f64, settings: &Settings) -> Vec3 {
        let chunks = (seconds - 5.0).max(0.0) * 20.0;
        Vec3::new(chunks as f32 * settings.chunk_size, 50.0, 50.0)
    }

    fn must_keep_up(&self) -> bool {
        true
    }
}

#[test]
fn a_world_that_cannot_keep_up_is_reported() {
    let mut settings = small(&Dash, 10.0);
    settings.budget.chunks = Some(1);
    let outcome = simulated(settings, &Dash);
    assert_eq!(outcome.report.violations.len(), 1, "{outcome:#?}");
    assert!(outcome.report.violations[0].contains("near a viewer was missing"));
}
