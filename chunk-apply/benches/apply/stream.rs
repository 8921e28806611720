//! The whole stream on the real pool, at 60 frames a second.

use bevy_app::{App, First, PostUpdate, TaskPoolPlugin, Update};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLoaded, ChunkStream, ChunkStreamingPlugin, ChunkViewer,
    ChunkWriter, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{Generator, Job};
use std::time::{Duration, Instant};

const FRAME: Duration = Duration::from_nanos(16_666_667);

/// Waits until the frame that began at `start` is over.
pub(crate) fn wait_out(start: Instant) {
    std::thread::sleep(FRAME.saturating_sub(start.elapsed()));
}

struct Content(Vec<Item>);

#[derive(Component, Clone, Copy)]
struct Tint(#[expect(dead_code, reason = "stands for what a renderer reads")] u32);
#[derive(Component, Clone, Copy)]
struct Shape(#[expect(dead_code, reason = "stands for what a renderer reads")] u64);

type Item = (Transform, Tint, Shape);

fn plugin(entities: usize, radius: u32, budget: Duration) -> ChunkStreamingPlugin<Content> {
    let generator = Generator::new(move |_: &Job<ChunkCoord>| {
        let item = |n| (Transform::from_xyz(n as f32, 0.0, 0.0), Tint(7), Shape(9));
        Content((0..entities).map(item).collect())
    });
    let spawner = Spawner::new(|_, content: Content, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch(content.0);
    });
    let grid = ChunkGrid::planar(1.0).expect("1 is a size");
    ChunkStreamingPlugin::new(grid, generator, spawner).with_config(StreamingConfig {
        range: Some(ViewRange::disc(radius, radius).expect("equal radii")),
        budget: ApplyBudget::time(budget),
        ..StreamingConfig::default()
    })
}

fn app(plugin: ChunkStreamingPlugin<Content>) -> App {
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), plugin));
    // The schedules are built in the first frames, without anything to stream.
    app.update();
    app.update();
    app
}

fn viewer(app: &mut App) -> Entity {
    app.world_mut().spawn(ChunkViewer::default()).id()
}

/// What it took until nothing was left to do, in milliseconds of our systems' main-thread time.
struct Settled {
    frames: u32,
    worst: f64,
    total: f64,
}

/// Frames at 60 Hz until nothing is left to do.
fn settle(app: &mut App) -> Settled {
    let mut settled = Settled {
        frames: 0,
        worst: 0.0,
        total: 0.0,
    };
    loop {
        let start = Instant::now();
        app.update();
        let stream = app.world().resource::<ChunkStream<Content>>();
        let spent = stream.last_frame().main_thread().as_secs_f64() * 1e3;
        settled.frames += 1;
        settled.worst = settled.worst.max(spent);
        settled.total += spent;
        if stream.is_settled() {
            return settled;
        }
        wait_out(start);
    }
}

pub(crate) struct Worst {
    pub(crate) loading: f64,
    pub(crate) unloading: f64,
}

/// The worst frame, in milliseconds, of loading and unloading one chunk of 10,000 entities under
/// a budget of 1 ms. It is the first of its app, so that nothing is known of what it costs.
pub(crate) fn heavy_chunk() -> Worst {
    let mut app = app(plugin(10_000, 0, Duration::from_millis(1)));
    let viewer = viewer(&mut app);
    let loading = settle(&mut app).worst;
    app.world_mut().despawn(viewer);
    let unloading = settle(&mut app).worst;
    Worst { loading, unloading }
}

pub(crate) struct Fill {
    pub(crate) frames: f64,
    pub(crate) worst: f64,
    /// Milliseconds of our systems in all frames.
    pub(crate) total: f64,
}

/// Chunks in a disc of 25.
pub(crate) const FILLED: usize = 1_961;
/// Entities in each.
pub(crate) const PIECES: usize = 15;

/// Main-thread time that a frame may take to fill it.
pub(crate) const FILL_BUDGET: Duration = Duration::from_millis(2);

