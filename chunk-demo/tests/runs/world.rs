//! Which parts of the world the stream touches, and for how long.

use core::ops::ControlFlow;
use std::time::Duration;

use bevy_app::App;
use bevy_asset::Assets;
use bevy_ecs::change_detection::DetectChanges;
use bevy_ecs::prelude::*;
use bevy_mesh::Mesh;
use bevy_transform::TransformPlugin;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, ManualClock, Spawner,
    StreamingConfig,
};
use chunk_assets::SharedAssets;
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_demo::city::spawn::{WholeWithin, city_spawner};
use chunk_demo::city::{CityChunk, CityConfig, CityPlan};
use chunk_demo::scenario::{Scenario, Sprint, Teleport};
use chunk_demo::{Pacing, Progress, Run, Settings, Workload, city_app, task_pools};
use chunk_scheduler::{Generator, Job, Simulation};

use crate::{assert_good, small};

fn city() -> App {
    let settings = Settings {
        radius: 2,
        unload_radius: 2,
        ..Settings::default()
    };
    let mut app = city_app(&settings).expect("the settings make sense");
    app.update();
    app
}

/// Streams around one position, then around another, so that chunks are loaded and unloaded.
fn stream(app: &mut App) {
    let viewer = app.world_mut().spawn(ChunkViewer::default()).id();
    for x in [100.0, 50_000.0] {
        let transform = Transform::from_xyz(x, 100.0, 100.0);
        app.world_mut().entity_mut(viewer).insert(transform);
        app.update();
        while !app
            .world()
            .resource::<ChunkStream<CityChunk>>()
            .is_settled()
        {
            app.update();
        }
        assert_eq!(app.world().resource::<ChunkIndex<CityChunk>>().len(), 13);
    }
    let totals = app.world().resource::<ChunkStream<CityChunk>>().totals();
    assert_eq!(totals.unloaded, 13);
}

#[test]
fn a_city_is_streamed_where_there_are_no_assets_to_touch() {
    let plan = CityPlan::new(CityConfig::default()).expect("the defaults make a city");
    let grid = ChunkGrid::planar(200.0).expect("200 is a size");
    let generator = Generator::new(move |job: &Job<ChunkCoord>| plan.generate(job.key()));
    let spawner = city_spawner(SharedAssets::default(), WholeWithin::new(200.0, 2));
    let plugin = ChunkStreamingPlugin::new(grid, generator, spawner);
    let config = StreamingConfig {
        range: Some(ViewRange::disc(2, 2).expect("2 is not less than 2")),
        ..StreamingConfig::default()
    };
    let mut app = App::new();
    app.add_plugins((task_pools(), TransformPlugin, plugin.with_config(config)));
    // A system of the stream that asked for assets would fail.
    stream(&mut app);
    assert!(!app.world().contains_resource::<Assets<Mesh>>());
}

#[test]
fn no_asset_changes_while_chunks_come_and_go() {
    let mut app = city();
    let changed = |app: &App| app.world().resource_ref::<Assets<Mesh>>().last_changed();
    let before = changed(&app);
    stream(&mut app);
    assert_eq!(changed(&app), before);
}

/// A component whose removal takes a microsecond.
#[derive(Component)]
struct Heavy;

#[test]
fn unloading_keeps_to_the_budget_by_time_in_every_frame() {
    const BUDGET: Duration = Duration::from_micros(200);
    const ENTITIES: usize = 40;
    for scenario in [&Teleport as &dyn Scenario, &Sprint] {
        let clock = ManualClock::default();
        let spawner = Spawner::new(|_coord: ChunkCoord, (), writer| {
            writer.spawn_batch((0..ENTITIES).map(|_| Heavy));
        });
        let despawning = clock.clone();
        let heavy = Workload::new(|_job| (), spawner, |_coord| ENTITIES).prepared_by(move |app| {
            let clock = despawning.clone();
            app.add_observer(move |_: On<'_, '_, Remove, Heavy>| {
                clock.advance(Duration::from_micros(1));
            });
        });
        let simulation = Simulation::new(1);
        let settings = Settings {
            budget: ApplyBudget {
                time: Some(BUDGET),
                ..ApplyBudget::default()
            },
            ..small(scenario, 3.0)
        };
        let run = Run {
            pacing: Pacing::Stepped(clock),
            runtime: simulation.runtime(),
            ..Run::new(settings, scenario, heavy)
        };
        let mut watcher = |_: &Progress| {
            simulation.run();
            ControlFlow::Continue(())
        };
        let outcome = run.go(&mut watcher).expect("the settings make sense");
        assert_good(&outcome);
        let report = &outcome.report;
        assert!(report.unloaded > 100, "{report:#?}");
        // Unloading one chunk takes 40 µs; the whole world at once would take 3,240 µs.
        assert!(
            report.main_thread_us_max > 100.0,
            "it was work: {report:#?}"
        );
        assert!(report.main_thread_us_max <= 220.0, "{report:#?}");
    }
}
