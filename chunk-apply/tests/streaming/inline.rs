//! Without threads: generating and applying share the main thread's time.

use crate::rig::{CHUNK_SIZE, Piece, Pieces, config, grid, middle_of};
use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLoaded, ChunkStream, ChunkStreamingPlugin, ChunkViewer,
    ChunkWriter, ManualClock, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ViewRange};
use chunk_scheduler::{Generator, Job, Runtime};
use std::{sync::Arc, time::Duration};

/// The defaults of the web.
const GENERATING: Duration = Duration::from_millis(4);
const APPLYING: Duration = Duration::from_millis(2);

struct Inline {
    app: App,
    clock: ManualClock,
}

impl Inline {
    /// A viewer of 197 chunks, each of which takes `generating`, and `applying` for each of its 15 pieces.
    fn new(generating: Duration, applying: Duration) -> Self {
        let clock = ManualClock::default();
        let (slow_generator, slow_spawner) = (clock.clone(), clock.clone());
        let generator = Generator::new(move |_: &Job<ChunkCoord>| {
            slow_generator.advance(generating);
            Pieces(15)
        });
        let spawner = Spawner::new(move |_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let slow = slow_spawner.clone();
            writer.spawn_batch((0..pieces.0).map(move |piece| {
                slow.advance(applying);
                Piece(piece)
            }));
        });
        let mut plugin =
            ChunkStreamingPlugin::new(grid(), generator, spawner).with_config(StreamingConfig {
                range: Some(ViewRange::disc(8, 10).expect("10 is more")),
                budget: ApplyBudget::time(APPLYING),
                ..config()
            });
        plugin.runtime = Runtime::Inline { budget: GENERATING };
        plugin.clock = Arc::new(clock.clone());
        let mut app = App::new();
        plugin.build(&mut app);
        app.world_mut()
            .spawn((ChunkViewer::default(), middle_of(0, 0)));
        Self { app, clock }
    }

    /// One frame. Returns the chunks that were shown in it, in their order.
    fn frame(&mut self) -> Vec<ChunkCoord> {
        self.app.update();
        self.clock.advance(Duration::from_millis(10));
        let mut loaded = self
            .app
            .world_mut()
            .resource_mut::<Messages<ChunkLoaded<Pieces>>>();
        loaded.drain().map(|chunk| chunk.coord).collect()
    }

    fn loaded(&self) -> usize {
        self.app.world().resource::<ChunkIndex<Pieces>>().len()
    }

    fn spent(&self) -> (Duration, Duration) {
        let frame = self
            .app
            .world()
            .resource::<ChunkStream<Pieces>>()
            .last_frame();
        (frame.main_thread(), frame.apply.overshoot)
    }

    /// Frames until half of the view is there, none of them longer than both budgets and one chunk to generate.
    fn frames_for_half(&mut self, generating: Duration) -> usize {
        for frame in 1..1_000 {
            self.frame();
            let (spent, overshoot) = self.spent();
            assert!(spent <= GENERATING + APPLYING + generating, "{spent:?}");
            assert_eq!(overshoot, spent.saturating_sub(GENERATING + APPLYING));
            if self.loaded() >= 99 {
                return frame;
            }
        }
        panic!("never half: {}", self.loaded());
    }
}

#[test]
fn half_a_view_is_there_after_as_many_frames_as_its_work_takes() {
    let us = Duration::from_micros;
    // Microseconds to generate a chunk and to spawn a piece: 99 chunks take 49, 49, 10, 82 and 792 ms, of which a frame
    // has 6, or 4 where generating is nearly all.
    for (generating, piece, most) in [
        (us(200), us(20), 12),
        (us(20), us(32), 12),
        (us(100), us(0), 4),
        (us(800), us(2), 23),
        (us(8_000), us(2), 102),
    ] {
        let mut inline = Inline::new(generating, piece);
        let frames = inline.frames_for_half(generating);
        assert!(frames <= most, "{generating:?}, {piece:?}: {frames} frames");
    }
}

#[test]
fn chunks_are_shown_nearest_first() {
    let mut inline = Inline::new(Duration::from_micros(200), Duration::from_micros(20));
    let mut shown = Vec::new();
    while inline.loaded() < 197 {
        shown.extend(inline.frame());
    }
    let rings: Vec<u64> = (shown.iter())
        .map(|coord| coord.distance_sq(ChunkCoord::ORIGIN).isqrt())
        .collect();
    // A chunk is at most one ring late, because what is generated is not shown in the same frame.
    let mut farthest = 0;
    for ring in &rings {
        assert!(ring + 1 >= farthest, "{rings:?}");
        farthest = farthest.max(*ring);
    }
}

#[test]
fn the_chunk_around_a_viewer_that_jumped_is_shown_soon_although_many_wait() {
    let mut inline = Inline::new(Duration::from_micros(20), Duration::from_micros(40));
    for _ in 0..4 {
        inline.frame();
    }
    let stream = inline.app.world().resource::<ChunkStream<Pieces>>();
    assert!(stream.backlog() > 100, "many wait: {}", stream.backlog());
    let world = inline.app.world_mut();
    let mut viewers = world.query_filtered::<&mut Transform, With<ChunkViewer>>();
    for mut viewer in viewers.iter_mut(world) {
        viewer.translation.x += 9.0 * CHUNK_SIZE;
    }
    let mut frames = 0;
    while !inline.frame().contains(&ChunkCoord::planar(9, 0)) {
        frames += 1;
        assert!(frames <= 1, "it waits for those that are farther");
    }
}
