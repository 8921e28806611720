//! Frames of the app and runs of schedules that are not one to one.

use crate::rig::{Piece, Pieces, Rig, config, generator, grid, middle_of, spawner};
use bevy_app::{App, FixedUpdate, Plugin, PostUpdate, TaskPoolPlugin};
use bevy_diagnostic::FrameCountPlugin;
use bevy_ecs::prelude::*;
use bevy_time::{TimePlugin, TimeUpdateStrategy};
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, ChunkWriter,
    ManualClock, Spawner, StreamingConfig, StreamingFrame,
};
use chunk_coord::ChunkCoord;
use std::time::Duration;

/// An app whose frames take `frame` of virtual time, with a stream on its fixed schedule.
fn fixed(plugin: ChunkStreamingPlugin<Pieces>, clock: ManualClock, frame: Duration) -> Rig {
    let mut rig = Rig::build(clock, plugin.in_schedule(FixedUpdate));
    rig.app
        .add_plugins(TimePlugin)
        .insert_resource(TimeUpdateStrategy::ManualDuration(frame));
    rig
}

fn usual() -> ChunkStreamingPlugin<Pieces> {
    ChunkStreamingPlugin::new(grid(), generator(), spawner()).with_config(config())
}

#[test]
fn it_works_in_the_fixed_schedule_of_a_real_app() {
    let mut rig = fixed(usual(), ManualClock::default(), Duration::from_millis(16));
    rig.viewer(0, 0);
    // The first frame of an app takes no time, so that there is no tick in it.
    rig.frames(2);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
}

#[test]
fn a_frame_without_a_tick_costs_nothing() {
    #[derive(Resource, Default)]
    struct Ticks(usize);
    // 64 ticks a second: about one in every fourth frame.
    let mut rig = fixed(usual(), ManualClock::default(), Duration::from_millis(4));
    rig.app
        .init_resource::<Ticks>()
        .add_systems(FixedUpdate, |mut ticks: ResMut<Ticks>| ticks.0 += 1);
    let viewer = rig.viewer(0, 0);
    for x in 0..40 {
        let before = rig.app.world().resource::<Ticks>().0;
        rig.move_to(viewer, x, 0);
        rig.frame();
        let ticks = rig.app.world().resource::<Ticks>().0;
        let frame = rig.stream().last_frame();
        if ticks == before {
            assert_eq!(frame, StreamingFrame::default(), "frame {x}");
        } else if before > 0 {
            assert!(frame.apply.applied > 0, "frame {x}");
        }
    }
    assert!(rig.app.world().resource::<Ticks>().0 >= 9);
    rig.stream_mut().pause();
    rig.frames(4);
    assert_eq!(rig.stream().last_frame(), StreamingFrame::default());
}

/// Pieces of 10 µs, 40 in each of 29 chunks, under a budget of 1 ms.
fn slow(clock: &ManualClock) -> ChunkStreamingPlugin<Pieces> {
    let slow = clock.clone();
    let spawner = Spawner::new(move |_, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        let slow = slow.clone();
        writer.spawn_batch((0..40).map(move |piece| {
            slow.advance(Duration::from_micros(10));
            Piece(piece)
        }));
    });
    ChunkStreamingPlugin::new(grid(), generator(), spawner).with_config(StreamingConfig {
        budget: ApplyBudget::time(Duration::from_millis(1)),
        ..config()
    })
}

#[test]
fn a_schedule_that_catches_up_shares_the_frames_budget_among_its_runs() {
    let clock = ManualClock::default();
    let plugin = slow(&clock);
    // Six or seven ticks a frame.
    let mut rig = fixed(plugin, clock, Duration::from_millis(100));
    rig.viewer(0, 0);
    rig.frame();
    let mut before = 0;
    while rig.index().len() < 29 {
        rig.frame();
        let frame = rig.stream().last_frame();
        // The frame advances by one piece however little is left.
        let most = Duration::from_micros(1_000 + 10);
        assert!(frame.main_thread() <= most, "{frame:?}");
        let pieces = rig.pieces();
        assert_eq!(frame.apply.spawned, pieces - before, "runs are added up");
        before = pieces;
    }
}

#[test]
fn the_runs_of_a_frame_owe_one_piece_together() {
    let clock = ManualClock::default();
    let millisecond = Duration::from_millis(1);
    let slow = clock.clone();
    let spawner = Spawner::new(move |_, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        slow.advance(millisecond);
        writer.spawn_batch([Piece(0)]);
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner);
    let plugin = plugin.with_config(StreamingConfig {
        budget: ApplyBudget::time(millisecond / 2),
        ..config()
    });
    // Six or seven ticks a frame.
    let mut rig = fixed(plugin, clock, Duration::from_millis(100));
    rig.viewer(0, 0);
    let mut frames = 0;
    while rig.index().len() < 29 {
        rig.frame();
        let frame = rig.stream().last_frame();
        assert!(frame.main_thread() <= millisecond, "{frame:?}");
        assert_eq!(frame.apply.overshoot, frame.apply.spent / 2);
        frames += 1;
        // One for the step that spawns, and one for the piece.
        assert!(frames <= 2 * 29 + 2, "each frame advances");
    }
}

#[test]
fn applying_every_frame_what_the_fixed_schedule_requested_repeats_no_metric() {
    let clock = ManualClock::default();
    let asking = clock.clone();
    let generator = generator().with_known_empty(move |_: &ChunkCoord| {
        asking.advance(Duration::from_micros(1));
        None
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config())
        .scan_in(FixedUpdate)
        .apply_in(PostUpdate);
    let mut rig = Rig::build(clock, plugin);
    rig.app
        .add_plugins(TimePlugin)
        .insert_resource(TimeUpdateStrategy::ManualDuration(Duration::from_millis(4)));
    rig.viewer(0, 0);
    let scans: Vec<Duration> = (0..12)
        .map(|_| {
            rig.frame();
            rig.stream().last_frame().scan
        })
        .collect();
    let total: Duration = scans.iter().sum();
    assert_eq!(total, Duration::from_micros(29), "{scans:?}");
    assert_eq!(rig.index().len(), 29);
}

#[test]
fn without_the_first_schedule_each_turn_of_applying_ends_a_frame() {
    let clock = ManualClock::default();
    let mut rig = Rig::build(clock.clone(), slow(&clock).in_schedule(FixedUpdate));
    rig.viewer(0, 0);
    for _ in 0..200 {
        rig.app.world_mut().run_schedule(FixedUpdate);
        rig.simulation.run();
        let spent = rig.stream().last_frame().main_thread();
        assert!(spent <= Duration::from_millis(1), "{spent:?}");
    }
    assert_eq!(
        rig.index().len(),
        29,
        "no frame's budget is used up for good"
    );
}

#[test]
fn it_works_under_the_plugins_of_a_server() {
    // Bevy's `MinimalPlugins` without their runner, which never returns.
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), FrameCountPlugin, TimePlugin));
    usual().build(&mut app);
    app.world_mut()
        .spawn((ChunkViewer::default(), middle_of(0, 0)));
    while app.world().resource::<ChunkIndex<Pieces>>().len() < 29
        || !app.world().resource::<ChunkStream<Pieces>>().is_settled()
    {
        app.update();
    }
    let world = app.world_mut();
    assert_eq!(world.query::<&Piece>().iter(world).count(), 29 * 5);
}
