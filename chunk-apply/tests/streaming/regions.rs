//! How much of a region is loaded, and when that is told.

use crate::rig::{
    Pieces, Rig, Runs, config, generator, grid, middle_of, spawner, viewers_have_ground,
};
use bevy_app::{App, First, Last, PostUpdate, Update};
use bevy_ecs::{
    prelude::*,
    query::QueryFilter,
    schedule::{LogLevel, ScheduleBuildSettings, ScheduleLabel},
    system::{RunSystemOnce, SystemState},
};
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkGrid, ChunkRegion, ChunkRegionReady, ChunkStream, ChunkStreamNow,
    ChunkStreamSystemsPlugin, ChunkStreamingPlugin, ChunkViewer, ChunkViewerAt, DespawnedRoots,
    RegionProgress, Reset, RetryPolicy, Runtime, StreamingConfig, chunks_are_ready,
};
use chunk_coord::{ChunkCoord, ViewRange};
use chunk_scheduler::{Generator, Job};
use std::time::Duration;

/// What a system with this parameter is told.
fn ask<F: QueryFilter + 'static, R>(
    app: &mut App,
    ask: impl FnOnce(ChunkStreamNow<Pieces, F>) -> R,
) -> R {
    let world = app.world_mut();
    let mut state: SystemState<ChunkStreamNow<Pieces, F>> = SystemState::new(world);
    ask(state.get(world).expect("a parameter that is always valid"))
}

fn around(rig: &mut Rig, viewer: Entity, radius: u32) -> RegionProgress {
    ask::<(), _>(&mut rig.app, |stream| {
        stream.progress_around(viewer, radius)
    })
}

fn at(rig: &mut Rig, x: i32, z: i32, radius: u32) -> RegionProgress {
    let position = middle_of(x, z).translation;
    let by_position = ask::<(), _>(&mut rig.app, |stream| stream.progress_at(position, radius));
    let coord = ChunkCoord::planar(x, z);
    let by_chunk = ask::<(), _>(&mut rig.app, |stream| {
        stream.progress_at_chunk(coord, radius)
    });
    assert_eq!(by_position, by_chunk);
    by_position
}

/// Whether the surroundings of all viewers are ready, in both ways to ask.
fn are_ready(rig: &mut Rig, radius: u32) -> bool {
    let is_ready = ask::<(), _>(&mut rig.app, |stream| stream.is_ready(radius));
    let condition = chunks_are_ready::<Pieces>(radius);
    let condition = rig.app.world_mut().run_system_once(condition);
    assert_eq!(condition.ok(), Some(is_ready));
    is_ready
}

/// All of so many.
fn whole(chunks: usize) -> RegionProgress {
    RegionProgress {
        chunks,
        wanted: chunks,
        loaded: chunks,
        ..RegionProgress::default()
    }
}

#[test]
fn a_loading_screen_sees_the_bar_grow_from_nothing_to_all() {
    let mut rig = Rig::new();
    rig.stream_mut().budget.chunks = Some(2);
    let viewer = rig.viewer(0, 0);
    // Before the first scan nothing is wanted, and what will be is known.
    let nothing = RegionProgress {
        chunks: 29,
        ..RegionProgress::default()
    };
    assert_eq!(at(&mut rig, 0, 0, 3), nothing);
    assert_eq!(around(&mut rig, viewer, u32::MAX), nothing);
    assert!(!are_ready(&mut rig, 3) && !are_ready(&mut rig, 0));
    let mut last = 0;
    while !are_ready(&mut rig, u32::MAX) {
        rig.frame();
        let now = around(&mut rig, viewer, u32::MAX);
        assert_eq!((now.chunks, now.wanted), (29, 29));
        assert!(now.loaded >= last && now.loaded <= last + 2, "{now:?}");
        assert_eq!(now.loaded, rig.index().len());
        last = now.loaded;
        // The nearest come first.
        assert_eq!(around(&mut rig, viewer, 0).is_loaded(), last > 0);
    }
    assert_eq!(around(&mut rig, viewer, u32::MAX), whole(29));
    assert_eq!(around(&mut rig, viewer, 1), whole(5));
    assert_eq!(at(&mut rig, 1, 0, 1), whole(5));
}

