//! What an app does for its archive when it exits, is dropped, or stops its stream.

use crate::{
    game::{FRAME, Game, Made, Settings},
    scripted::{Numbers, ScriptedStore, Things},
};
use bevy_app::{App, AppExit, TaskPoolPlugin};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ChunkCoord, ChunkGrid, ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, Job, Reset,
    Runtime, SavePolicy, SaveReason, Spawner, ViewRange,
    store::{Archive, ArchiveConfig, Flush, MemoryStore},
};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

const HERE: ChunkCoord = ChunkCoord::ORIGIN;
const NEXT: ChunkCoord = ChunkCoord::planar(1, 0);

fn game_with(patience: Duration) -> (Game, ScriptedStore) {
    let store = ScriptedStore::new(1);
    let settings = Settings {
        saving: SavePolicy {
            exit_patience: patience,
            ..SavePolicy::default()
        },
        ..Settings::default()
    };
    let mut game = Game::new(&store, settings, HERE);
    game.settle();
    (game, store)
}

fn game() -> (Game, ScriptedStore) {
    game_with(Duration::from_secs(10))
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The errors that are logged meanwhile.
fn errors(work: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::ERROR)
        .finish();
    tracing::subscriber::with_default(subscriber, work);
    let bytes = log.0.lock().expect("no panic").clone();
    let text = String::from_utf8(bytes).expect("it is text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn an_app_that_exits_waits_until_what_is_dirty_is_durable_and_nothing_else_is_written() {
    let (mut game, store) = game();
    let things = Things::from([game.build(HERE), game.build(HERE)]);
    store.script().delay = Duration::from_millis(700);
    let (before, taken) = (store.simulation.now(), game.taken.clone());
    assert_eq!(errors(|| game.exit()), [""; 0]);
    assert!(store.simulation.now() - before >= Duration::from_millis(700));
    assert_eq!(store.durable(HERE), things);
    let taken = taken.lock().expect("no panic");
    assert_eq!(taken.keys().collect::<Vec<_>>(), [&HERE], "29 are clean");
    store.script().delay = Duration::ZERO;
    let mut game = Game::new(&store, Settings::default(), HERE);
    game.settle();
    assert_eq!(game.loaded()[&HERE], things);
}

#[test]
fn a_store_that_takes_too_long_is_one_error_that_says_how_much_is_lost() {
    let (mut game, store) = game_with(Duration::from_secs(2));
    game.build(NEXT);
    game.build(HERE);
    store.script().delay = Duration::from_secs(60);
    let before = store.simulation.now();
    let errors = errors(|| game.exit());
    // Dropping the app does not wait once more.
    let waited = store.simulation.now() - before;
    assert!(waited <= Duration::from_secs(2) + FRAME, "{waited:?}");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("2 values") && errors[0].contains(&HERE.to_string()));
}

#[test]
fn without_patience_an_app_does_not_wait() {
    let (mut game, store) = game_with(Duration::ZERO);
    game.build(HERE);
    store.script().delay = Duration::from_millis(1);
    let before = store.simulation.now();
    assert_eq!(errors(|| game.exit()).len(), 1);
    assert_eq!(store.simulation.now(), before);
}

#[test]
fn a_snapshot_that_fails_at_the_exit_is_an_error_in_the_log() {
    let (mut game, store) = game();
    let mut built = Vec::new();
    for x in 0..3 {
        built.push(game.build(ChunkCoord::planar(x - 1, 0)));
    }
    *game.do_snapshots_fail.lock().expect("no panic") = true;
    let errors = errors(|| game.exit());
    let about = |error: &&String| error.contains("could not be saved");
    assert_eq!(errors.iter().filter(about).count(), 1, "{errors:?}");
    assert_eq!(store.durable(HERE), Things::from([built[1]]));
}

#[test]
fn an_app_that_is_dropped_waits_for_what_was_handed_over_and_loses_the_rest() {
    let (mut game, store) = game();
    let thing = game.build(HERE);
    store.script().delay = Duration::from_secs(1);
    let report = ChunkStream::<Made>::save_all(game.app.world_mut());
    assert_eq!((report.saved, report.failed.len()), (1, 0));
    game.build(NEXT);
    assert_eq!(store.durable(HERE), Things::new());
    drop(game);
    assert_eq!(store.durable(HERE), Things::from([thing]));
    assert_eq!(store.durable(NEXT), Things::new());
}

#[test]
fn what_a_stopped_stream_saved_becomes_durable_although_writing_fails_at_first() {
    let (mut game, store) = game();
    let thing = game.build(HERE);
    store.script().do_writes_fail = true;
    let stopped = ChunkStream::<Made>::stop(game.app.world_mut(), Reset::Save);
    assert_eq!(stopped.map(|report| report.saved), Ok(1));
    (0..10).for_each(|_| game.frame(usize::MAX));
    store.script().do_writes_fail = false;
    // It is tried again after a wait.
    (0..200).for_each(|_| game.frame(usize::MAX));
    assert_eq!(store.durable(HERE), Things::from([thing]));
    game.start();
    game.settle();
    assert_eq!(game.loaded()[&HERE], Things::from([thing]));
}

