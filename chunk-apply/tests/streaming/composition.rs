//! The stream among other plugins and schedules.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, generator, grid, middle_of, spawner};
use bevy_app::{App, First, FixedUpdate, PostUpdate, RunFixedMainLoop, TaskPoolPlugin, Update};
use bevy_diagnostic::{DiagnosticPath, DiagnosticsStore};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, StreamingConfig,
    StreamingDiagnosticsPlugin, StreamingSystems,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Generator, Job, SchedulerConfig, Simulation};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
};

/// The text of the panic with which a plugin of these settings is built.
fn panic_of(config: StreamingConfig) -> String {
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner()).with_config(config);
    let panic = catch_unwind(AssertUnwindSafe(|| App::new().add_plugins(plugin).update()))
        .expect_err("the settings are invalid");
    *(panic.downcast::<String>()).expect("the panic has a text")
}

#[test]
fn a_share_that_is_none_panics_in_build() {
    for share in [-0.1, 1.5, f32::NAN] {
        let mut config = config();
        config.budget.unload_share = share;
        assert!(panic_of(config).contains("unload_share"));
    }
}

#[test]
fn invalid_settings_of_the_scheduler_panic_in_build_with_the_sentence_of_the_error() {
    let config = StreamingConfig {
        scheduler: SchedulerConfig {
            max_in_flight: 0,
            ..SchedulerConfig::default()
        },
        ..config()
    };
    let error = config.validate().expect_err("0 is invalid").to_string();
    assert_eq!(error, "`max_in_flight` cannot be 0");
    assert!(panic_of(config).contains(&error));
}

#[test]
fn the_steps_run_in_order_and_others_can_go_in_between() {
    #[derive(Resource, Default)]
    struct Seen(Vec<(&'static str, usize)>);
    fn note(step: &'static str) -> impl Fn(ResMut<Seen>, Res<ChunkStream<Pieces>>) {
        move |mut seen, stream| seen.0.push((step, stream.wanted().len()))
    }
    let mut rig = Rig::new();
    rig.app.init_resource::<Seen>().add_systems(
        Update,
        (
            note("before").before(StreamingSystems::Scan),
            note("between")
                .after(StreamingSystems::Scan)
                .before(StreamingSystems::Generate),
            note("after").after(StreamingSystems::Apply),
        ),
    );
    rig.viewer(0, 0);
    rig.frame();
    let seen = &rig.app.world().resource::<Seen>().0;
    assert_eq!(seen, &[("before", 0), ("between", 29), ("after", 29)]);
}

#[test]
fn scanning_and_applying_may_sit_in_different_schedules() {
    let simulation = Simulation::new(1);
    let worker = simulation.clone();
    let mut plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(config())
        .scan_in(First)
        .apply_in(PostUpdate);
    plugin.runtime = simulation.runtime();
    let mut app = App::new();
    app.add_plugins(plugin)
        // What the pool does while other systems run.
        .add_systems(Update, move || worker.run());
    app.world_mut()
        .spawn((ChunkViewer::default(), middle_of(0, 0)));
    app.update();
    let index = app.world().resource::<ChunkIndex<Pieces>>();
    assert_eq!(index.len(), 29, "wanted, made and shown in one frame");
}

#[test]
fn it_works_in_the_fixed_schedule() {
    let simulation = Simulation::new(1);
    let mut plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(config())
        .in_schedule(FixedUpdate);
    plugin.runtime = simulation.runtime();
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), plugin))
        .add_systems(RunFixedMainLoop, |world: &mut World| {
            world.run_schedule(FixedUpdate)
        });
    app.world_mut()
        .spawn((ChunkViewer::default(), middle_of(0, 0)));
    for _ in 0..4 {
        app.update();
        simulation.run();
    }
    assert_eq!(app.world().resource::<ChunkIndex<Pieces>>().len(), 29);
}

