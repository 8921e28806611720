//! Streams that begin and end while the app goes on, as in a game with a menu.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, generator, grid, spawner};
use bevy_app::{App, Update};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkFailed, ChunkIndex, ChunkLevels, ChunkLoaded, ChunkRoot, ChunkStream,
    ChunkStreamSystemsPlugin, ChunkStreamingPlugin, ChunkUnloaded, ChunkUnloading, ChunkViewer,
    ChunkViewerAt, ManualClock, Reset, SaveReason, StartError, StreamingConfig,
    StreamingConfigError, StreamingSystems, chunks_are_settled,
};
use chunk_coord::{ChunkCoord, LevelRings, ViewRange};
use chunk_scheduler::{Generator, Job, Simulation};
use std::sync::{Arc, Mutex};

/// An app with a menu: it has the systems of a stream, and no stream.
fn menu() -> Rig {
    let mut app = App::new();
    app.add_plugins(ChunkStreamSystemsPlugin::<Pieces>::default());
    Rig {
        app,
        simulation: Simulation::new(1),
        clock: ManualClock::default(),
    }
}

/// A stream whose chunks have so many pieces.
fn world_of(rig: &Rig, pieces: usize) -> ChunkStreamingPlugin<Pieces> {
    let generator = Generator::new(move |_: &Job<ChunkCoord>| Pieces(pieces));
    let mut plugin = ChunkStreamingPlugin::new(grid(), generator, spawner()).with_config(config());
    plugin.runtime = rig.simulation.runtime();
    plugin.clock = Arc::new(rig.clock.clone());
    plugin
}

fn start(rig: &mut Rig, plugin: &ChunkStreamingPlugin<Pieces>) {
    assert_eq!(plugin.start(rig.app.world_mut()), Ok(()));
}

/// Stops without saving.
fn stop(rig: &mut Rig) {
    let stopped = ChunkStream::<Pieces>::stop(rig.app.world_mut(), Reset::Discard);
    assert_eq!(stopped.expect("nothing is saved").saved, 0);
    assert_no_stream(rig);
}

/// Nothing of a stream is in the world.
fn assert_no_stream(rig: &mut Rig) {
    let world = rig.app.world_mut();
    assert!(!world.contains_resource::<ChunkStream<Pieces>>());
    assert!(!world.contains_resource::<ChunkIndex<Pieces>>());
    assert_eq!(world.query::<&ChunkRoot>().iter(world).count(), 0);
    assert_eq!(world.query::<&Piece>().iter(world).count(), 0);
}

/// The children of each loaded chunk, all of which must have as many.
fn pieces_of_each(rig: &Rig) -> usize {
    let counts: Vec<usize> = (rig.index().iter())
        .map(|(_, chunk)| chunk.entities)
        .collect();
    assert_eq!(counts.len(), 29);
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    counts[0]
}

#[test]
fn an_app_plays_one_world_after_the_other_and_sees_nothing_of_the_former() {
    /// Every chunk that was ever told, with its number of pieces.
    #[derive(Resource, Default)]
    struct Told(Vec<usize>);
    let mut rig = menu();
    rig.app.init_resource::<Told>();
    rig.app
        .add_observer(|loaded: On<ChunkLoaded<Pieces>>, mut told: ResMut<Told>| {
            told.0.push(loaded.entities)
        });
    rig.viewer(0, 0);
    rig.frames(3);
    assert_no_stream(&mut rig);
    // Each is left after another number of frames: before its first scan, half made, and whole.
    for (pieces, frames) in [(1, 0), (2, 1), (3, 2), (4, 3), (5, 10), (6, 1), (7, 10)] {
        let plugin = world_of(&rig, pieces);
        start(&mut rig, &plugin);
        rig.stream_mut().budget.chunks = Some(4);
        for _ in 0..frames {
            rig.frame();
            let told = core::mem::take(&mut rig.app.world_mut().resource_mut::<Told>().0);
            assert!(told.iter().all(|seen| *seen == pieces), "{told:?}");
        }
        if frames == 10 {
            assert_eq!(pieces_of_each(&rig), pieces);
        }
        stop(&mut rig);
        // In the menu, frames go on.
        rig.frames(frames % 3);
        assert_no_stream(&mut rig);
    }
}

#[test]
fn a_stream_that_stops_leaves_no_job_and_no_content() {
    let token = Arc::new(());
    for steps in 0..40 {
        let mut rig = menu();
        let held = Arc::clone(&token);
        let generator = Generator::new(move |_: &Job<ChunkCoord>| {
            let _held = Arc::clone(&held);
            Pieces(PIECES)
        });
        let mut plugin = world_of(&rig, 0);
        plugin.generator = generator;
        start(&mut rig, &plugin);
        drop(plugin);
        rig.viewer(0, 0);
        rig.app.update();
        for _ in 0..steps {
            rig.simulation.step();
        }
        rig.stream_mut().budget.chunks = Some(1);
        rig.app.update();
        stop(&mut rig);
        assert!(!rig.simulation.step(), "{steps}: a job runs on");
        assert_eq!(Arc::strong_count(&token), 1, "{steps}");
    }
}

