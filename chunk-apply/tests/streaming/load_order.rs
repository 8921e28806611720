//! Which chunk comes first.

use crate::fast_flight::{TOO_FAST, missing_ahead};
use crate::rig::{CHUNK_SIZE, Pieces, Rig, config, generator, grid, middle_of, spawner};
use bevy_ecs::prelude::*;
use bevy_math::{Quat, Vec3};
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkLevels, ChunkStreamingPlugin, ChunkViewer, ChunkViewerAt, LoadOrder,
    ManualClock, StreamingConfig, ViewerSnapshot,
};
use chunk_coord::{ChunkCoord, ChunkGrid, LevelRings, ViewRange};
use chunk_scheduler::{Generator, Job};
use core::f32::consts::{FRAC_PI_2, PI};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const LOOK_AHEAD: Duration = Duration::from_secs(2);

/// What was called, in order.
#[derive(Clone, Default)]
struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Log<T> {
    fn add(&self, entry: T) {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(entry);
    }

    fn take(&self) -> Vec<T> {
        let mut log = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        core::mem::take(&mut *log)
    }
}

fn motion() -> LoadOrder {
    LoadOrder::Motion {
        look_ahead: LOOK_AHEAD,
        prefetch: false,
    }
}

fn range(radius: u32) -> ViewRange {
    ViewRange::disc(radius, radius + 1).expect("one more")
}

/// A stream in this order whose viewers see nothing but their own chunk, and what it makes, in order, one at a time.
fn rig(order: LoadOrder) -> (Rig, Log<ChunkCoord>) {
    rig_in(grid(), order)
}

fn rig_in(grid: ChunkGrid, order: LoadOrder) -> (Rig, Log<ChunkCoord>) {
    let made = Log::default();
    let making = made.clone();
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        making.add(job.key());
        Pieces(1)
    });
    let mut config = config();
    config.scheduler.max_in_flight = 1;
    config.range = Some(range(0));
    let plugin = ChunkStreamingPlugin::new(grid, generator, spawner())
        .with_config(config)
        .with_order(order);
    (Rig::build(ManualClock::default(), plugin), made)
}

/// Moves a viewer for two seconds, a tenth of a chunk in each frame, until it is in the middle of the first chunk.
fn fly(rig: &mut Rig, viewer: Entity, step: Vec3) {
    for frame in (0..=120_u8).rev() {
        let mut place = middle_of(0, 0);
        place.translation -= f32::from(frame) * step * CHUNK_SIZE;
        let mut viewer = rig.app.world_mut().entity_mut(viewer);
        *viewer.get_mut::<Transform>().expect("a viewer") = place;
        rig.frame();
    }
}

/// Lets viewers see `radius` chunks, and returns in which order chunks were made and in which they were shown.
fn look_around(rig: &mut Rig, made: &Log<ChunkCoord>, radius: u32) -> [Vec<ChunkCoord>; 2] {
    rig.frames(2);
    rig.loaded();
    made.take();
    rig.stream_mut().range = Some(range(radius));
    rig.frame();
    rig.frame();
    let shown = rig.loaded().iter().map(|loaded| loaded.coord).collect();
    [made.take(), shown]
}

/// Asserts that of two chunks as far from the origin and on opposite sides of it, the one in this direction comes first.
fn assert_ahead_first(order: &[ChunkCoord], ahead: [i32; 3]) {
    let mut pairs = 0;
    for (nth, coord) in order.iter().enumerate() {
        let opposite = ChunkCoord::new(-coord.x, -coord.y, -coord.z);
        let along = coord.x * ahead[0] + coord.y * ahead[1] + coord.z * ahead[2];
        let other = order.iter().position(|other| *other == opposite);
        if along > 0
            && let Some(other) = other
        {
            assert!(nth < other, "{coord:?} after {opposite:?}");
            pairs += 1;
        }
    }
    assert!(pairs > 20, "{order:?}");
}

#[test]
fn at_equal_distance_chunks_ahead_of_a_moving_viewer_are_made_and_shown_first() {
    for ahead in [[1, 0, 0], [-1, 0, 0], [0, 0, 1], [0, 0, -1], [1, 0, 1]] {
        let (mut rig, made) = rig(motion());
        let viewer = rig.viewer(0, 0);
        let step = ahead.map(|n| 0.1 * n as f32);
        fly(&mut rig, viewer, Vec3::from_array(step));
        for order in look_around(&mut rig, &made, 5) {
            // One behind may still be kept.
            assert!(order.len() >= 79);
            assert_ahead_first(&order, ahead);
        }
    }
}