#[test]
fn nothing_is_known_without_a_stream_a_viewer_or_a_place() {
    let mut app = App::new();
    app.add_plugins(ChunkStreamSystemsPlugin::<Pieces>::default());
    let viewer = app.world_mut().spawn(ChunkViewer::default()).id();
    let nothing = RegionProgress::default();
    app.update();
    assert_eq!(
        ask::<(), _>(&mut app, |stream| stream.progress_around(viewer, 3)),
        nothing
    );
    assert_eq!(
        ask::<(), _>(&mut app, |stream| stream.progress_at(Vec3::ZERO, 3)),
        nothing
    );
    assert!(!ask::<(), _>(&mut app, |stream| stream.is_ready(0)));
    let mut rig = Rig::new();
    rig.frame();
    // Nobody is there.
    assert!(!are_ready(&mut rig, 0));
    let nobody = rig.app.world_mut().spawn_empty().id();
    assert_eq!(around(&mut rig, nobody, 3), nothing);
    for position in [Vec3::NAN, Vec3::INFINITY, Vec3::splat(f32::MAX)] {
        let there = ask::<(), _>(&mut rig.app, |stream| stream.progress_at(position, 3));
        assert_eq!(there, nothing);
    }
}

#[test]
fn after_a_teleport_the_old_place_does_not_count() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    assert!(are_ready(&mut rig, 3));
    rig.move_to(viewer, 50, 0);
    // Before the scan notices.
    let now = around(&mut rig, viewer, 3);
    assert_eq!((now.chunks, now.wanted), (29, 0));
    assert!(!are_ready(&mut rig, 0));
    while !are_ready(&mut rig, 3) {
        let there = at(&mut rig, 50, 0, 3).is_loaded();
        assert!(!there);
        rig.frame();
    }
    assert!(rig.index().contains(ChunkCoord::planar(50, 0)));
    // What was given up is not ground any more.
    assert!(!at(&mut rig, 0, 0, 0).is_loaded());
    // Only half of the way, what stands counts and the rest is missing.
    rig.move_to(viewer, 51, 0);
    assert_eq!(around(&mut rig, viewer, 3).loaded, 29 - 7);
}

#[test]
fn a_place_that_nobody_wants_whole_is_not_ready() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    assert!(at(&mut rig, 2, 0, 1).is_loaded());
    let edge = at(&mut rig, 3, 0, 1);
    assert_eq!((edge.chunks, edge.wanted, edge.loaded), (5, 2, 2));
    assert!(!edge.is_ready());
    let nowhere = at(&mut rig, 90, 0, 0);
    assert_eq!((nowhere.chunks, nowhere.wanted), (1, 0));
    // More than can be counted.
    let all = at(&mut rig, 0, 0, u32::MAX);
    assert_eq!((all.chunks, all.is_ready()), (usize::MAX, false));
}

#[test]
fn a_stream_that_is_paused_counts_as_it_stands() {
    let mut rig = Rig::new();
    rig.stream_mut().budget.chunks = Some(4);
    let viewer = rig.viewer(0, 0);
    rig.frames(3);
    let before = around(&mut rig, viewer, 3);
    assert!(before.loaded > 0 && !before.is_ready());
    rig.stream_mut().pause();
    rig.frames(10);
    assert_eq!(around(&mut rig, viewer, 3), before);
    rig.stream_mut().resume();
    rig.settle();
    rig.stream_mut().pause();
    rig.frames(2);
    assert!(are_ready(&mut rig, 3));
    // Paused before its first scan, it knows nothing.
    let mut rig = Rig::new();
    rig.stream_mut().pause();
    rig.viewer(0, 0);
    rig.frames(3);
    assert!(!are_ready(&mut rig, 0));
}