#[test]
fn a_stream_stops_and_starts_whatever_it_is_doing() {
    let mut rig = menu();
    let viewer = rig.viewer(0, 0);
    // Paused.
    let plugin = world_of(&rig, 1);
    start(&mut rig, &plugin);
    rig.frames(3);
    rig.stream_mut().pause();
    stop(&mut rig);
    // While chunks leave, are hidden, and are made anew.
    let plugin = world_of(&rig, 2);
    start(&mut rig, &plugin);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(0);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.move_to(viewer, 3, 0);
    rig.frames(2);
    assert!(rig.stream().unloading() > 0);
    stop(&mut rig);
    // With another grid, on the way to it.
    let plugin = world_of(&rig, 3);
    start(&mut rig, &plugin);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget::time(std::time::Duration::ZERO);
    let double = chunk_coord::ChunkGrid::planar(20.0).expect("20 is a size");
    rig.stream_mut().set_grid(double);
    rig.frames(2);
    stop(&mut rig);
    // Twice, and in the frame in which it started.
    stop(&mut rig);
    for pieces in 4..7 {
        let plugin = world_of(&rig, pieces);
        start(&mut rig, &plugin);
        if pieces < 6 {
            stop(&mut rig);
        }
    }
    rig.settle();
    assert_eq!(pieces_of_each(&rig), 6);
}

#[test]
fn a_stop_that_saves_saves_everything_once() {
    let saved: Arc<Mutex<Vec<(ChunkCoord, SaveReason)>>> = Arc::default();
    let to = Arc::clone(&saved);
    let mut rig = menu();
    let plugin = world_of(&rig, 1).with_save_hook(move |world, chunk| {
        assert_eq!(
            world.get::<Children>(chunk.root).map(|list| list.len()),
            Some(1)
        );
        to.lock()
            .expect("no panic")
            .push((chunk.coord, chunk.reason));
        Ok(())
    });
    start(&mut rig, &plugin);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    // Some of them have left, and are not saved yet.
    rig.stream_mut().budget.chunks = Some(0);
    rig.move_to(viewer, 2, 0);
    rig.app.update();
    let before = saved.lock().expect("no panic").len();
    let report = ChunkStream::<Pieces>::stop(rig.app.world_mut(), Reset::Save);
    assert_eq!(report.expect("nothing fails").saved, 29 - before);
    assert_no_stream(&mut rig);
    let mut coords: Vec<ChunkCoord> = (saved
        .lock()
        .expect("no panic")
        .iter()
        .map(|(coord, _)| *coord))
    .collect();
    coords.sort_unstable();
    coords.dedup();
    assert_eq!(coords.len(), 29);
    assert_eq!(saved.lock().expect("no panic").len(), 29);
}

#[test]
fn a_stream_that_cannot_be_saved_goes_on_until_it_is_discarded() {
    let mut rig = menu();
    let plugin = world_of(&rig, 1).with_save_hook(|_, _| Err("the disk is full".into()));
    start(&mut rig, &plugin);
    rig.viewer(0, 0);
    rig.settle();
    let report = ChunkStream::<Pieces>::stop(rig.app.world_mut(), Reset::Save);
    let report = report.expect_err("the disk is full");
    assert_eq!((report.saved, report.failed.len()), (0, 29));
    assert_eq!(report.failed[0].message, "the disk is full");
    let text = report.to_string();
    assert!(
        text.contains("29 chunks") && text.contains("the disk is full"),
        "{text}"
    );
    rig.settle();
    assert_eq!(pieces_of_each(&rig), 1);
    stop(&mut rig);
}

#[test]
fn a_stop_tells_the_observers_of_each_root_once_while_all_is_there() {
    #[derive(Resource, Default)]
    struct Seen(Vec<ChunkCoord>);
    // By hand, the stream is gone when they are told.
    for by_hand in [false, true] {
        let mut rig = menu();
        rig.app.init_resource::<Seen>();
        rig.app.add_observer(
            |unloading: On<ChunkUnloading<Pieces>>,
             mut seen: ResMut<Seen>,
             children: Query<&Children>,
             mut commands: Commands| {
                assert_eq!(children.get(unloading.root).map(|list| list.len()), Ok(1));
                seen.0.push(unloading.coord);
                // One that stops as well does no harm.
                commands
                    .queue(|world: &mut World| ChunkStream::<Pieces>::stop(world, Reset::Discard));
            },
        );
        let plugin = world_of(&rig, 1);
        start(&mut rig, &plugin);
        rig.viewer(0, 0);
        rig.settle();
        if by_hand {
            rig.app.world_mut().remove_resource::<ChunkStream<Pieces>>();
            rig.app.update();
            assert_no_stream(&mut rig);
        } else {
            stop(&mut rig);
        }
        let seen = &rig.app.world().resource::<Seen>().0;
        assert_eq!(seen.len(), 29);
        assert!(by_hand || seen.is_sorted());
    }
}

