//! A budget that follows the app's whole frames, on a clock that moves by what things are said to cost.

use crate::rig::{Piece, Pieces, Rig, config, grid};
use bevy_app::{AppLabel, FixedUpdate, Last, Main, SubApp, Update};
use bevy_ecs::{prelude::*, schedule::ScheduleLabel};
use bevy_time::{TimePlugin, TimeUpdateStrategy};
use chunk_apply::{
    ApplyBudget, ChunkStream, ChunkStreamingPlugin, ChunkWriter, FrameMeter, FrameTarget,
    ManualClock, Spawner, StreamingConfig, WholeFrame,
};
use chunk_coord::{ChunkCoord, ViewRange};
use chunk_scheduler::{Generator, Job};
use std::time::Duration;

const PIECES: usize = 300;

/// What stands for Bevy's render world.
#[derive(AppLabel, Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Renderer;

/// What was extracted: how many entities were spawned and despawned.
#[derive(Resource, Default)]
struct Extracted(usize, usize);

fn nanos(nanos: usize) -> Duration {
    Duration::from_nanos(nanos as u64)
}

/// A stream in which an entity takes 300 ns to spawn, in an app that works for `work`, and whose renderer takes 2 ms, 1.3 µs for
/// each entity that was spawned in the frame, and 2.5 µs for each that was despawned.
fn app(work: Duration, budget: ApplyBudget, is_fixed: bool) -> Rig {
    let clock = ManualClock::default();
    let spawning = clock.clone();
    let spawner = Spawner::new(
        move |_coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let clock = spawning.clone();
            writer.spawn_batch((0..pieces.0).map(move |piece| {
                clock.advance(nanos(300));
                Piece(piece)
            }));
        },
    );
    let config = StreamingConfig {
        range: ViewRange::disc(8, 9).ok(),
        budget,
        ..config()
    };
    let generator = Generator::new(|_job: &Job<ChunkCoord>| Pieces(PIECES));
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner).with_config(config);
    let plugin = if is_fixed {
        plugin.in_schedule(FixedUpdate)
    } else {
        plugin
    };
    let mut rig = Rig::build(clock.clone(), plugin);
    let working = clock.clone();
    (rig.app).add_systems(Update, move || working.advance(work));
    if is_fixed {
        // Three runs in a frame.
        let frame = TimeUpdateStrategy::ManualDuration(Duration::from_millis(50));
        rig.app.add_plugins(TimePlugin).insert_resource(frame);
    }
    rig.app.insert_sub_app(Renderer, renderer(clock));
    rig.app.finish();
    rig
}

fn renderer(clock: ManualClock) -> SubApp {
    let mut renderer = SubApp::new();
    renderer.init_resource::<Extracted>();
    renderer.set_extract(|main, renderer| {
        let report = main.resource::<ChunkStream<Pieces>>().last_frame().apply;
        renderer.insert_resource(Extracted(report.spawned, report.despawned));
    });
    renderer.add_systems(Main, move |extracted: Res<Extracted>| {
        let Extracted(spawned, despawned) = *extracted;
        clock.advance(Duration::from_millis(2) + nanos(1_300 * spawned + 2_500 * despawned));
    });
    renderer.update_schedule = Some(Main.intern());
    renderer
}

/// A frame and the pause after it. Returns how long its work took.
fn frame(rig: &mut Rig, pause: Duration) -> Duration {
    let began = chunk_apply::Clock::now(&rig.clock);
    rig.app.update();
    rig.simulation.run();
    let took = chunk_apply::Clock::now(&rig.clock) - began;
    rig.clock.advance(pause);
    took
}

fn late(rig: &mut Rig, frames: usize) -> usize {
    let target = FrameTarget::default().time;
    (0..frames).filter(|_| frame(rig, target) > target).count()
}

#[test]
fn a_game_with_twelve_milliseconds_of_its_own_keeps_its_frames_while_the_world_fills_and_moves() {
    let work = Duration::from_millis(12);
    let following = ApplyBudget::following(FrameTarget::default());
    let mut rig = app(work, following, false);
    let viewer = rig.viewer(0, 0);
    let mut frames = 0;
    while !rig.stream().is_settled() {
        assert_eq!(late(&mut rig, 1), 0, "{frames}");
        frames += 1;
        assert!(frames < 600, "it is filled in ten seconds");
    }
    for x in 1..40 {
        rig.move_to(viewer, x, 0);
        assert_eq!(late(&mut rig, 20), 0, "{x}");
    }
    assert_eq!(late(&mut rig, 200), 0);
    assert!(rig.stream().is_settled(), "{:?}", rig.stream());

    let mut fixed = app(work, ApplyBudget::DEFAULT, false);
    fixed.viewer(0, 0);
    assert!(late(&mut fixed, 60) > 5, "what 2 ms do to such a game");
}