#[test]
fn what_failed_for_good_or_was_despawned_is_counted_and_not_waited_for() {
    let broken = ChunkCoord::planar(1, 0);
    let config = StreamingConfig {
        scheduler: chunk_apply::SchedulerConfig {
            retry: RetryPolicy {
                max_attempts: 2,
                ..RetryPolicy::default()
            },
            ..config().scheduler
        },
        ..config()
    };
    let failing = Generator::fallible(move |job: &Job<ChunkCoord>| {
        if job.key() == broken {
            Err("no such place")
        } else {
            Ok(Pieces(1))
        }
    });
    let mut rig = Rig::with(failing, spawner(), config);
    let viewer = rig.viewer(0, 0);
    rig.frames(3);
    // It is tried again, so it may yet come.
    let now = around(&mut rig, viewer, 3);
    assert_eq!((now.loaded, now.failed), (28, 0));
    assert!(!now.is_ready());
    rig.settle();
    let now = around(&mut rig, viewer, 3);
    assert_eq!((now.loaded, now.failed, now.fraction()), (28, 1, 1.0));
    assert!(now.is_ready() && !now.is_loaded());
    assert!(at(&mut rig, 0, 0, 0).is_loaded() && !at(&mut rig, 1, 0, 0).is_loaded());
    // Asked for again, it is missing and no longer failed.
    rig.stream_mut().retry_quarantined();
    assert!(!are_ready(&mut rig, 3));
    rig.settle();
    // Despawned by the game.
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    rig.app.world_mut().despawn(root);
    assert!(!around(&mut rig, viewer, 0).is_ready());
    rig.settle();
    let now = around(&mut rig, viewer, 3);
    assert_eq!((now.loaded, now.failed, now.despawned), (27, 1, 1));
    assert!(now.is_ready());
    // Where it is to be made again, it is waited for.
    rig.stream_mut().despawned_roots = DespawnedRoots::MakeAgain;
    let root = rig.index().root(ChunkCoord::planar(0, 1)).expect("loaded");
    rig.app.world_mut().despawn(root);
    rig.app.update();
    assert!(!are_ready(&mut rig, 3));
    rig.settle();
    assert_eq!(around(&mut rig, viewer, 3).loaded, 27);
}

#[test]
fn an_older_version_that_stands_counts_as_loaded() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.app.update();
    assert!(!rig.stream().is_settled());
    assert!(at(&mut rig, 0, 0, 0).is_loaded());
}

#[test]
fn chunks_of_another_grid_and_of_before_a_reset_do_not_count() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let double = ChunkGrid::planar(20.0).expect("20 is a size");
    rig.stream_mut().set_grid(double);
    assert_eq!(around(&mut rig, viewer, 3).loaded, 0);
    rig.stream_mut().budget.chunks = Some(0);
    rig.frames(3);
    assert_eq!(around(&mut rig, viewer, 3).loaded, 0);
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert!(are_ready(&mut rig, 3));
    let _ = ChunkStream::<Pieces>::reset(rig.app.world_mut(), Reset::Discard);
    assert!(!are_ready(&mut rig, 0));
    rig.settle();
    assert!(are_ready(&mut rig, 3));
}

#[test]
fn each_viewer_has_surroundings_by_its_own_range_and_place() {
    let mut rig = Rig::new();
    let far = rig.viewer(0, 0);
    let own = ViewRange::disc(1, 2).expect("2 is not less than 1");
    let near = (ChunkViewer::with_range(own), middle_of(40, 0));
    let near = rig.app.world_mut().spawn(near).id();
    let chunk = ChunkViewerAt::new(ChunkCoord::planar(-40, 7)).with_range(own);
    let chunk = rig.app.world_mut().spawn(chunk).id();
    rig.settle();
    assert_eq!(around(&mut rig, far, u32::MAX), whole(29));
    assert_eq!(around(&mut rig, near, u32::MAX), whole(5));
    assert_eq!(around(&mut rig, near, 9), whole(5));
    assert_eq!(around(&mut rig, chunk, 9), whole(5));
    assert!(are_ready(&mut rig, u32::MAX));
    // One that is not ready is enough.
    rig.move_to(near, 60, 0);
    assert!(around(&mut rig, far, 3).is_ready());
    assert!(!are_ready(&mut rig, 0));
    rig.settle();
    // A position that is lost counts where it last was.
    *(rig.app.world_mut().get_mut::<Transform>(near)).expect("a viewer") =
        Transform::from_xyz(f32::NAN, 0.0, 0.0);
    assert_eq!(around(&mut rig, near, 9), whole(5));
    // With its parent and the origin.
    let ship = rig.app.world_mut().spawn(middle_of(3, 3)).id();
    let sailor = (ChunkViewer::default(), ChildOf(ship));
    let sailor = rig.app.world_mut().spawn(sailor).id();
    assert_eq!(around(&mut rig, sailor, 0).loaded, 0);
    rig.settle();
    assert_eq!(around(&mut rig, sailor, 3), whole(29));
    rig.move_origin(ChunkCoord::planar(500, 0));
    assert_eq!(around(&mut rig, sailor, 3).loaded, 0);
}

