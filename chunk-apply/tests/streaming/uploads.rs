//! Bytes that chunks upload: how many a frame takes, and how many there are.

use crate::rig::{Piece, Pieces, Rig, config, generator, grid};
use bevy_app::FixedUpdate;
use bevy_ecs::prelude::*;
use bevy_time::{TimePlugin, TimeUpdateStrategy};
use chunk_apply::{
    ApplyBudget, ChunkCoord, ChunkStream, ChunkStreamingPlugin, ChunkWriter, Generator, Job,
    ManualClock, Reset, Spawner, StreamingConfig, StreamingDiagnosticsPlugin,
};
use chunk_coord::ViewRange;
use std::time::Duration;

/// The bytes of each upload, in order.
#[derive(Resource, Default)]
struct Uploads(Vec<usize>);

/// A piece, uploads of so many bytes, and another piece.
fn uploading(bytes: &'static [usize]) -> Spawner<ChunkCoord, Pieces> {
    Spawner::new(move |_, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch([Piece(0)]);
        for bytes in bytes {
            writer.upload(*bytes, |world, root| {
                assert!(world.get_entity(root).is_ok());
                world.get_resource_or_init::<Uploads>().0.push(*bytes);
            });
        }
        writer.spawn_batch([Piece(1)]);
    })
}

fn uploading_rig(spawner: Spawner<ChunkCoord, Pieces>, budget: ApplyBudget) -> Rig {
    Rig::with(generator(), spawner, StreamingConfig { budget, ..config() })
}

fn bytes(most: usize) -> ApplyBudget {
    ApplyBudget {
        bytes: Some(most),
        ..ApplyBudget::unlimited()
    }
}

/// The bytes of each of the coming frames, until all is done.
fn until_settled(rig: &mut Rig) -> Vec<usize> {
    let mut frames = Vec::new();
    while frames.is_empty() || !rig.stream().is_settled() {
        rig.frame();
        assert_eq!(rig.stream().scheduler().audit(), Ok(()));
        frames.push(rig.stream().last_frame().apply.bytes);
        assert!(frames.len() < 2_000, "{:?}", rig.stream());
    }
    frames.retain(|bytes| *bytes > 0);
    frames
}

#[test]
fn a_frame_takes_as_many_uploads_as_fit_and_the_first_however_heavy_it_is() {
    let pieces: &[usize] = &[40, 40, 40, 500, 20, 0, 80];
    for (most, expected) in [
        (100, vec![80, 40, 500, 100]),
        (120, vec![120, 500, 100]),
        (0, vec![40, 40, 40, 500, 20, 80]),
        (usize::MAX, vec![720]),
    ] {
        let mut rig = uploading_rig(uploading(pieces), bytes(most));
        rig.stream_mut().range = ViewRange::disc(0, 0).ok();
        rig.viewer(0, 0);
        assert_eq!(until_settled(&mut rig), expected, "{most}");
        let uploads = &rig.app.world().resource::<Uploads>().0;
        assert_eq!(uploads, pieces, "the order inside a chunk is kept");
        assert_eq!(rig.pieces(), 2);
    }
}

#[test]
fn chunks_share_the_bytes_of_a_frame_and_all_of_them_come() {
    let mut rig = uploading_rig(uploading(&[30, 30]), bytes(100));
    rig.viewer(0, 0);
    let frames = until_settled(&mut rig);
    assert!(frames.iter().all(|bytes| *bytes <= 100), "{frames:?}");
    assert_eq!(frames.iter().sum::<usize>(), 29 * 60);
    assert_eq!(frames.len(), 58_usize.div_ceil(3));
    assert_eq!(rig.stream().loaded_bytes(), 29 * 60);
}

#[test]
fn all_runs_of_a_fixed_schedule_share_the_bytes_of_a_frame() {
    for most in [0, 100] {
        let plugin = ChunkStreamingPlugin::new(grid(), generator(), uploading(&[70]))
            .with_config(StreamingConfig {
                budget: bytes(most),
                ..config()
            })
            .in_schedule(FixedUpdate);
        let mut rig = Rig::build(ManualClock::default(), plugin);
        // Six or seven ticks a frame.
        let step = TimeUpdateStrategy::ManualDuration(Duration::from_millis(100));
        rig.app.add_plugins(TimePlugin).insert_resource(step);
        rig.viewer(0, 0);
        let frames = until_settled(&mut rig);
        assert_eq!(frames, [70; 29], "at most {most}");
    }
}

#[test]
fn a_chunk_that_waits_for_bytes_holds_no_despawning_up() {
    let mut rig = uploading_rig(uploading(&[50]), ApplyBudget::unlimited());
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = bytes(0);
    rig.move_to(viewer, 100, 0);
    rig.frames(4);
    assert!(rig.index().len() < 5, "one a frame");
    assert_eq!(rig.stream().unloading(), 0);
    rig.settle();
    assert_eq!(rig.stream().loaded_bytes(), 29 * 50);
}

#[test]
fn chunks_in_one_piece_are_begun_while_there_is_room() {
    let budget = bytes(100).in_whole_chunks();
    let mut rig = uploading_rig(uploading(&[30, 30]), budget);
    rig.viewer(0, 0);
    let frames = until_settled(&mut rig);
    // The second one is begun with 60 of 100.
    assert_eq!(frames.iter().filter(|bytes| **bytes == 120).count(), 14);
    assert_eq!(frames.iter().sum::<usize>(), 29 * 60);
}

