//! Streams that have viewers of their own, picked by a filter.

use crate::rig::{Pieces, Rig, config, generator, grid, middle_of, spawner};
use bevy_app::{App, Update};
use bevy_ecs::{
    prelude::*,
    query::QueryFilter,
    schedule::{LogLevel, ScheduleBuildSettings},
    system::{RunSystemOnce, SystemState},
};
use chunk_apply::{
    ChunkIndex, ChunkStream, ChunkStreamNow, ChunkStreamingPlugin, ChunkViewer, ChunkViewerAt,
    Spawner, StreamingConfig, chunks_are_settled,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Generator, Job, Simulation};
use std::time::Duration;

#[derive(Component)]
struct Underground;

/// The content of the stream beside the rig's.
struct Meadow;

/// A rig whose viewers are underground.
fn caves() -> Rig {
    Rig::with_plugin(|plugin| plugin.for_viewers::<With<Underground>>())
}

/// The rig, and a stream of meadows for the viewers that are not.
fn two_worlds() -> (Rig, Simulation) {
    let mut rig = caves();
    let simulation = Simulation::new(3);
    let mut meadows = ChunkStreamingPlugin::new(
        grid(),
        Generator::new(|_: &Job<ChunkCoord>| Meadow),
        Spawner::new(|_coord, _meadow, _writer| {}),
    )
    .with_config(config())
    .for_viewers::<Without<Underground>>();
    meadows.runtime = simulation.runtime();
    meadows.clock = std::sync::Arc::new(rig.clock.clone());
    rig.app.add_plugins(meadows);
    (rig, simulation)
}

fn is_settled_now<F: QueryFilter + 'static>(rig: &mut Rig) -> bool {
    let world = rig.app.world_mut();
    let mut state: SystemState<ChunkStreamNow<Pieces, F>> = SystemState::new(world);
    state
        .get(world)
        .expect("a parameter that is always valid")
        .is_settled()
}

#[test]
fn each_of_two_streams_has_the_viewers_that_its_filter_accepts() {
    let (mut rig, simulation) = two_worlds();
    rig.viewer(0, 0);
    let miner = rig.viewer(50, 0);
    rig.app.world_mut().entity_mut(miner).insert(Underground);
    for _ in 0..5 {
        rig.frame();
        simulation.run();
    }
    let (here, there) = (ChunkCoord::planar(0, 0), ChunkCoord::planar(50, 0));
    let meadows = rig.app.world().resource::<ChunkIndex<Meadow>>();
    assert_eq!((rig.index().len(), meadows.len()), (29, 29));
    assert!(rig.index().contains(there) && !rig.index().contains(here));
    assert!(meadows.contains(here) && !meadows.contains(there));
    assert_eq!(rig.stream().viewers().len(), 1);
}

#[test]
fn what_the_viewers_of_one_stream_do_does_not_touch_the_other() {
    let (mut rig, simulation) = two_worlds();
    let walker = rig.viewer(0, 0);
    let miner = rig.viewer(50, 0);
    rig.app.world_mut().entity_mut(miner).insert(Underground);
    for _ in 0..5 {
        rig.frame();
        simulation.run();
    }
    let before = rig.stream().scheduler().counters();
    for x in 0..40 {
        rig.move_to(walker, x, 0);
        rig.frame();
        simulation.run();
    }
    rig.app.world_mut().despawn(walker);
    for _ in 0..5 {
        rig.frame();
        simulation.run();
    }
    assert_eq!(rig.stream().scheduler().counters(), before);
    assert_eq!(rig.index().len(), 29);
    let world = rig.app.world();
    assert!(world.resource::<ChunkIndex<Meadow>>().is_empty());
    assert!(world.resource::<ChunkStream<Meadow>>().is_settled());
}

#[test]
fn a_viewer_that_goes_from_one_stream_to_the_other_takes_its_chunks_along() {
    let (mut rig, simulation) = two_worlds();
    let viewer = rig.viewer(0, 0);
    for is_underground in [false, true, false] {
        let mut viewer = rig.app.world_mut().entity_mut(viewer);
        if is_underground {
            viewer.insert(Underground);
        } else {
            viewer.remove::<Underground>();
        }
        for _ in 0..5 {
            rig.frame();
            simulation.run();
        }
        let meadows = rig.app.world().resource::<ChunkIndex<Meadow>>().len();
        let expected = if is_underground { (29, 0) } else { (0, 29) };
        assert_eq!((rig.index().len(), meadows), expected);
    }
}