#[test]
fn several_runs_of_a_fixed_schedule_share_what_is_free_of_a_frame() {
    let work = Duration::from_millis(9);
    let following = ApplyBudget::following(FrameTarget::default());
    let mut rig = app(work, following, true);
    rig.viewer(0, 0);
    assert_eq!(late(&mut rig, 200), 0);
    assert!(rig.stream().is_settled(), "{:?}", rig.stream());
}

#[test]
fn a_game_that_is_always_late_is_filled_all_the_same() {
    let following = ApplyBudget::following(FrameTarget::default());
    let mut rig = app(Duration::from_millis(40), following, false);
    rig.viewer(0, 0);
    late(&mut rig, 400);
    assert!(rig.stream().is_settled(), "{:?}", rig.stream());
}

/// In the background a game may run one frame a second. The time between frames is nobody's work.
/// In time without streaming, and with nothing free for it.
#[test]
fn a_game_whose_frames_are_full_is_late_in_one_of_eight_at_most_and_is_filled_all_the_same() {
    let following = ApplyBudget::following(FrameTarget::default());
    let mut rig = app(Duration::from_micros(14_500), following, false);
    late(&mut rig, 60);
    let viewer = rig.viewer(0, 0);
    let (mut changed, mut frames) = (0, 0);
    let mut play = |rig: &mut Rig, count: usize| {
        for _ in 0..count {
            let is_late = late(rig, 1) > 0;
            let apply = rig.stream().last_frame().apply;
            let has_changed = apply.spawned + apply.despawned > 0;
            assert!(has_changed || !is_late, "{frames}");
            (changed, frames) = (changed + usize::from(has_changed), frames + 1);
        }
        (changed, frames)
    };
    for x in 0..20 {
        rig.move_to(viewer, x, 0);
        play(&mut rig, 60);
    }
    let (changed, frames) = play(&mut rig, 1_200);
    assert!(rig.stream().is_settled(), "{:?}", rig.stream());
    assert!(
        changed > 60 && changed <= frames / 8 + 1,
        "{changed} of {frames}"
    );
}

#[test]
fn the_pause_between_frames_makes_no_frame_late() {
    let following = ApplyBudget::following(FrameTarget::default());
    let mut rig = app(Duration::from_millis(4), following, false);
    rig.viewer(0, 0);
    let mut frames = 0;
    while !rig.stream().is_settled() {
        frame(&mut rig, Duration::from_secs(1));
        frames += 1;
    }
    assert!(frames < 60, "{frames}");
}

#[test]
fn whole_frames_are_measured_in_their_parts() {
    let mut rig = app(Duration::from_millis(5), ApplyBudget::DEFAULT, false);
    let meter = rig.app.world().resource::<FrameMeter>().clone();
    assert_eq!(meter.latest(), None);
    for _ in 0..3 {
        frame(&mut rig, Duration::from_secs(1));
    }
    let whole = WholeFrame {
        main: Duration::from_millis(5),
        render: Duration::from_millis(2),
        ..WholeFrame::default()
    };
    assert_eq!(meter.latest(), Some(whole));
    assert_eq!(whole.busy(), Duration::from_millis(7));
}

#[test]
fn waiting_for_the_display_is_left_out() {
    #[derive(ScheduleLabel, Clone, Debug, PartialEq, Eq, Hash)]
    struct Wait;
    fn waits(clock: Res<Shared>) {
        clock.0.advance(Duration::from_millis(9));
    }
    fn works_before(clock: Res<Shared>) {
        clock.0.advance(Duration::from_millis(3));
    }
    #[derive(Resource)]
    struct Shared(ManualClock);

    let mut rig = app(Duration::from_millis(5), ApplyBudget::DEFAULT, false);
    let clock = rig.clock.clone();
    let renderer = rig.app.sub_app_mut(Renderer);
    renderer.insert_resource(Shared(clock));
    renderer
        .init_schedule(Wait)
        .add_systems(Wait, (works_before, waits).chain());
    renderer.add_systems(Main, |world: &mut World| world.run_schedule(Wait));
    FrameMeter::leave_out(renderer, Wait, works_before, waits);
    rig.app.insert_resource(Shared(rig.clock.clone()));
    let main = rig.app.main_mut();
    main.add_systems(Last, (works_before, waits).chain());
    FrameMeter::leave_out(main, Last, works_before, waits);
    for _ in 0..3 {
        frame(&mut rig, Duration::ZERO);
    }
    let latest = rig.app.world().resource::<FrameMeter>().latest();
    let whole = WholeFrame {
        main: Duration::from_millis(5 + 3),
        render: Duration::from_millis(2 + 3),
        ..WholeFrame::default()
    };
    assert_eq!(latest, Some(whole));
}