#[test]
fn what_a_former_stream_told_is_not_read_as_of_the_next() {
    let mut rig = menu();
    let failing = Generator::fallible(|job: &Job<ChunkCoord>| match job.key() {
        ChunkCoord::ORIGIN => Err("nothing can be made here"),
        _ => Ok(Pieces(1)),
    });
    let mut plugin = world_of(&rig, 1);
    plugin.generator = failing;
    start(&mut rig, &plugin);
    let viewer = rig.viewer(0, 0);
    rig.frames(2);
    rig.move_to(viewer, 2, 0);
    rig.frame();
    assert_ne!(messages(&rig), [0, 0, 0]);
    stop(&mut rig);
    assert_eq!(messages(&rig), [0, 0, 0]);
    let plugin = world_of(&rig, 2);
    start(&mut rig, &plugin);
    rig.settle();
    let loaded = rig.loaded();
    assert!(loaded.iter().all(|loaded| loaded.entities == 2));
    assert!(rig.unloaded().is_empty() && rig.failed().is_empty());
}

/// How many messages were not dropped yet.
fn messages(rig: &Rig) -> [usize; 3] {
    let world = rig.app.world();
    [
        world.resource::<Messages<ChunkLoaded<Pieces>>>().len(),
        world.resource::<Messages<ChunkUnloaded<Pieces>>>().len(),
        world.resource::<Messages<ChunkFailed<Pieces>>>().len(),
    ]
}

#[test]
fn a_stream_that_is_removed_by_hand_goes_like_one_that_is_stopped() {
    let mut rig = menu();
    rig.viewer(0, 0);
    for frames in [0, 1, 2, 10] {
        let plugin = world_of(&rig, 1);
        start(&mut rig, &plugin);
        rig.stream_mut().budget.chunks = Some(4);
        rig.frames(frames);
        rig.app.world_mut().remove_resource::<ChunkStream<Pieces>>();
        rig.app.update();
        assert_no_stream(&mut rig);
        assert_eq!(messages(&rig), [0, 0, 0]);
    }
    // Another may start before the next frame.
    for pieces in 2..5 {
        let plugin = world_of(&rig, pieces);
        start(&mut rig, &plugin);
        rig.frames(10);
        assert_eq!(pieces_of_each(&rig), pieces);
        assert_eq!(rig.pieces(), 29 * pieces);
        rig.app.world_mut().remove_resource::<ChunkStream<Pieces>>();
    }
}

#[test]
fn a_stream_that_is_removed_goes_although_its_systems_do_not_run() {
    #[derive(Resource)]
    struct Playing;
    let mut rig = menu();
    rig.app.insert_resource(Playing).configure_sets(
        Update,
        (
            StreamingSystems::Scan,
            StreamingSystems::Generate,
            StreamingSystems::Apply,
        )
            .run_if(resource_exists::<Playing>),
    );
    let plugin = world_of(&rig, 1);
    start(&mut rig, &plugin);
    rig.viewer(0, 0);
    rig.settle();
    let world = rig.app.world_mut();
    world.remove_resource::<Playing>();
    world.remove_resource::<ChunkStream<Pieces>>();
    rig.app.update();
    assert_no_stream(&mut rig);
}

#[test]
fn a_stream_that_was_removed_and_comes_back_too_late_is_removed_again() {
    let mut rig = menu();
    let plugin = world_of(&rig, 1);
    start(&mut rig, &plugin);
    rig.viewer(0, 0);
    rig.settle();
    let stream = rig.app.world_mut().remove_resource::<ChunkStream<Pieces>>();
    let stream = stream.expect("it runs");
    rig.app.update();
    rig.app.world_mut().insert_resource(stream);
    rig.app.update();
    assert_no_stream(&mut rig);
    let plugin = world_of(&rig, 2);
    start(&mut rig, &plugin);
    rig.settle();
    assert_eq!(pieces_of_each(&rig), 2);
}