#[test]
fn in_two_dimensions_motion_counts_in_the_plane_and_a_camera_sees_all_sides_alike() {
    let plane = || ChunkGrid::planar_xy(CHUNK_SIZE).expect("10 is a size");
    let (mut rig, made) = rig_in(plane(), motion());
    let viewer = rig.viewer(0, 0);
    fly(&mut rig, viewer, Vec3::new(0.0, -0.1, 0.3));
    for order in look_around(&mut rig, &made, 5) {
        assert!(order.len() >= 79);
        assert_ahead_first(&order, [0, -1, 0]);
    }
    let (mut rig, made) = rig_in(plane(), LoadOrder::View { weight: 9.0 });
    rig.viewer(0, 0);
    for order in look_around(&mut rig, &made, 5) {
        assert_eq!(order.len(), 80);
        assert!(order.is_sorted_by_key(|coord| coord.distance_sq(ChunkCoord::ORIGIN)));
    }
}

#[test]
fn of_chunks_on_the_way_the_nearest_come_first() {
    let (mut rig, made) = rig(motion());
    let viewer = rig.viewer(0, 0);
    fly(&mut rig, viewer, Vec3::new(-0.1, 0.0, 0.0));
    for order in look_around(&mut rig, &made, 5) {
        let way: Vec<i32> = (order.iter())
            .filter(|coord| coord.z == 0 && coord.x < 0)
            .map(|coord| coord.x)
            .collect();
        assert_eq!(way, [-1, -2, -3, -4, -5]);
    }
}

#[test]
fn around_a_viewer_at_rest_the_order_by_motion_is_the_distance() {
    for viewer in [false, true] {
        let (mut rig, made) = rig(motion());
        if viewer {
            rig.viewer(0, 0);
        } else {
            let at = ChunkViewerAt::new(ChunkCoord::ORIGIN);
            rig.app.world_mut().spawn(at);
        }
        for order in look_around(&mut rig, &made, 5) {
            let distance_sq = |coord: &ChunkCoord| coord.distance_sq(ChunkCoord::ORIGIN);
            assert_eq!(order.len(), 80);
            assert!(order.is_sorted_by_key(distance_sq), "{order:?}");
        }
    }
}

#[test]
fn a_teleport_and_a_move_of_the_origin_are_no_motion() {
    let (mut rig, made) = rig(motion());
    let viewer = rig.viewer(-40, 0);
    rig.frames(5);
    rig.move_to(viewer, 0, 0);
    rig.frame();
    rig.move_origin(ChunkCoord::planar(-1_000, 7));
    rig.move_to(viewer, 1_000, -7);
    for order in look_around(&mut rig, &made, 5) {
        assert!(order.is_sorted_by_key(|coord| coord.distance_sq(ChunkCoord::ORIGIN)));
    }
}

#[test]
fn a_viewer_that_moves_by_chunks_is_followed_as_well() {
    let (mut rig, made) = rig(motion());
    let viewer = (rig.app.world_mut())
        .spawn(ChunkViewerAt::new(ChunkCoord::planar(0, -12)))
        .id();
    for z in -12..=0 {
        let mut viewer = rig.app.world_mut().entity_mut(viewer);
        (viewer.get_mut::<ChunkViewerAt>().expect("a viewer"))
            .coord
            .z = z;
        rig.frames(10);
    }
    let [made, shown] = look_around(&mut rig, &made, 5);
    assert_ahead_first(&made, [0, 0, 1]);
    assert_ahead_first(&shown, [0, 0, 1]);
}

#[test]
fn what_a_viewer_looks_at_comes_first() {
    // A transform looks along −z; the second turns with its parent.
    for (turn, parent, ahead) in [
        (0.0, 0.0, [0, 0, -1]),
        (PI, 0.0, [0, 0, 1]),
        (-FRAC_PI_2, 0.0, [1, 0, 0]),
        (-FRAC_PI_2, PI, [-1, 0, 0]),
    ] {
        let (mut rig, made) = rig(LoadOrder::View { weight: 3.0 });
        let turned = |by| Transform::from_rotation(Quat::from_rotation_y(by));
        let world = rig.app.world_mut();
        let body = world.spawn(turned(parent)).id();
        world.spawn((ChunkViewer::default(), turned(turn), ChildOf(body)));
        for order in look_around(&mut rig, &made, 5) {
            assert_ahead_first(&order, ahead);
        }
    }
}