#[test]
fn a_run_condition_holds_a_step_back() {
    #[derive(Resource, PartialEq)]
    struct Frozen(bool);
    let mut rig = Rig::new();
    rig.app.insert_resource(Frozen(true)).configure_sets(
        Update,
        StreamingSystems::Apply.run_if(resource_equals(Frozen(false))),
    );
    rig.viewer(0, 0);
    rig.frames(5);
    assert_eq!(rig.pieces(), 0);
    rig.app.insert_resource(Frozen(false));
    rig.settle();
    assert_eq!(rig.pieces(), 29 * PIECES);
}

#[test]
fn on_the_real_pool_an_app_dropped_with_work_in_flight_does_not_wait_for_it() {
    let (started, has_started) = mpsc::channel::<()>();
    let (release, may_end) = mpsc::channel::<()>();
    let may_end = std::sync::Mutex::new(may_end);
    let generator = Generator::new(move |_: &Job<ChunkCoord>| {
        let _ = started.send(());
        // Ends when the test has dropped its end, however many chunks there are.
        let _ = may_end.lock().map(|end| end.recv());
        Pieces(1)
    });
    let mut app = App::new();
    app.add_plugins((
        TaskPoolPlugin::default(),
        ChunkStreamingPlugin::new(grid(), generator, spawner()).with_config(config()),
    ));
    app.world_mut()
        .spawn((ChunkViewer::default(), middle_of(0, 0)));
    app.update();
    has_started.recv().expect("a generator starts");
    drop(app);
    // The generator may only continue from here, so the drop has not waited for it.
    drop(release);
}

#[test]
fn on_the_real_pool_the_world_fills() {
    let mut app = App::new();
    app.add_plugins((
        TaskPoolPlugin::default(),
        ChunkStreamingPlugin::new(grid(), generator(), spawner()).with_config(config()),
    ));
    app.world_mut()
        .spawn((ChunkViewer::default(), middle_of(0, 0)));
    while !app.world().resource::<ChunkStream<Pieces>>().is_settled()
        || app.world().resource::<ChunkIndex<Pieces>>().is_empty()
    {
        app.update();
    }
    let world = app.world_mut();
    assert_eq!(world.query::<&Piece>().iter(world).count(), 29 * PIECES);
}

#[test]
fn the_streams_state_is_among_the_diagnostics() {
    let mut rig = Rig::new();
    rig.app.add_plugins((
        bevy_diagnostic::DiagnosticsPlugin,
        StreamingDiagnosticsPlugin::<Pieces>::default(),
    ));
    rig.viewer(0, 0);
    rig.settle();
    let store = rig.app.world().resource::<DiagnosticsStore>();
    let value = |path| {
        let diagnostic = store.get(&DiagnosticPath::new(path)).expect("registered");
        diagnostic.value().expect("measured")
    };
    assert_eq!(value("chunk/loaded"), 29.0);
    assert_eq!(value("chunk/wanted"), 29.0);
    assert_eq!(value("chunk/entities"), 29.0 * PIECES as f64);
    assert_eq!(value("chunk/queued"), 0.0);
    let mut paths = StreamingDiagnosticsPlugin::<Pieces>::paths();
    assert!(paths.all(|path| store.get_measurement(&path).is_some()));
}

/// A worker that starts may run on the core of the thread that applies. A frame without a limit is too long to wait for.
#[test]
fn workers_start_after_a_limited_frame_has_applied_and_during_one_without_a_limit() {
    for (budget, is_limited) in [
        (ApplyBudget::DEFAULT, true),
        (ApplyBudget::unlimited(), false),
    ] {
        let config = StreamingConfig { budget, ..config() };
        let mut rig = Rig::with(generator(), spawner(), config);
        let simulation = rig.simulation.clone();
        let generate = move |stream: Res<ChunkStream<Pieces>>| {
            let before = stream.scheduler().counters().generated;
            simulation.run();
            let after = stream.scheduler().counters().generated;
            assert_eq!(after == before, is_limited, "{before} {after}");
        };
        let between = generate
            .after(StreamingSystems::Generate)
            .before(StreamingSystems::Apply);
        rig.viewer(0, 0);
        rig.app.add_systems(Update, between);
        rig.app.update();
        rig.simulation.run();
        let counters = rig.stream().scheduler().counters();
        assert!(counters.generated > 0, "{is_limited}");
    }
}
