//! An app that is dropped, and a stream that is stopped, do not wait for a generator, on any runtime, with its plugins in the registry as a user adds
//! them.
#![cfg(feature = "streaming")]

use bevy_app::{App, TaskPoolPlugin};
use bevy_tasks::TaskPoolBuilder;
use chunk_apply::{
    ChunkStream, ChunkStreamSystemsPlugin, ChunkStreamingPlugin, ChunkViewer, Reset, Spawner,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{Generator, Job, Runtime, Simulation};
use std::{
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

struct Nothing;

/// Long enough for any machine. A drop that waits for the generator would wait for ever.
const WATCHDOG: Duration = Duration::from_secs(60);

/// A generator that reports its start, and then blocks its thread until the sender is dropped.
fn blocking() -> (Generator<ChunkCoord, Nothing>, Receiver<()>, Sender<()>) {
    let (began, begins) = channel();
    let (unblock, wait) = channel::<()>();
    let (began, wait) = (Mutex::new(began), Mutex::new(wait));
    let generator = Generator::new(move |_: &Job<ChunkCoord>| {
        let _ = began.lock().map(|began| began.send(()));
        let _ = wait.lock().map(|wait| wait.recv());
        Nothing
    });
    (generator, begins, unblock)
}

/// A generator that reports its start, and then never returns, without blocking a thread.
fn pending() -> (Generator<ChunkCoord, Nothing>, Receiver<()>) {
    let (began, begins) = channel();
    let began = Mutex::new(began);
    let generator = Generator::from_async(move |_: Job<ChunkCoord>| {
        let _ = began.lock().map(|began| began.send(()));
        std::future::pending::<Result<Nothing, &str>>()
    });
    (generator, begins)
}

fn plugin(
    generator: Generator<ChunkCoord, Nothing>,
    runtime: Runtime,
) -> ChunkStreamingPlugin<Nothing> {
    let grid = ChunkGrid::planar(1.0).expect("1 is a size");
    let spawner = Spawner::new(|_, _: Nothing, _| {});
    let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner);
    plugin.runtime = runtime;
    plugin
}

/// Drops an app with this stream while its generator runs.
fn drop_while_generating(
    plugin: ChunkStreamingPlugin<Nothing>,
    begins: &Receiver<()>,
    simulation: Option<&Simulation>,
) {
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), plugin));
    app.world_mut().spawn(ChunkViewer::default());
    for _ in 0..2 {
        app.update();
        if let Some(simulation) = simulation {
            simulation.run();
        }
    }
    begins.recv().expect("a generator starts");
    drop(app);
}

/// Runs `drops` on a thread of its own, which has to end although `unblock` is not dropped before.
fn must_not_wait<U>(drops: impl FnOnce() + Send + 'static, unblock: U) {
    let (done, is_done) = channel();
    let dropping = thread::spawn(move || {
        drops();
        let _ = done.send(());
    });
    let outcome = is_done.recv_timeout(WATCHDOG);
    drop(unblock);
    dropping.join().expect("dropping an app panics nowhere");
    assert!(outcome.is_ok(), "dropping the app waited for a generator");
}

#[test]
fn a_pool_of_ones_own_is_not_joined() {
    let (generator, begins, unblock) = blocking();
    let pool = TaskPoolBuilder::new().num_threads(2).build();
    let plugin = plugin(generator, Runtime::pool(pool));
    must_not_wait(
        move || drop_while_generating(plugin, &begins, None),
        unblock,
    );
}

#[test]
fn a_runtime_that_outlives_the_app_joins_no_pool_either() {
    let (generator, begins, unblock) = blocking();
    let pool = TaskPoolBuilder::new().num_threads(2).build();
    let runtime = Runtime::pool(pool);
    let plugin = plugin(generator, runtime.clone());
    let drops = move || {
        drop_while_generating(plugin, &begins, None);
        drop(runtime);
    };
    must_not_wait(drops, unblock);
}

#[test]
fn bevys_pool_is_not_waited_for() {
    let (generator, begins, unblock) = blocking();
    let plugin = plugin(generator, Runtime::AsyncCompute);
    must_not_wait(
        move || drop_while_generating(plugin, &begins, None),
        unblock,
    );
}