#[test]
fn progress_is_seen_until_all_that_was_saved_is_durable() {
    let (mut game, store) = game();
    store.script().delay = Duration::from_millis(40);
    for (x, z) in (-1..=1).flat_map(|x| (-1..=1).map(move |z| (x, z))) {
        game.build(ChunkCoord::planar(x, z));
    }
    let undurable = |game: &Game| game.stream().snapshot(game.index()).undurable_chunks;
    assert_eq!((game.stream().dirty(), undurable(&game)), (9, 0));
    let world = game.app.world_mut();
    let started = world.resource_scope(|world, index: Mut<ChunkIndex<Made>>| {
        (world.resource_mut::<ChunkStream<Made>>()).start_saving_all(&index)
    });
    assert_eq!(started, 9);
    while game.stream().saving_all() > 0 {
        game.frame(0);
    }
    let flush: Flush<ChunkCoord, Things> = game.archive.flush();
    assert_eq!((flush.total(), flush.remaining()), (9, 9));
    assert_eq!((game.stream().dirty(), undurable(&game)), (0, 9));
    while flush.remaining() > 0 {
        game.frame(usize::MAX);
        assert_eq!(undurable(&game), flush.remaining());
    }
    assert_eq!(crate::scripted::now(flush), Ok(()));
}

#[test]
fn what_was_saved_while_the_chunk_was_made_anew_is_there_then_and_in_the_next_app() {
    let store = ScriptedStore::new(1);
    let settings = Settings {
        does_carry_over: false,
        ..Settings::default()
    };
    let mut game = Game::new(&store, settings, HERE);
    game.settle();
    assert!(game.stream_mut().refresh(HERE));
    game.frame(0);
    let things = Things::from([game.build(HERE)]);
    let report = ChunkStream::<Made>::save_all(game.app.world_mut());
    assert_eq!(report.saved, 1);
    game.settle();
    assert_eq!((&game.loaded()[&HERE], game.stream().dirty()), (&things, 0));
    game.exit();
    assert_eq!(store.durable(HERE), things);
    let mut game = Game::new(&store, settings, HERE);
    game.settle();
    assert_eq!(game.loaded()[&HERE], things);
}

#[test]
fn a_chunk_that_returns_before_it_is_durable_is_as_it_was_saved() {
    let (mut game, store) = game();
    let thing = game.build(HERE);
    store.script().delay = Duration::from_secs(3_600);
    game.go_to(ChunkCoord::planar(50, 0));
    (0..10).for_each(|_| game.frame(0));
    assert!(!game.index().contains(HERE) && game.stream().dirty() == 0);
    // The store would take an hour to answer.
    store.script().delay = Duration::ZERO;
    game.go_to(HERE);
    game.settle();
    assert_eq!(game.loaded()[&HERE], Things::from([thing]));
    assert_eq!(store.durable(HERE), Things::new());
}

/// On threads, with a runner, as a user has it.
#[test]
fn a_world_goes_on_where_it_ended_on_bevys_pool() {
    #[derive(Component)]
    struct Tree(u32);
    struct Plan(u32);
    let memory = MemoryStore::default();
    for watered in 0..3 {
        let (codec, config) = (crate::scripted::Numbers, ArchiveConfig::default());
        let archive: Archive<ChunkCoord, Things> =
            Archive::new(memory.clone(), codec, config, Runtime::default());
        let generator = archive.generator(|_: &Job<ChunkCoord>, saved: Option<Arc<Things>>| {
            let watered = saved.and_then(|saved| saved.first().copied());
            Ok::<_, String>(Plan(watered.unwrap_or(0)))
        });
        let spawner = Spawner::new(|_, plan: Plan, writer| writer.spawn_batch([Tree(plan.0)]));
        let grid = ChunkGrid::planar(16.0).expect("16 is a size");
        let plugin = ChunkStreamingPlugin::new(grid, generator, spawner).with_archive(
            archive,
            |world, chunk| {
                assert_eq!(chunk.reason, SaveReason::SaveAll);
                let children = world.get::<Children>(chunk.root).into_iter().flatten();
                let trees = children.filter_map(|child| world.get::<Tree>(*child));
                Ok(trees.map(|tree| tree.0).collect())
            },
        );
        let mut app = App::new();
        app.add_plugins((TaskPoolPlugin::default(), plugin));
        let range = ViewRange::disc(2, 2).expect("equal radii");
        app.world_mut().spawn(ChunkViewer::with_range(range));
        app.set_runner(move |mut app| {
            while app.world().resource::<ChunkIndex<Plan>>().len() < 13 {
                app.update();
            }
            let world = app.world_mut();
            for mut tree in world.query::<&mut Tree>().iter_mut(world) {
                assert_eq!(tree.0, watered);
                tree.0 += 1;
            }
            world.resource_scope(|world, index: Mut<ChunkIndex<Plan>>| {
                let mut stream = world.resource_mut::<ChunkStream<Plan>>();
                for (coord, _) in index.iter() {
                    assert!(stream.mark_dirty(&index, coord));
                }
            });
            world.write_message(AppExit::Success);
            loop {
                app.update();
                if let Some(exit) = app.should_exit() {
                    return exit;
                }
            }
        });
        assert_eq!(app.run(), AppExit::Success);
    }
}

#[test]
fn a_hook_that_is_given_later_takes_the_place_of_the_archive() {
    let (config, runtime) = (ArchiveConfig::default(), Runtime::default());
    let archive: Archive<ChunkCoord, Things> =
        Archive::new(MemoryStore::default(), Numbers, config, runtime);
    let generator = archive.generator(|_: &Job<ChunkCoord>, _| Ok::<_, String>(0_u8));
    let grid = ChunkGrid::planar(16.0).expect("it is a size");
    let plugin = ChunkStreamingPlugin::new(grid, generator, Spawner::new(|_, _, _| {}))
        .with_archive(archive, |_, _| Err("it is not called".into()));
    assert!(plugin.room_for_saves.is_some());
    let plugin = plugin.with_save_hook(|_, _| Ok(()));
    assert!(plugin.room_for_saves.is_none());
}