/// Frames to fill a disc of 25 chunks' radius, 1,961 of them with 15 entities each.
pub(crate) fn cold_fill() -> Fill {
    let mut app = app(plugin(PIECES, 25, FILL_BUDGET));
    viewer(&mut app);
    let settled = settle(&mut app);
    assert_eq!(app.world().resource::<ChunkIndex<Content>>().len(), FILLED);
    Fill {
        frames: f64::from(settled.frames),
        worst: settled.worst,
        total: settled.total,
    }
}

/// The median number of frames between the one in which a chunk became wanted and the one in which it was
/// shown, with scanning early, applying late and 5 ms of other systems in between.
pub(crate) fn frames_to_be_shown() -> f64 {
    let plugin = plugin(15, 8, Duration::from_millis(2))
        .scan_in(First)
        .apply_in(PostUpdate);
    let mut app = app(plugin);
    app.add_systems(Update, || {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
    });
    let viewer = viewer(&mut app);
    settle(&mut app);
    let mut frames = Vec::new();
    for step in 1..=60 {
        let place = Transform::from_xyz(step as f32, 0.0, 0.0);
        app.world_mut().entity_mut(viewer).insert(place);
        (app.world_mut()
            .resource_mut::<Messages<ChunkLoaded<Content>>>())
        .clear();
        let start = Instant::now();
        app.update();
        // A chunk's latency counts from the scan, so what was shown in its own frame has less
        // than the frame's length.
        let taken = start.elapsed();
        let messages = app.world().resource::<Messages<ChunkLoaded<Content>>>();
        frames.extend(messages.iter_current_update_messages().map(|chunk| {
            if chunk.latency <= taken {
                0.0
            } else {
                (chunk.latency.as_secs_f64() / FRAME.as_secs_f64()).ceil()
            }
        }));
        wait_out(start);
    }
    frames.sort_by(f64::total_cmp);
    frames[frames.len() / 2]
}

pub(crate) struct Flight {
    /// Percent of the wanted chunks that are there, time-averaged.
    pub(crate) coverage: f64,
    /// Milliseconds of our systems in the 99th of 100 frames.
    pub(crate) p99: f64,
}

/// Six seconds along x at a chunk each tenth of a second, after everything around was loaded.
pub(crate) fn flight() -> Flight {
    let mut app = app(plugin(15, 25, Duration::from_millis(2)));
    let viewer = viewer(&mut app);
    settle(&mut app);
    let (mut present, mut spent) = (Vec::new(), Vec::new());
    for frame in 1..=360 {
        let start = Instant::now();
        let place = Transform::from_xyz(frame as f32 / 6.0, 0.0, 0.0);
        app.world_mut().entity_mut(viewer).insert(place);
        app.update();
        let stream = app.world().resource::<ChunkStream<Content>>();
        let index = app.world().resource::<ChunkIndex<Content>>();
        let wanted = stream.wanted();
        let there = wanted.iter().filter(|coord| index.contains(*coord)).count();
        present.push(100.0 * there as f64 / wanted.len() as f64);
        spent.push(stream.last_frame().main_thread().as_secs_f64() * 1e3);
        wait_out(start);
    }
    spent.sort_by(f64::total_cmp);
    Flight {
        coverage: present.iter().sum::<f64>() / present.len() as f64,
        p99: spent[spent.len() * 99 / 100],
    }
}

/// Microseconds by which a frame is longer with a stream at rest, with 10,189 chunks loaded, than
/// without one.
pub(crate) fn idle() -> f64 {
    let mut bare = App::new();
    bare.add_plugins(TaskPoolPlugin::default());
    let mut streaming = app(plugin(1, 57, Duration::from_millis(50)));
    viewer(&mut streaming);
    settle(&mut streaming);
    let loaded = streaming.world().resource::<ChunkIndex<Content>>().len();
    assert_eq!(loaded, 10_189);
    let (mut with, mut without) = (Vec::new(), Vec::new());
    // Alternately, so that the speed of the machine changes for both alike.
    for _ in 0..2_000 {
        for (app, times) in [(&mut streaming, &mut with), (&mut bare, &mut without)] {
            let start = Instant::now();
            app.update();
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
    }
    let median = |mut times: Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    median(with) - median(without)
}
