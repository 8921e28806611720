//! The options of the task pools, which are the user's, in whatever order the plugins are added. A test of its own, because
//! the pools belong to the process.
#![cfg(feature = "streaming")]

use bevy_app::{App, TaskPoolOptions, TaskPoolPlugin, TaskPoolThreadAssignmentPolicy};
use chunk_apply::{ChunkStream, ChunkStreamingPlugin, Spawner};
use chunk_coord::{ChunkCoord, ChunkGrid};
use chunk_scheduler::{AdaptivePolicy, Concurrency, Generator, Job};

struct Nothing;

#[test]
fn a_stream_that_is_added_before_the_task_pools_leaves_their_options_to_the_user() {
    let grid = ChunkGrid::planar(1.0).expect("1 is a size");
    let generator = Generator::new(|_: &Job<ChunkCoord>| Nothing);
    let spawner = Spawner::new(|_, _: Nothing, _| {});
    let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner);
    plugin.config.scheduler.concurrency = Concurrency::Adaptive(AdaptivePolicy {
        max_in_flight: 16,
        ..AdaptivePolicy::default()
    });
    // No machine gets this number by itself.
    let threads = 7;
    let task_pool_options = TaskPoolOptions {
        async_compute: TaskPoolThreadAssignmentPolicy {
            min_threads: threads,
            max_threads: threads,
            percent: 1.0,
            on_thread_spawn: None,
            on_thread_destroy: None,
        },
        ..TaskPoolOptions::default()
    };
    let mut app = App::new();
    app.add_plugins((plugin, TaskPoolPlugin { task_pool_options }));
    app.update();
    let scheduler = app.world().resource::<ChunkStream<Nothing>>().scheduler();
    assert_eq!(scheduler.pool_threads(), threads);
    assert_eq!(scheduler.max_in_flight(), threads);
}
