//! Properties of the whole pipeline, tested with the city.

use core::time::Duration;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bevy_tasks::TaskPoolBuilder;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkIndex, ChunkViewer, Spawner};
use chunk_coord::ChunkCoord;
use chunk_demo::city::{CityChunk, CityPlan};
use chunk_demo::scenario::{Flight, Rest, Teleport};
use chunk_demo::{Pacing, Profile, Run, Settings, Workload, city_app};
use chunk_scheduler::Runtime;

use crate::{assert_good, simulated, small, unpaced};

#[test]
fn a_flight_at_defaults_misses_nothing_near_the_viewer() {
    // Few entities, because the default number of them takes a debug build a minute.
    let settings = Settings {
        density: 15,
        ..Settings::default()
    };
    let outcome = simulated(settings, &Flight);
    assert_good(&outcome);
    let seen = outcome.observed;
    assert_eq!(seen.frames_near_missing, 0);
    assert!(seen.warm_in_frame.is_some_and(|frame| frame < 60));
    assert!(seen.filled_in_frame.is_some_and(|frame| frame < 60));
    assert!(outcome.report.coverage > 0.97, "{outcome:#?}");
    assert!(outcome.report.unloaded > 300, "{outcome:#?}");
}

#[test]
fn a_run_on_a_simulated_pool_is_the_same_each_time() {
    let run = || {
        let mut report = simulated(small(&Flight, 5.0), &Flight).report;
        // Memory and the time that the machine took are all that may differ.
        report.peak_rss_bytes = 0;
        report.frames_over_16ms = 0;
        report.whole_frame_us_p50 = 0.0;
        report.whole_frame_us_p99 = 0.0;
        report.whole_frame_us_max = 0.0;
        report
    };
    assert_eq!(run(), run());
}

#[test]
fn the_original_profile_streams_the_same_world_more_slowly() {
    let mut settings = Settings::of(Profile::Original);
    settings.density = 20;
    settings.seconds = 10.0;
    let outcome = simulated(settings, &Flight);
    assert_good(&outcome);
    let report = &outcome.report;
    assert_eq!((report.budget_us, report.frames_over_budget), (0.0, 0));
    assert!(
        report.applied <= 2 * report.frames,
        "two chunks a frame: {report:#?}"
    );
    assert!(
        outcome
            .observed
            .filled_in_frame
            .is_none_or(|frame| frame > 200)
    );
}

#[test]
fn any_number_of_viewers_is_served() {
    for viewers in [0, 1, 2, 7] {
        let settings = Settings {
            viewers,
            ..small(&Flight, 1.0)
        };
        let outcome = simulated(settings, &Flight);
        assert_good(&outcome);
        assert_eq!(outcome.report.viewers, viewers);
        assert_eq!(outcome.report.requested == 0, viewers == 0);
    }
}

#[test]
fn the_entity_count_is_exact_after_teleports_on_real_threads() {
    let outcome = unpaced(small(&Teleport, 5.0), &Teleport);
    assert_good(&outcome);
    let report = &outcome.report;
    assert_eq!(report.loaded_entities, report.expected_entities);
    assert_eq!(report.assets, 4);
}

/// Every chunk that a run applied, as its spawner got it.
fn arrived(runtime: Runtime) -> BTreeMap<ChunkCoord, CityChunk> {
    let settings = small(&Rest, 0.2);
    let plan = CityPlan::new(settings.city()).expect("the settings make a city");
    let chunks = Arc::new(Mutex::new(BTreeMap::new()));
    let collected = Arc::clone(&chunks);
    let spawner = Spawner::new(move |coord, chunk: CityChunk, _writer| {
        collected
            .lock()
            .expect("nobody panics with the lock")
            .insert(coord, chunk);
    });
    let workload = Workload::new(move |job| plan.generate(job.key()), spawner, |_coord| 0);
    let run = Run {
        pacing: Pacing::Unpaced,
        runtime,
        ..Run::new(settings, &Rest, workload)
    };
    assert_good(&run.go(&mut ()).expect("the settings make sense"));
    let chunks = chunks.lock().expect("nobody panics with the lock");
    chunks.clone()
}

#[test]
fn the_city_is_the_same_on_one_thread_on_several_and_on_none() {
    let pool = |threads| {
        Runtime::pool(Arc::new(
            TaskPoolBuilder::new().num_threads(threads).build(),
        ))
    };
    let budget = Duration::from_millis(2);
    let without_threads = arrived(Runtime::Inline { budget });
    assert_eq!(without_threads.len(), 81);
    assert!(arrived(pool(1)) == without_threads);
    assert!(arrived(pool(4)) == without_threads);
}

#[test]
fn an_app_is_dropped_with_work_in_flight() {
    let settings = Settings {
        density: 2_000,
        ..Settings::default()
    };
    let mut app = city_app(&settings).expect("the settings make sense");
    app.world_mut().spawn(ChunkViewer::default());
    for _ in 0..3 {
        app.update();
    }
    let loaded = app.world().resource::<ChunkIndex<CityChunk>>().len();
    assert!(loaded < 441, "the world is not yet full");
    drop(app);
}

#[test]
fn viewers_beyond_the_world_break_nothing() {
    let mut app = city_app(&small(&Rest, 1.0)).expect("the settings make sense");
    for position in [f32::NAN, f32::INFINITY, f32::MAX, -1e30] {
        let transform = Transform::from_xyz(position, 0.0, 0.0);
        app.world_mut().spawn((ChunkViewer::default(), transform));
    }
    for _ in 0..10 {
        app.update();
    }
    let index = app.world().resource::<ChunkIndex<CityChunk>>();
    assert!(index.root(ChunkCoord::ORIGIN).is_none());
}