#[test]
fn in_a_volumetric_grid_a_viewer_with_a_flat_range_is_ready_when_its_layer_is() {
    let mut plugin =
        ChunkStreamingPlugin::new(grid(), generator(), spawner()).with_config(config());
    plugin.grid = ChunkGrid::volumetric(Vec3::splat(10.0)).expect("10 is a size");
    let mut rig = Rig::build(chunk_apply::ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    assert_eq!(around(&mut rig, viewer, 3), whole(29));
    // A place is asked about with the chunks above and below.
    let place = ask::<(), _>(&mut rig.app, |stream| {
        stream.progress_at_chunk(ChunkCoord::ORIGIN, 1)
    });
    assert_eq!((place.chunks, place.loaded), (7, 5));
}

#[test]
fn with_another_filter_than_the_streams_nothing_is_ready() {
    #[derive(Component)]
    struct Player;
    let mut rig = Rig::with_plugin(|plugin| plugin.for_viewers::<With<Player>>());
    let ghost = rig.viewer(9, 9);
    let player = rig.viewer(0, 0);
    rig.app.world_mut().entity_mut(player).insert(Player);
    rig.settle();
    let app = &mut rig.app;
    assert!(ask::<With<Player>, _>(app, |stream| stream.is_ready(3)));
    let of = |app: &mut App, entity| {
        ask::<With<Player>, _>(app, |stream| stream.progress_around(entity, 3))
    };
    assert_eq!(of(app, player), whole(29));
    assert_eq!(of(app, ghost), RegionProgress::default());
    assert!(!ask::<(), _>(app, |stream| stream.is_ready(0)));
    assert!(!ask::<(), _>(app, |stream| stream
        .progress_around(player, 0)
        .is_ready()));
}

/// What was told, as messages and to observers, since the last call.
fn told(rig: &mut Rig) -> Vec<(Entity, ChunkCoord)> {
    let world = rig.app.world_mut();
    let mut messages = world.resource_mut::<Messages<ChunkRegionReady<Pieces>>>();
    let read: Vec<_> = (messages.drain())
        .map(|ready| {
            assert!(ready.progress.is_ready());
            (ready.entity, ready.coord)
        })
        .collect();
    let seen = core::mem::take(&mut world.resource_mut::<Seen>().0);
    assert_eq!(read, seen);
    read
}

fn set_radius(rig: &mut Rig, entity: Entity, radius: u32) {
    let mut entity = rig.app.world_mut().entity_mut(entity);
    let mut region = entity.get_mut::<ChunkRegion<Pieces>>().expect("inserted");
    region.radius = radius;
}

#[derive(Resource, Default)]
struct Seen(Vec<(Entity, ChunkCoord)>);

fn observe(rig: &mut Rig) {
    rig.app.init_resource::<Seen>().add_observer(
        |ready: On<ChunkRegionReady<Pieces>>, mut seen: ResMut<Seen>| {
            seen.0.push((ready.entity, ready.coord));
        },
    );
}

#[test]
fn a_region_is_told_once_each_time_it_becomes_ready() {
    let mut rig = Rig::new();
    observe(&mut rig);
    let viewer = rig.viewer(0, 0);
    (rig.app.world_mut().entity_mut(viewer)).insert(ChunkRegion::<Pieces>::new(1));
    rig.frame();
    assert_eq!(told(&mut rig), []);
    rig.settle();
    assert_eq!(told(&mut rig), [(viewer, ChunkCoord::ORIGIN)]);
    // It stays so, also within what is loaded.
    rig.move_to(viewer, 1, 0);
    rig.frames(5);
    assert_eq!(told(&mut rig), []);
    // A teleport.
    let there = ChunkCoord::planar(70, 0);
    rig.move_to(viewer, 70, 0);
    rig.settle();
    assert_eq!(told(&mut rig), [(viewer, there)]);
    rig.frames(5);
    assert_eq!(told(&mut rig), []);
    // A larger region that is whole as well is still ready; one that reaches over what is loaded is told when it is.
    set_radius(&mut rig, viewer, 3);
    rig.frames(3);
    assert_eq!(told(&mut rig), []);
    rig.move_to(viewer, 71, 0);
    rig.settle();
    assert_eq!(told(&mut rig), [(viewer, ChunkCoord::planar(71, 0))]);
    set_radius(&mut rig, viewer, 0);
    rig.frames(3);
    assert_eq!(told(&mut rig), []);
    // Inserted anew, it is told anew.
    (rig.app.world_mut().entity_mut(viewer)).insert(ChunkRegion::<Pieces>::new(1));
    rig.frame();
    assert_eq!(told(&mut rig).len(), 1);
    // A reset and another grid begin anew.
    let _ = ChunkStream::<Pieces>::reset(rig.app.world_mut(), Reset::Discard);
    rig.settle();
    assert_eq!(told(&mut rig).len(), 1);
    (rig.stream_mut()).set_grid(ChunkGrid::planar(20.0).expect("20 is a size"));
    rig.settle();
    assert_eq!(told(&mut rig).len(), 1);
}

#[test]
fn a_world_that_is_made_within_a_frame_is_told_each_time() {
    let mut plugin =
        ChunkStreamingPlugin::new(grid(), generator(), spawner()).with_config(config());
    plugin.runtime = Runtime::Inline {
        budget: Duration::from_secs(3600),
    };
    let mut app = App::new();
    app.add_plugins(ChunkStreamSystemsPlugin::<Pieces>::default());
    let mut rig = Rig {
        app,
        simulation: chunk_apply::Simulation::new(1),
        clock: chunk_apply::ManualClock::default(),
    };
    observe(&mut rig);
    let viewer = rig.viewer(0, 0);
    (rig.app.world_mut().entity_mut(viewer)).insert(ChunkRegion::<Pieces>::new(3));
    for _ in 0..3 {
        assert_eq!(plugin.start(rig.app.world_mut()), Ok(()));
        rig.app.update();
        assert_eq!(told(&mut rig).len(), 1);
        let _ = ChunkStream::<Pieces>::reset(rig.app.world_mut(), Reset::Discard);
        rig.app.update();
        rig.app.update();
        assert_eq!(told(&mut rig).len(), 1);
        let double = ChunkGrid::planar(20.0).expect("20 is a size");
        rig.stream_mut().set_grid(double);
        rig.app.update();
        rig.app.update();
        assert_eq!(told(&mut rig).len(), 1);
        let _ = ChunkStream::<Pieces>::stop(rig.app.world_mut(), Reset::Discard);
    }
}

#[test]
fn a_place_without_a_viewer_is_told_as_well() {
    let mut rig = Rig::new();
    observe(&mut rig);
    let gate = (middle_of(20, 0), ChunkRegion::<Pieces>::new(1));
    let gate = rig.app.world_mut().spawn(gate).id();
    let nowhere = rig
        .app
        .world_mut()
        .spawn(ChunkRegion::<Pieces>::new(0))
        .id();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    assert_eq!(told(&mut rig), []);
    rig.move_to(viewer, 21, 0);
    rig.settle();
    assert_eq!(told(&mut rig), [(gate, ChunkCoord::planar(20, 0))]);
    rig.app.world_mut().despawn(nowhere);
    rig.app
        .world_mut()
        .entity_mut(gate)
        .remove::<ChunkRegion<Pieces>>();
    rig.settle();
    assert_eq!(told(&mut rig), []);
}

#[test]
fn a_system_that_waits_for_a_viewers_ground_never_runs_without_it() {
    let mut rig = Rig::new();
    rig.app
        .init_resource::<Runs>()
        .add_systems(
            First,
            viewers_have_ground.run_if(chunks_are_ready::<Pieces>(0)),
        )
        .add_systems(
            Last,
            viewers_have_ground.run_if(chunks_are_ready::<Pieces>(0)),
        );
    let viewer = rig.viewer(0, 0);
    for step in 0..60 {
        if step % 6 == 0 {
            rig.move_to(viewer, 20 * step, 0);
        }
        rig.frame();
    }
    assert!(rig.app.world().resource::<Runs>().0 > 20);
}

#[test]
fn telling_is_ambiguous_with_none_of_our_systems() {
    for is_late in [false, true] {
        let mut plugin =
            ChunkStreamingPlugin::new(grid(), generator(), spawner()).with_config(config());
        if is_late {
            plugin = plugin.apply_in(PostUpdate);
        }
        let mut rig = Rig::build(chunk_apply::ManualClock::default(), plugin);
        let schedules = [
            First.intern(),
            Update.intern(),
            PostUpdate.intern(),
            Last.intern(),
        ];
        for schedule in schedules {
            rig.app.edit_schedule(schedule, |schedule| {
                schedule.set_build_settings(ScheduleBuildSettings {
                    ambiguity_detection: LogLevel::Error,
                    ..ScheduleBuildSettings::default()
                });
            });
        }
        // An ambiguity would be an error of building the schedule, which panics.
        rig.viewer(0, 0);
        rig.settle();
    }
}