#[test]
fn threads_of_ones_own_are_not_waited_for() {
    let (generator, begins, unblock) = blocking();
    let runtime = Runtime::custom(2, |worker| {
        thread::spawn(|| bevy_tasks::block_on(worker));
    });
    let plugin = plugin(generator, runtime);
    must_not_wait(
        move || drop_while_generating(plugin, &begins, None),
        unblock,
    );
}

#[test]
fn a_generator_that_waits_on_the_main_thread_is_dropped() {
    let (generator, begins) = pending();
    let budget = Duration::from_millis(1);
    let plugin = plugin(generator, Runtime::Inline { budget });
    must_not_wait(move || drop_while_generating(plugin, &begins, None), ());
}

#[test]
fn a_generator_that_waits_in_a_simulation_is_dropped() {
    let (generator, begins) = pending();
    let simulation = Simulation::new(1);
    let plugin = plugin(generator, simulation.runtime());
    let drops = move || drop_while_generating(plugin, &begins, Some(&simulation));
    must_not_wait(drops, ());
}

#[test]
fn a_generator_that_waits_on_a_pool_of_ones_own_is_not_waited_for() {
    let (generator, begins) = pending();
    let pool = Arc::new(TaskPoolBuilder::new().num_threads(1).build());
    let plugin = plugin(generator, Runtime::pool(pool));
    must_not_wait(move || drop_while_generating(plugin, &begins, None), ());
}

#[test]
fn what_a_stopped_stream_was_making_never_arrives_and_holds_nothing_up() {
    struct Land {
        seed: u32,
        _alive: Option<Sender<()>>,
    }
    let (began, begins) = channel();
    let (unblock, wait) = channel::<()>();
    let (alive, is_gone) = channel();
    let (began, wait) = (Mutex::new(began), Mutex::new(wait));
    let former = Generator::new(move |_: &Job<ChunkCoord>| {
        let _ = began.lock().map(|began| began.send(()));
        let _ = wait.lock().map(|wait| wait.recv());
        Land {
            seed: 1,
            _alive: Some(alive.clone()),
        }
    });
    let next = Generator::new(|_: &Job<ChunkCoord>| Land {
        seed: 2,
        _alive: None,
    });
    let pool = Arc::new(TaskPoolBuilder::new().num_threads(2).build());
    let start = |app: &mut App, generator| {
        let grid = ChunkGrid::planar(1.0).expect("1 is a size");
        let spawner = Spawner::new(|_, land: Land, writer| writer.spawn_batch([Seed(land.seed)]));
        let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner);
        plugin.runtime = Runtime::pool(Arc::clone(&pool));
        plugin.config.scheduler.max_in_flight = 1;
        plugin.config.range = Some(ViewRange::disc(2, 3).expect("3 is not less than 2"));
        assert_eq!(plugin.start(app.world_mut()), Ok(()));
    };
    let mut app = App::new();
    app.add_plugins((
        TaskPoolPlugin::default(),
        ChunkStreamSystemsPlugin::<Land>::default(),
    ));
    app.world_mut().spawn(ChunkViewer::default());
    start(&mut app, former);
    app.update();
    begins.recv().expect("a generator starts");
    let stopped = ChunkStream::<Land>::stop(app.world_mut(), Reset::Discard);
    assert!(stopped.is_ok());
    start(&mut app, next);
    while !app.world().resource::<ChunkStream<Land>>().is_settled() {
        app.update();
    }
    // The former generator returns now. Without it and what it made there is no sender left.
    drop(unblock);
    assert!(is_gone.recv().is_err());
    assert_eq!(begins.iter().count(), 0, "another job of it started");
    for _ in 0..3 {
        app.update();
        let mut seeds = app.world_mut().query::<&Seed>();
        assert_eq!(seeds.iter(app.world()).count(), 13);
        assert!(seeds.iter(app.world()).all(|seed| seed.0 == 2));
    }
}

#[derive(bevy_ecs::component::Component)]
struct Seed(u32);
