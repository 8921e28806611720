//! Many viewers far from each other, one of which crosses a border in each frame, in a world that is still loading.

use crate::stream::wait_out;
use bevy_app::{App, TaskPoolPlugin};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, ChunkWriter, Spawner,
    StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{Generator, Job};
use std::time::{Duration, Instant};

struct Content(usize);

#[derive(Component)]
struct Piece(#[expect(dead_code, reason = "stands for what a game reads")] usize);

/// What a generator takes for one chunk.
const GENERATING: Duration = Duration::from_micros(200);
/// Chunks that all viewers want together, about. More than can be generated in the frames that are measured.
const WANTED: u32 = 50_000;
const FRAMES: usize = 200;

pub(crate) struct Crowd {
    /// Chunks loaded a second.
    pub(crate) rate: f64,
    /// Milliseconds of our systems in the 99th of 100 frames.
    pub(crate) p99: f64,
}

/// So many viewers, which together want about [`WANTED`] chunks.
pub(crate) fn crowd(viewers: usize) -> Crowd {
    // A disc of radius r has 3.14 r² chunks.
    let radius = (f64::from(WANTED) / viewers as f64 / std::f64::consts::PI)
        .sqrt()
        .round() as u32;
    let apart = 4.0 * radius as f32 + 8.0;
    let side = (viewers as f64).sqrt().ceil() as usize;
    let mut app = app(radius);
    let place = |nth: usize, steps: usize| {
        let at = |n: usize| n as f32 * apart + 0.5;
        Transform::from_xyz(at(nth % side) + steps as f32, 0.0, at(nth / side))
    };
    let viewers: Vec<Entity> = (0..viewers)
        .map(|nth| {
            let viewer = (ChunkViewer::default(), place(nth, 0));
            app.world_mut().spawn(viewer).id()
        })
        .collect();
    // Everything is found and requested before the first frame that is measured.
    while !is_requested(&app) {
        app.update();
    }
    let before = loaded(&app);
    let mut spent = Vec::new();
    let began = Instant::now();
    for frame in 0..FRAMES {
        let start = Instant::now();
        let nth = frame % viewers.len();
        let place = place(nth, 1 + frame / viewers.len());
        app.world_mut().entity_mut(viewers[nth]).insert(place);
        app.update();
        let frame = stream(&app).last_frame();
        spent.push(frame.main_thread().as_secs_f64() * 1e3);
        wait_out(start);
    }
    let taken = began.elapsed();
    let queued = stream(&app).scheduler().depths().queued;
    assert!(queued > 0, "all is generated, so the rate means nothing");
    spent.sort_by(f64::total_cmp);
    Crowd {
        rate: (loaded(&app) - before) as f64 / taken.as_secs_f64(),
        p99: spent[spent.len() * 99 / 100],
    }
}

fn stream(app: &App) -> &ChunkStream<Content> {
    app.world().resource()
}

fn is_requested(app: &App) -> bool {
    let known = stream(app).scheduler().depths().live() + loaded(app);
    let wanted = stream(app).wanted();
    wanted.is_settled() && !wanted.is_empty() && known == wanted.len()
}

fn loaded(app: &App) -> usize {
    app.world().resource::<ChunkIndex<Content>>().len()
}

fn app(radius: u32) -> App {
    let generator = Generator::new(|_: &Job<ChunkCoord>| {
        let start = Instant::now();
        while start.elapsed() < GENERATING {
            std::hint::spin_loop();
        }
        Content(5)
    });
    let spawner = Spawner::new(|_, content: Content, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..content.0).map(Piece));
    });
    let grid = ChunkGrid::planar(1.0).expect("1 is a size");
    let plugin = ChunkStreamingPlugin::new(grid, generator, spawner).with_config(StreamingConfig {
        range: Some(ViewRange::disc(radius, radius + 2).expect("2 more")),
        ..StreamingConfig::default()
    });
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), plugin));
    app.update();
    app.update();
    app
}
