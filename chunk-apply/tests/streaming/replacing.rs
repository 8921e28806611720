//! New versions of chunks that are already there, pauses, and worlds that change under the stream.

use crate::rig::{
    CHUNK_SIZE, PIECES, Piece, Pieces, Rig, config, generator, grid, middle_of, spawner,
};
use bevy_app::{App, Update};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkRoot, ChunkStream, ChunkStreamingPlugin, ChunkViewer,
    ChunkWriter, ManualClock, Spawner, StreamingConfig, StreamingSystems,
};
use chunk_coord::{ChunkCoord, ChunkGrid};
use chunk_scheduler::{Generator, Job, Lane, SchedulerConfig, Simulation};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// A generator that makes one more piece for every chunk it has made.
fn growing() -> (Generator<ChunkCoord, Pieces>, Arc<AtomicUsize>) {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let generator = Generator::new(move |_job: &Job<ChunkCoord>| {
        Pieces(PIECES + counter.fetch_add(1, Ordering::Relaxed) / 29)
    });
    (generator, made)
}

#[test]
fn a_refreshed_chunk_is_replaced_in_one_frame_without_hole_or_double() {
    let (generator, _) = growing();
    let mut rig = Rig::with(generator, spawner(), config());
    rig.viewer(0, 0);
    rig.settle();
    let coord = ChunkCoord::ORIGIN;
    let old = rig.index().root(coord).expect("loaded");
    assert!(rig.stream_mut().refresh(coord));
    let mut pieces = Vec::new();
    while rig.index().root(coord) == Some(old) {
        assert_eq!(rig.pieces(), 29 * PIECES, "the old one stays until then");
        rig.frame();
        pieces.push(rig.pieces());
    }
    assert_eq!(pieces.last(), Some(&(29 * PIECES + 1)));
    assert_eq!(rig.index().entities(), 29 * PIECES + 1);
    assert!(rig.app.world().get_entity(old).is_err());
    assert_eq!(rig.stream().scheduler().counters().applied, 30);
}

#[test]
fn a_chunk_that_nobody_wants_is_not_refreshed() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    assert!(
        !rig.stream_mut()
            .refresh_in(ChunkCoord::planar(50, 0), Lane::Normal)
    );
    assert_eq!(rig.stream().scheduler().depths().live(), 0);
}

#[test]
fn one_version_is_made_for_many_refreshes_in_a_frame() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    for _ in 0..100 {
        rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    }
    rig.settle();
    let counters = rig.stream().scheduler().counters();
    assert_eq!((counters.applied, counters.stale), (30, 0));
    assert_eq!((counters.generated, counters.coalesced), (30, 99));
    assert_eq!(rig.pieces(), 29 * PIECES);
}

#[test]
fn a_refresh_overtakes_loading() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget {
        chunks: Some(1),
        ..ApplyBudget::unlimited()
    };
    rig.viewer(100, 0);
    rig.stream_mut().refresh(ChunkCoord::planar(3, 0));
    rig.loaded();
    while rig
        .loaded()
        .iter()
        .all(|chunk| chunk.coord != ChunkCoord::planar(3, 0))
    {
        rig.frame();
    }
    // The first frames hand over and generate; then the edit comes before 29 chunks of loading.
    assert!(rig.index().len() <= 29 + 1, "{}", rig.index().len());
}

/// A stream of chunks of 100 pieces of 10 µs each that is settled, under a budget of 100 µs, so that each new chunk takes
/// eleven frames.
fn slow_rig() -> Rig {
    let clock = ManualClock::default();
    let slow = clock.clone();
    let spawner = Spawner::new(move |_, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        let slow = slow.clone();
        writer.spawn_batch((0..100).map(move |piece| {
            slow.advance(Duration::from_micros(10));
            Piece(piece)
        }));
    });
    let mut rig = Rig::on(clock, generator(), spawner, config());
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget::time(Duration::from_micros(100));
    rig
}

#[test]
fn an_edit_waits_for_no_more_than_the_chunk_that_is_partly_spawned() {
    let mut rig = slow_rig();
    let far = ChunkCoord::planar(3, 0);
    for x in -3..=3 {
        rig.stream_mut()
            .refresh_in(ChunkCoord::planar(x, 0), Lane::Normal);
    }
    rig.stream_mut().refresh(far);
    while rig.stream().partial().is_none_or(|(_, pieces)| pieces < 20) {
        rig.frame();
    }
    assert_eq!(rig.stream().partial().map(|(coord, _)| coord), Some(far));
    rig.loaded();
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    let (mut loaded, mut frames) = (Vec::new(), 0);
    while !loaded.contains(&ChunkCoord::ORIGIN) {
        rig.frame();
        loaded.extend(rig.loaded().iter().map(|chunk| chunk.coord));
        frames += 1;
    }
    assert_eq!(loaded, [far, ChunkCoord::ORIGIN]);
    assert!(frames <= 2 * 11, "{frames}");
    rig.settle();
    assert_eq!(rig.pieces(), 29 * 100);
}

#[test]
fn a_partly_spawned_chunk_is_finished_although_a_newer_version_exists_and_that_follows() {
    let mut rig = slow_rig();
    let far = ChunkCoord::planar(3, 0);
    rig.stream_mut().refresh(far);
    while rig.stream().partial().is_none() {
        rig.frame();
    }
    let before = rig.index().chunk(far).map_or(0, |chunk| chunk.version);
    for _ in 0..5 {
        rig.stream_mut().refresh(far);
        rig.frame();
    }
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.loaded();
    let mut versions = vec![before];
    while !rig.stream().is_settled() {
        rig.frame();
        for loaded in rig.loaded() {
            assert_eq!(loaded.coord, far);
            versions.push(loaded.version);
        }
    }
    assert!(versions.is_sorted());
    assert_eq!(rig.pieces(), 29 * 100);
    let counters = rig.stream().scheduler().counters();
    // Of the five that were made meanwhile, only the newest is shown.
    assert_eq!((counters.applied, counters.stale), (29 + 2, 4));
}