#[test]
fn a_start_that_cannot_be_is_refused_and_changes_nothing() {
    let mut rig = menu();
    rig.viewer(0, 0);
    let plugin = world_of(&rig, 1);
    // Without the systems.
    assert_eq!(plugin.start(&mut World::new()), Err(StartError::NoSystems));
    // With a setting that is invalid.
    let mut invalid = world_of(&rig, 1);
    invalid.config.budget.unload_share = f32::NAN;
    let error = invalid.start(rig.app.world_mut()).expect_err("not a share");
    assert!(matches!(
        error,
        StartError::Config(StreamingConfigError::UnloadShare(_))
    ));
    // For other viewers than those that the systems read.
    let other = world_of(&rig, 1).for_viewers::<With<ChunkViewerAt>>();
    let error = other.start(rig.app.world_mut());
    let error = error.expect_err("another filter").to_string();
    assert!(error.contains("ChunkViewerAt"), "{error}");
    assert_no_stream(&mut rig);
    // Twice.
    start(&mut rig, &plugin);
    rig.settle();
    let other = world_of(&rig, 2);
    assert_eq!(other.start(rig.app.world_mut()), Err(StartError::Running));
    rig.settle();
    assert_eq!(pieces_of_each(&rig), 1);
    for error in [
        StartError::NoSystems,
        StartError::Running,
        StartError::Config(StreamingConfigError::SharedLevels),
    ] {
        assert!(error.to_string().contains(' '));
    }
}

#[test]
fn levels_go_from_one_stream_to_the_next() {
    let mut rig = menu();
    let levels = ChunkLevels::new(LevelRings::new([1, 2], 0).expect("rings"));
    rig.viewer(0, 0);
    for pieces in 1..4 {
        let asked = levels.clone();
        let mut plugin = world_of(&rig, 0).with_levels(levels.clone());
        plugin.generator = Generator::new(move |job: &Job<ChunkCoord>| {
            Pieces(10 * pieces + usize::from(asked.of_job(job)))
        });
        start(&mut rig, &plugin);
        rig.settle();
        let of = |rig: &Rig, x| {
            rig.index()
                .chunk(ChunkCoord::planar(x, 0))
                .map(|it| it.entities)
        };
        assert_eq!(of(&rig, 0), Some(10 * pieces));
        assert_eq!(of(&rig, 3), Some(10 * pieces + 2));
        stop(&mut rig);
    }
}

#[test]
fn a_stream_that_the_plugin_started_stops_and_starts_as_well() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(pieces_of_each(&rig), PIECES);
    stop(&mut rig);
    let plugin = world_of(&rig, 1);
    start(&mut rig, &plugin);
    rig.settle();
    assert_eq!(pieces_of_each(&rig), 1);
}

#[test]
fn a_system_may_start_the_stream_and_wait_for_it() {
    #[derive(Resource, Default)]
    struct Frames(usize);
    let mut rig = menu();
    rig.viewer(0, 0);
    let plugin = world_of(&rig, 1);
    let mut plugin = Some(plugin);
    rig.app.init_resource::<Frames>().add_systems(
        Update,
        (
            (move |mut commands: Commands| {
                if let Some(plugin) = plugin.take() {
                    commands.queue(move |world: &mut World| plugin.start(world));
                }
            })
            .before(StreamingSystems::Scan),
            (|mut frames: ResMut<Frames>, index: Res<ChunkIndex<Pieces>>| {
                assert_eq!(index.len(), 29);
                frames.0 += 1;
            })
            .run_if(chunks_are_settled::<Pieces>)
            .after(StreamingSystems::Apply),
        ),
    );
    rig.frames(5);
    let seen = rig.app.world().resource::<Frames>().0;
    assert!(seen > 0, "never settled");
    stop(&mut rig);
    rig.frames(5);
    assert_eq!(rig.app.world().resource::<Frames>().0, seen);
}

#[test]
fn a_stream_is_started_for_the_viewers_that_its_systems_read() {
    #[derive(Component)]
    struct Underground;
    let mut rig = menu();
    rig.app = App::new();
    rig.app
        .add_plugins(ChunkStreamSystemsPlugin::<Pieces, With<Underground>>::default());
    let plugin = world_of(&rig, 1).for_viewers::<With<Underground>>();
    assert_eq!(plugin.start(rig.app.world_mut()), Ok(()));
    rig.viewer(0, 0);
    rig.settle();
    assert!(rig.index().is_empty());
    let range = ViewRange::disc(0, 0).expect("equal radii");
    (rig.app.world_mut()).spawn((ChunkViewer::with_range(range), Underground));
    rig.settle();
    assert_eq!(rig.index().len(), 1);
}

#[test]
#[should_panic(expected = "already added")]
fn the_systems_are_not_added_twice() {
    let mut rig = menu();
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(StreamingConfig::default());
    rig.app.add_plugins(plugin);
}