#[test]
fn a_group_is_swapped_in_one_frame_whatever_it_weighs() {
    let mut rig = uploading_rig(uploading(&[50]), ApplyBudget::unlimited());
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = bytes(60);
    assert_eq!(rig.stream_mut().refresh_around(ChunkCoord::ORIGIN, 1), 9);
    assert_eq!(until_settled(&mut rig), [450]);
    assert_eq!(rig.stream().loaded_bytes(), 29 * 50);
}

#[test]
fn the_total_is_that_of_what_stands_and_nothing_when_nothing_stands() {
    let mut rig = uploading_rig(uploading(&[5, 6]), bytes(40));
    rig.app
        .add_plugins(StreamingDiagnosticsPlugin::<Pieces>::default());
    let viewer = rig.viewer(0, 0);
    rig.frames(3);
    let partly = rig.stream().loaded_bytes();
    assert!((1..29 * 11).contains(&partly), "{partly}");
    rig.settle();
    assert_eq!(rig.stream().loaded_bytes(), 29 * 11);
    let here = rig.index().chunk(ChunkCoord::ORIGIN).expect("loaded");
    assert_eq!(here.bytes, 11);
    let snapshot = rig.stream().snapshot(rig.index());
    assert_eq!(snapshot.loaded_bytes, 29 * 11);
    // Replaced, despawned by the game, and despawned by the game while others leave.
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.settle();
    assert_eq!(rig.stream().loaded_bytes(), 29 * 11);
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    rig.app.world_mut().despawn(root);
    rig.settle();
    assert_eq!(rig.stream().loaded_bytes(), 28 * 11);
    let left = rig.index().root(ChunkCoord::planar(1, 0)).expect("loaded");
    rig.stream_mut().budget.chunks = Some(0);
    rig.app.world_mut().despawn(viewer);
    rig.frames(3);
    rig.app.world_mut().despawn(left);
    rig.stream_mut().budget.chunks = Some(1);
    rig.frame();
    let leaving = rig.stream().loaded_bytes();
    assert!((1..28 * 11).contains(&leaving), "until they are despawned");
    rig.settle();
    assert_eq!(rig.stream().loaded_bytes(), 0);
}

#[test]
fn chunks_that_fail_are_superseded_or_given_up_leave_no_bytes() {
    let spawner = Spawner::fallible(
        |coord: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            writer.upload(7, |_, _| {});
            match coord.x {
                1 => return Err("no room"),
                2 => panic!("no room"),
                3 => writer.upload(9, |_, _| panic!("no room")),
                -3 => writer.run(|world, root| _ = world.try_despawn(root)),
                _ => {}
            }
            Ok(())
        },
    );
    for budget in [
        bytes(8),
        ApplyBudget::unlimited(),
        bytes(8).in_whole_chunks(),
    ] {
        let generator = Generator::new(|_: &Job<ChunkCoord>| Pieces(0));
        let mut rig = Rig::with(
            generator,
            spawner.clone(),
            StreamingConfig { budget, ..config() },
        );
        let viewer = rig.viewer(0, 0);
        rig.frames(3);
        for _ in 0..40 {
            rig.stream_mut().refresh(ChunkCoord::ORIGIN);
            rig.stream_mut().refresh(ChunkCoord::planar(1, 0));
            rig.frame();
        }
        rig.app.world_mut().despawn(viewer);
        rig.settle();
        assert_eq!(rig.stream().loaded_bytes(), 0, "{budget}");
    }
}

#[test]
fn numbers_of_bytes_that_are_too_large_end_no_app_and_are_gone_with_their_chunks() {
    const ALL: usize = usize::MAX;
    for budget in [ApplyBudget::unlimited(), bytes(100), bytes(ALL)] {
        for limit in [None, Some(ALL), Some(10)] {
            let spawner = Spawner::new(|_, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
                writer.upload(ALL, |_, _| {});
                writer.upload(ALL, |_, _| {});
                writer.show_when(|world, _| world.contains_resource::<Uploads>());
            });
            let mut rig = uploading_rig(spawner, budget);
            rig.stream_mut().max_loaded_bytes = limit;
            let viewer = rig.viewer(0, 0);
            rig.frames(40);
            assert_eq!(rig.stream().loaded_bytes(), ALL);
            rig.app.init_resource::<Uploads>();
            rig.frames(40);
            rig.stream_mut().refresh_around(ChunkCoord::ORIGIN, 1);
            rig.frames(40);
            rig.app.world_mut().despawn(viewer);
            rig.settle();
            assert_eq!(rig.stream().loaded_bytes(), 0);
        }
    }
}

#[test]
fn a_stream_that_is_reset_or_started_again_counts_from_nothing() {
    let mut rig = uploading_rig(uploading(&[5]), ApplyBudget::unlimited());
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    let world = rig.app.world_mut();
    assert!(ChunkStream::<Pieces>::reset(world, Reset::Discard).is_ok());
    rig.settle();
    assert_eq!(rig.stream().loaded_bytes(), 0);
    rig.viewer(0, 0);
    rig.settle();
    let world = rig.app.world_mut();
    assert!(ChunkStream::<Pieces>::stop(world, Reset::Discard).is_ok());
    let mut plugin = ChunkStreamingPlugin::new(grid(), generator(), uploading(&[5]));
    plugin.config = config();
    plugin.runtime = rig.simulation.runtime();
    assert_eq!(plugin.start(rig.app.world_mut()), Ok(()));
    assert_eq!(rig.stream().loaded_bytes(), 0);
    rig.settle();
    assert_eq!(rig.stream().loaded_bytes(), 29 * 5);
}
