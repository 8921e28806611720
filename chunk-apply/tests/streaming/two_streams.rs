//! Several streams in one app.

use crate::rig::{
    PIECES, Piece, Pieces, Rig, config, generator, grid, middle_of, spawner, two_chunks_a_frame,
};
use bevy_app::{App, First, PostUpdate, Update};
use bevy_ecs::{
    prelude::*,
    schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel},
};
use chunk_apply::{
    ChunkIndex, ChunkLoaded, ChunkStream, ChunkStreamingPlugin, ChunkViewer, ChunkWriter, Spawner,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Generator, Job, Simulation};

#[derive(Component)]
struct Cloud;

struct Clouds;

fn cloud_plugin(simulation: &Simulation) -> ChunkStreamingPlugin<Clouds> {
    let mut plugin = ChunkStreamingPlugin::new(
        grid(),
        Generator::new(|_: &Job<ChunkCoord>| Clouds),
        Spawner::new(|_coord, _clouds, writer: &mut ChunkWriter<'_, '_>| {
            writer.spawn_batch([Cloud]);
        }),
    )
    .with_config(config());
    plugin.runtime = simulation.runtime();
    plugin
}

#[test]
fn two_streams_in_one_app_do_not_disturb_each_other() {
    let mut rig = Rig::new();
    let simulation = Simulation::new(3);
    rig.app.add_plugins(cloud_plugin(&simulation));
    let viewer = rig.viewer(0, 0);
    for _ in 0..4 {
        rig.frame();
        simulation.run();
    }
    rig.stream_mut().pause();
    rig.move_to(viewer, 30, 0);
    for _ in 0..4 {
        rig.frame();
        simulation.run();
    }
    assert!(rig.index().contains(ChunkCoord::ORIGIN));
    assert_eq!(rig.pieces(), 29 * PIECES);
    let world = rig.app.world_mut();
    assert!(
        !world
            .resource::<ChunkIndex<Clouds>>()
            .contains(ChunkCoord::ORIGIN)
    );
    assert!(
        world
            .resource::<ChunkIndex<Clouds>>()
            .contains(ChunkCoord::planar(30, 0))
    );
    assert_eq!(world.query::<&Cloud>().iter(world).count(), 29);
}

#[test]
fn no_two_of_our_systems_are_ambiguous() {
    let mut rig = Rig::new();
    rig.app.add_plugins(cloud_plugin(&Simulation::new(3)));
    rig.app.edit_schedule(Update, |schedule| {
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        });
    });
    // An ambiguity would be an error of building the schedule, which panics.
    rig.viewer(0, 0);
    rig.settle();
}

#[test]
fn no_two_of_our_systems_are_ambiguous_in_schedules_of_their_own() {
    let mut app = App::new();
    let simulation = Simulation::new(1);
    let mut plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(config())
        .scan_in(First)
        .apply_in(PostUpdate);
    plugin.runtime = simulation.runtime();
    app.add_plugins((
        plugin,
        cloud_plugin(&simulation)
            .scan_in(First)
            .apply_in(PostUpdate),
    ));
    for schedule in [First.intern(), PostUpdate.intern()] {
        app.edit_schedule(schedule, |schedule| {
            schedule.set_build_settings(ScheduleBuildSettings {
                ambiguity_detection: LogLevel::Error,
                ..ScheduleBuildSettings::default()
            });
        });
    }
    app.world_mut()
        .spawn((ChunkViewer::default(), middle_of(0, 0)));
    // An ambiguity would be an error of building the schedule, which panics.
    for _ in 0..3 {
        app.update();
        simulation.run();
    }
    assert_eq!(app.world().resource::<ChunkIndex<Pieces>>().len(), 29);
    assert_eq!(app.world().resource::<ChunkIndex<Clouds>>().len(), 29);
}

#[test]
fn two_busy_streams_keep_their_own_budgets_worlds_and_failures() {
    let mut rig = Rig::new();
    let simulation = Simulation::new(3);
    let mut clouds = cloud_plugin(&simulation);
    clouds.generator = Generator::fallible(|job: &Job<ChunkCoord>| {
        if job.key().x % 2 == 0 {
            Err("no clouds here")
        } else {
            Ok(Clouds)
        }
    });
    clouds.config.budget = two_chunks_a_frame();
    clouds.clock = std::sync::Arc::new(rig.clock.clone());
    rig.app.add_plugins(clouds);
    let viewer = rig.viewer(0, 0);
    let mut most = 0;
    for x in 0..60 {
        rig.move_to(viewer, x, 0);
        rig.frame();
        simulation.run();
        let clouds = rig.app.world().resource::<ChunkStream<Clouds>>();
        most = most.max(clouds.last_frame().apply.applied);
        assert_eq!(rig.stream().scheduler().counters().failed, 0);
    }
    assert!(rig.failed().is_empty());
    assert_eq!(most, 2, "two clouds a frame, whatever the other one does");
    rig.settle();
    assert!(rig.index().len() >= 29);
    for _ in 0..3_000 {
        rig.frame();
        simulation.run();
    }
    let clouds = rig.app.world().resource::<ChunkStream<Clouds>>();
    assert!(clouds.is_settled());
    let loaded = rig.app.world().resource::<ChunkIndex<Clouds>>();
    assert!(!loaded.is_empty());
    assert!(loaded.iter().all(|(coord, _)| coord.x % 2 != 0));
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    for _ in 0..100 {
        rig.frame();
    }
    let world = rig.app.world_mut();
    assert_eq!(world.query::<&Cloud>().iter(world).count(), 0);
    assert_eq!(world.query::<&Piece>().iter(world).count(), 0);
}

#[test]
fn messages_can_be_printed_whatever_the_content() {
    let message = app_with_one_message();
    assert!(
        message.contains("coord") && message.contains("latency"),
        "{message}"
    );
}

/// The debug text of the message that a chunk of clouds, which cannot be printed, is loaded.
fn app_with_one_message() -> String {
    let simulation = Simulation::new(1);
    let mut app = App::new();
    app.add_plugins(cloud_plugin(&simulation));
    app.world_mut()
        .spawn((ChunkViewer::default(), middle_of(0, 0)));
    app.update();
    simulation.run();
    app.update();
    let messages = app.world().resource::<Messages<ChunkLoaded<Clouds>>>();
    let first = messages.iter_current_update_messages().next();
    format!("{:?}", first.expect("a cloud is loaded"))
}
