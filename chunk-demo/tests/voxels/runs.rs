//! Scenarios on the voxel world, with the audits of every run: entities, meshes, requests.

use core::ops::ControlFlow;

use chunk_apply::ManualClock;
use chunk_demo::scenario::{Edits, Flight, Oscillate, Panicking, Rest, Scenario, Teleport};
use chunk_demo::voxels::VoxelWorld;
use chunk_demo::{Outcome, Pacing, Progress, Run, Settings, Workload, WorldKind};
use chunk_scheduler::Simulation;

/// Plays a scenario in a small part of the world, on a simulated pool that finishes all jobs between two frames.
fn played(scenario: &dyn Scenario, seconds: f64) -> (Outcome, VoxelWorld) {
    let mut settings = Settings::default();
    scenario.adjust(&mut settings);
    WorldKind::Voxels.adjust(&mut settings);
    let settings = Settings {
        seconds,
        radius: 3,
        unload_radius: 5,
        half_height: 1,
        ceiling: 70.0,
        ..settings
    };
    let simulation = Simulation::new(settings.seed);
    let world = VoxelWorld::new(settings.seed);
    let run = Run {
        pacing: Pacing::Stepped(ManualClock::default()),
        runtime: simulation.runtime(),
        ..Run::new(settings, scenario, Workload::voxels(world.clone()))
    };
    let mut watcher = |_: &Progress| {
        simulation.advance(Pacing::FRAME);
        ControlFlow::Continue(())
    };
    (
        run.go(&mut watcher).expect("the settings make sense"),
        world,
    )
}

#[test]
fn every_scenario_holds_and_no_mesh_is_left() {
    let scenarios: [&dyn Scenario; 6] = [
        &Rest,
        &Flight,
        &Edits,
        &Oscillate,
        &Teleport,
        &Panicking::HALF,
    ];
    for scenario in scenarios {
        let (outcome, world) = played(scenario, 1.0);
        assert_eq!(outcome.report.violations, [""; 0], "{outcome:#?}");
        let report = &outcome.report;
        assert!(
            report.assets > 5 && report.loaded_entities == 0,
            "{report:?}"
        );
        let layers = world.layers();
        assert!(layers.iter().all(|layer| layer.repeats == 0), "{layers:?}");
        let [heights, voxels] = &layers[..] else {
            panic!("{layers:?}");
        };
        assert!(
            voxels.hits > 2 * voxels.made && heights.hits > heights.made,
            "{layers:?}"
        );
    }
}

#[test]
fn a_mesh_that_is_left_behind_is_reported() {
    use bevy_asset::Assets;
    use bevy_ecs::resource::Resource;
    use bevy_mesh::{Mesh, PrimitiveTopology};

    #[derive(Resource)]
    struct Kept(#[expect(dead_code, reason = "it is held")] bevy_asset::Handle<Mesh>);

    let workload = Workload::voxels(VoxelWorld::new(1)).prepared_by(|app| {
        let mut meshes = app.world_mut().resource_mut::<Assets<Mesh>>();
        let usage = bevy_asset::RenderAssetUsages::default();
        let kept = meshes.add(Mesh::new(PrimitiveTopology::PointList, usage));
        app.insert_resource(Kept(kept));
    });
    let settings = Settings {
        seconds: 0.1,
        radius: 1,
        unload_radius: 1,
        half_height: 1,
        chunk_size: 32.0,
        ..Settings::default()
    };
    let run = Run {
        pacing: Pacing::Unpaced,
        ..Run::new(settings, &Rest, workload)
    };
    let outcome = run.go(&mut ()).expect("the settings make sense");
    let violations = &outcome.report.violations;
    assert!(
        violations.contains(&"6 meshes and materials instead of 5".to_owned()),
        "{violations:?}"
    );
}