#[test]
fn a_turn_orders_anew_what_waits() {
    let (mut rig, _) = rig(LoadOrder::View { weight: 3.0 });
    let viewer = rig.viewer(0, 0);
    rig.frames(2);
    rig.stream_mut().budget.chunks = Some(0);
    rig.stream_mut().range = Some(range(5));
    rig.frames(2);
    rig.loaded();
    let mut transform = rig.app.world_mut().get_mut::<Transform>(viewer);
    transform.as_mut().expect("a viewer").rotation = Quat::from_rotation_y(FRAC_PI_2);
    rig.stream_mut().budget.chunks = None;
    rig.frame();
    let shown: Vec<_> = rig.loaded().iter().map(|loaded| loaded.coord).collect();
    assert_ahead_first(&shown, [-1, 0, 0]);
}

#[test]
fn without_a_direction_in_the_plane_the_order_by_view_is_the_distance() {
    let down = Transform::from_rotation(Quat::from_rotation_x(-FRAC_PI_2));
    for (weight, place) in [
        (3.0, down),
        (0.0, Transform::IDENTITY),
        (-1.0, Transform::IDENTITY),
        (f32::NAN, Transform::IDENTITY),
        (f32::INFINITY, Transform::IDENTITY),
        (
            3.0,
            Transform::from_rotation(Quat::from_array([f32::NAN; 4])),
        ),
    ] {
        let (mut rig, made) = rig(LoadOrder::View { weight });
        (rig.app.world_mut()).spawn((ChunkViewer::default(), place));
        for order in look_around(&mut rig, &made, 5) {
            assert_eq!(order.len(), 80);
            assert!(
                order.is_sorted_by_key(|coord| coord.distance_sq(ChunkCoord::ORIGIN)),
                "{weight} {place:?} {order:?}"
            );
        }
    }
}

#[test]
fn a_function_of_ones_own_decides_what_is_made_and_shown_first() {
    let from_the_east = LoadOrder::by(|coord, _viewers| 1_000 - coord.x.unsigned_abs() as u64);
    let (mut rig, made) = rig(from_the_east);
    rig.viewer(0, 0);
    for order in look_around(&mut rig, &made, 5) {
        assert_eq!(order.len(), 80);
        assert!(order.is_sorted_by_key(|coord| -coord.x.abs()), "{order:?}");
    }
}

#[test]
fn a_function_of_ones_own_is_told_where_viewers_are_how_fast_and_where_they_look() {
    let told: Log<Vec<ViewerSnapshot>> = Log::default();
    let telling = told.clone();
    let (mut rig, _) = rig(LoadOrder::by(move |coord, viewers| {
        telling.add(viewers.to_vec());
        coord.distance_sq(ChunkCoord::ORIGIN)
    }));
    rig.stream_mut().linger = Duration::from_secs(3600);
    let (viewer, passing) = (rig.viewer(0, 0), rig.viewer(-50, 0));
    fly(&mut rig, viewer, Vec3::new(0.1, 0.0, 0.0));
    rig.app.world_mut().despawn(passing);
    (rig.app.world_mut()).spawn(ChunkViewerAt::new(ChunkCoord::planar(0, 9)));
    rig.frame();
    told.take();
    rig.stream_mut().range = Some(range(1));
    rig.frames(2);
    let told = told.take();
    let [moving, standing, lingering] = told.last().expect("it was asked")[..] else {
        panic!("three viewers: {told:?}");
    };
    assert_eq!(moving.coord, ChunkCoord::ORIGIN);
    // A tenth of a chunk each 16 ms.
    assert!((5.5..6.5).contains(&moving.velocity.x), "{moving:?}");
    assert_eq!((moving.velocity.y, moving.velocity.z), (0.0, 0.0));
    assert_eq!(moving.forward, Vec3::NEG_Z);
    assert_eq!(standing.coord, ChunkCoord::planar(0, 9));
    assert_eq!(
        (standing.velocity, standing.forward),
        (Vec3::ZERO, Vec3::ZERO)
    );
    assert_eq!(lingering.coord, ChunkCoord::planar(-50, 0));
    assert_eq!(
        (lingering.velocity, lingering.forward),
        (Vec3::ZERO, Vec3::ZERO)
    );
}

#[test]
fn a_function_of_ones_own_that_panics_is_not_called_again_and_harms_nothing() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&calls);
    let (mut rig, made) = rig(LoadOrder::by(move |_, _| {
        counting.fetch_add(1, Ordering::Relaxed);
        std::panic::resume_unwind(Box::new("no order"))
    }));
    let viewer = rig.viewer(0, 0);
    for order in look_around(&mut rig, &made, 5) {
        assert_eq!(order.len(), 80);
        assert!(order.is_sorted_by_key(|coord| coord.distance_sq(ChunkCoord::ORIGIN)));
    }
    rig.move_to(viewer, 7, 3);
    rig.settle();
    assert!(rig.index().len() >= 81);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    let counters = rig.stream().scheduler().counters();
    assert_eq!((counters.panics, counters.failed), (0, 0));
    assert_eq!(rig.stream().totals().panics, 0);
}