#[test]
fn a_viewer_that_the_filter_no_longer_accepts_lingers_like_one_that_vanished() {
    let mut rig = Rig::with_plugin(|plugin| {
        let config = StreamingConfig {
            linger: Duration::from_millis(100),
            ..config()
        };
        plugin
            .with_config(config)
            .for_viewers::<With<Underground>>()
    });
    let viewer = rig.viewer(0, 0);
    rig.app.world_mut().entity_mut(viewer).insert(Underground);
    rig.settle();
    let before = rig.stream().scheduler().counters();
    (rig.app.world_mut().entity_mut(viewer)).remove::<Underground>();
    rig.frames(5);
    assert_eq!(rig.stream().lingering().len(), 1);
    rig.app.world_mut().entity_mut(viewer).insert(Underground);
    rig.settle();
    assert_eq!(rig.stream().scheduler().counters(), before);
    (rig.app.world_mut().entity_mut(viewer)).remove::<Underground>();
    // Seen to be gone by the first of them.
    rig.frames(7);
    assert_eq!(rig.index().len(), 29);
    rig.frames(2);
    assert!(rig.index().is_empty());
}

#[test]
fn a_filter_is_for_viewers_at_chunks_too() {
    let mut rig = caves();
    let world = rig.app.world_mut();
    world.spawn((ChunkViewerAt::new(ChunkCoord::planar(9, 0)), Underground));
    world.spawn(ChunkViewerAt::new(ChunkCoord::planar(50, 0)));
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert!(rig.index().contains(ChunkCoord::planar(9, 0)));
}

#[test]
fn whether_all_is_there_now_is_a_question_about_the_streams_own_viewers() {
    let mut rig = caves();
    let miner = rig.viewer(0, 0);
    rig.app.world_mut().entity_mut(miner).insert(Underground);
    assert!(
        !is_settled_now::<With<Underground>>(&mut rig),
        "not scanned"
    );
    rig.settle();
    assert!(is_settled_now::<With<Underground>>(&mut rig));
    let walker = rig.viewer(50, 0);
    assert!(is_settled_now::<With<Underground>>(&mut rig));
    rig.app.world_mut().entity_mut(walker).insert(Underground);
    assert!(!is_settled_now::<With<Underground>>(&mut rig));
    rig.settle();
    assert!(is_settled_now::<With<Underground>>(&mut rig));
}

#[test]
fn by_another_filter_than_the_streams_nothing_is_ever_settled() {
    let mut rig = caves();
    rig.settle();
    assert!(is_settled_now::<With<Underground>>(&mut rig));
    assert!(!is_settled_now::<()>(&mut rig));
    assert!(!is_settled_now::<Without<Underground>>(&mut rig));
    let world = rig.app.world_mut();
    let condition = world.run_system_once(chunks_are_settled::<Pieces>);
    assert!(!condition.expect("a condition that is always valid"));
}

#[test]
fn an_app_refuses_two_streams_of_one_content_whatever_their_filters() {
    let mut app = App::new();
    let plugin = || ChunkStreamingPlugin::new(grid(), generator(), spawner());
    app.add_plugins(plugin().for_viewers::<With<Underground>>());
    let add = || _ = app.add_plugins(plugin().for_viewers::<Without<Underground>>());
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(add));
    let message = panic.expect_err("refused");
    let message = message.downcast_ref::<String>().expect("a message");
    assert!(message.contains("already added"), "{message}");
}

#[test]
fn no_two_of_the_systems_of_filtered_streams_are_ambiguous() {
    let (mut rig, _simulation) = two_worlds();
    rig.app.edit_schedule(Update, |schedule| {
        schedule.set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        });
    });
    let miner = (ChunkViewer::default(), Underground, middle_of(0, 0));
    rig.app.world_mut().spawn(miner);
    // An ambiguity would be an error of building the schedule, which panics.
    rig.settle();
    assert_eq!(rig.index().len(), 29);
}