#[test]
fn a_paused_stream_changes_nothing_and_goes_on_later() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.frame();
    rig.stream_mut().pause();
    rig.frames(10);
    assert_eq!(rig.pieces(), 0);
    rig.move_to(viewer, 50, 0);
    rig.stream_mut().resume();
    rig.settle();
    assert!(rig.index().contains(ChunkCoord::planar(50, 0)));
    assert_eq!(rig.pieces(), 29 * PIECES);
}

#[test]
fn chunks_refreshed_again_and_again_behind_busy_loading_do_not_pile_up() {
    let alive = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&alive);
    let plugin = ChunkStreamingPlugin::new(
        grid(),
        Generator::new(move |_: &Job<ChunkCoord>| Payload::new(&counter)),
        Spawner::new(|_, _payload: Payload, _writer: &mut ChunkWriter<'_, '_>| {}),
    );
    let simulation = Simulation::new(1);
    let mut app = App::new();
    let mut plugin = plugin.with_config(StreamingConfig {
        scheduler: SchedulerConfig {
            backlog_capacity: 64,
            ..SchedulerConfig::default()
        },
        // Loading never gets anywhere.
        budget: ApplyBudget {
            chunks: Some(0),
            ..ApplyBudget::unlimited()
        },
        ..config()
    });
    plugin.runtime = simulation.runtime();
    app.add_plugins(plugin);
    app.world_mut()
        .spawn((ChunkViewer::default(), middle_of(0, 0)));
    let mut most = 0;
    for _ in 0..500 {
        app.update();
        simulation.run();
        let mut stream = app.world_mut().resource_mut::<ChunkStream<Payload>>();
        stream.refresh(ChunkCoord::planar(3, 0));
        most = most.max(alive.load(Ordering::Relaxed));
    }
    assert!(most <= 29 + 64 / 8 + 3, "{most} payloads for 29 chunks");
}

/// Content that is counted while it is there.
struct Payload(Arc<AtomicUsize>);

impl Payload {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(alive))
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[test]
fn a_grid_changed_between_scan_and_apply_puts_no_chunk_in_the_wrong_place() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.frame();
    let double = 2.0 * CHUNK_SIZE;
    // All 29 are made by now.
    rig.app.add_systems(
        Update,
        (move |mut stream: ResMut<ChunkStream<Pieces>>, mut is_done: Local<bool>| {
            if !core::mem::replace(&mut *is_done, true) {
                stream.set_grid(ChunkGrid::planar(double).expect("20 is a size"));
            }
        })
        .after(StreamingSystems::Generate)
        .before(StreamingSystems::Apply),
    );
    for _ in 0..10 {
        rig.frame();
        let world = rig.app.world_mut();
        let mut roots = world.query::<(&ChunkRoot, &Transform)>();
        for (root, place) in roots.iter(world) {
            assert_eq!(place.translation.x, root.coord.x as f32 * double);
        }
    }
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert_eq!(rig.stream().scheduler().counters().applied, 29);
}

#[test]
fn another_grid_replaces_the_world() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    let double = ChunkGrid::planar(2.0 * CHUNK_SIZE).expect("20 is a size");
    rig.stream_mut().set_grid(double);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert_eq!(rig.pieces(), 29 * PIECES);
    let root = rig.index().root(ChunkCoord::planar(1, 0)).expect("loaded");
    let place = rig.app.world().get::<Transform>(root).expect("placed");
    assert_eq!(place.translation, Vec3::new(2.0 * CHUNK_SIZE, 0.0, 0.0));
}

#[test]
fn roots_follow_a_moved_origin_at_once() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(7, 7);
    rig.settle();
    rig.loaded();
    rig.move_origin(ChunkCoord::planar(7, 0));
    rig.move_to(viewer, 0, 7);
    let root = rig.index().root(ChunkCoord::planar(7, 7)).expect("loaded");
    let place = rig.app.world().get::<Transform>(root).expect("placed");
    assert_eq!(place.translation, Vec3::new(0.0, 0.0, 7.0 * CHUNK_SIZE));
    rig.settle();
    assert!(rig.loaded().is_empty(), "nothing is loaded anew");
    assert!(rig.unloaded().is_empty());
}

#[test]
fn roots_follow_a_moved_origin_also_while_the_stream_is_paused() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().pause();
    rig.move_origin(ChunkCoord::planar(-2, 0));
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    let place = rig.app.world().get::<Transform>(root).expect("placed");
    assert_eq!(place.translation, Vec3::new(2.0 * CHUNK_SIZE, 0.0, 0.0));
}

#[test]
fn the_index_counts_as_changed_only_in_frames_that_change_it() {
    #[derive(Resource, Default)]
    struct Changes(usize);
    let mut rig = Rig::new();
    rig.app.init_resource::<Changes>().add_systems(
        Update,
        (|index: Res<ChunkIndex<Pieces>>, mut changes: ResMut<Changes>| {
            changes.0 += usize::from(index.is_changed());
        })
        .after(StreamingSystems::Apply),
    );
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.frames(5);
    let settled = rig.app.world().resource::<Changes>().0;
    rig.frames(5);
    assert_eq!(rig.app.world().resource::<Changes>().0, settled);
    rig.move_to(viewer, 0, 1);
    rig.settle();
    assert_eq!(rig.app.world().resource::<Changes>().0, settled + 1);
}