/// The order in which a viewer's chunks are saved and then despawned after it vanished, and the levels that they had.
fn leaving(order: LoadOrder) -> (Vec<ChunkCoord>, Vec<ChunkCoord>, Vec<(ChunkCoord, u8)>) {
    let saved = Log::default();
    let saving = saved.clone();
    let levels = ChunkLevels::new(LevelRings::new([1, 3], 0).expect("3 is more than 1"));
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(config())
        .with_order(order)
        .with_levels(levels)
        .with_save_hook(move |_world, chunk| {
            saving.add(chunk.coord);
            Ok(())
        });
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let mut made: Vec<_> = (rig.loaded().iter())
        .map(|chunk| (chunk.coord, chunk.level))
        .collect();
    made.sort_unstable();
    rig.stream_mut().budget = ApplyBudget {
        chunks: Some(1),
        ..ApplyBudget::unlimited()
    };
    let roots: Vec<_> = rig
        .index()
        .iter()
        .map(|(coord, chunk)| (coord, chunk.root))
        .collect();
    rig.app.world_mut().despawn(viewer);
    let mut gone: Vec<ChunkCoord> = Vec::new();
    for _ in 0..200 {
        rig.frame();
        let mut now: Vec<_> = (roots.iter())
            .filter(|(coord, root)| {
                !gone.contains(coord) && rig.app.world().get_entity(*root).is_err()
            })
            .map(|(coord, _)| *coord)
            .collect();
        now.sort_unstable();
        gone.extend(now);
    }
    assert_eq!(gone.len(), 29);
    (saved.take(), gone, made)
}

#[test]
fn levels_saves_and_unloading_go_by_distance_whatever_the_order_of_loading() {
    let expected = leaving(LoadOrder::Distance);
    let farthest_first =
        |coord: ChunkCoord, _: &[ViewerSnapshot]| 1_000 - coord.distance_sq(ChunkCoord::ORIGIN);
    for order in [
        LoadOrder::by(farthest_first),
        LoadOrder::View { weight: 9.0 },
        motion(),
    ] {
        assert_eq!(leaving(order), expected);
    }
}

#[test]
fn an_order_survives_whatever_a_viewer_does() {
    let orders = || {
        [
            motion(),
            LoadOrder::View { weight: 3.0 },
            LoadOrder::by(|_, _| 7),
        ]
    };
    for order in orders() {
        let mut rig = Rig::with_plugin(|plugin| {
            plugin.with_order(order).with_config(StreamingConfig {
                linger: Duration::from_millis(50),
                ..config()
            })
        });
        let viewer = rig.viewer(0, 0);
        rig.frames(3);
        for bad in [f32::NAN, f32::INFINITY, f32::MAX, -1e30] {
            *(rig.app.world_mut().get_mut::<Transform>(viewer)).expect("a viewer") =
                Transform::from_xyz(bad, bad, 0.0);
            rig.frames(2);
        }
        rig.move_origin(ChunkCoord::planar(i32::MAX, i32::MIN));
        for x in [0, -1, -2, -3, 5_000, -9] {
            rig.move_to(viewer, x, 0);
            rig.frame();
        }
        rig.stream_mut().pause();
        rig.move_to(viewer, -90, 0);
        rig.frames(3);
        rig.stream_mut().resume();
        // Time may stand still.
        rig.app.update();
        rig.app.update();
        let other = ChunkGrid::planar(2.0 * CHUNK_SIZE).expect("20 is a size");
        rig.stream_mut().set_grid(other);
        rig.frame();
        rig.app.world_mut().despawn(viewer);
        rig.settle();
        assert!(rig.index().is_empty());
        rig.viewer(-90, 25);
        rig.settle();
        assert_eq!(rig.index().len(), 29);
    }
}

#[test]
fn by_motion_at_most_half_as_much_is_missing_ahead_of_a_fast_viewer_as_by_distance() {
    let by_distance = missing_ahead(LoadOrder::Distance, TOO_FAST);
    let by_motion = missing_ahead(motion(), TOO_FAST);
    assert!(by_distance > 0.3, "no holes to fill: {by_distance}");
    assert!(
        by_motion <= by_distance / 2.0,
        "{by_motion} of {by_distance}"
    );
}
