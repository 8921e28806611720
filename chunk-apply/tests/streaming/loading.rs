//! From wanted to shown.

use crate::rig::{
    CHUNK_SIZE, PIECES, Piece, Pieces, Rig, config, generator, spawner, two_chunks_a_frame,
};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{ApplyBudget, ChunkRoot, ChunkWriter, ManualClock, Spawner, StreamingConfig};
use chunk_coord::{ChunkCoord, ViewRange};
use chunk_scheduler::{JobState, Lane, SchedulerConfig};
use std::time::Duration;

#[test]
fn without_viewers_nothing_happens() {
    let mut rig = Rig::new();
    rig.frames(10);
    assert!(rig.index().is_empty());
    assert_eq!(rig.stream().scheduler().counters().requested, 0);
    assert!(rig.stream().is_settled());
}

#[test]
fn every_chunk_in_the_load_radius_appears_and_no_other() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    for x in -4..=4 {
        for z in -4..=4 {
            let coord = ChunkCoord::planar(x, z);
            let is_wanted = x * x + z * z <= 9;
            assert_eq!(rig.index().contains(coord), is_wanted, "{coord:?}");
        }
    }
    assert_eq!(rig.pieces(), 29 * PIECES);
    assert_eq!(rig.index().entities(), 29 * PIECES);
}

#[test]
fn the_nearest_chunks_appear_first() {
    let config = StreamingConfig {
        budget: ApplyBudget {
            chunks: Some(1),
            ..ApplyBudget::unlimited()
        },
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner(), config);
    rig.viewer(5, -2);
    let mut distances = Vec::new();
    while !rig.stream().is_settled() || distances.is_empty() {
        rig.frame();
        distances.extend(rig.loaded().iter().map(|chunk| {
            let viewer = ChunkCoord::planar(5, -2);
            chunk.coord.distance_sq(viewer)
        }));
    }
    assert_eq!(distances.len(), 29);
    assert!(distances.is_sorted(), "{distances:?}");
}

#[test]
fn entities_are_children_of_a_root_that_stands_at_the_chunks_corner() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    let coord = ChunkCoord::planar(-2, 1);
    let root = rig.index().root(coord).expect("the chunk is loaded");
    let world = rig.app.world();
    let corner = Vec3::new(-2.0 * CHUNK_SIZE, 0.0, CHUNK_SIZE);
    assert_eq!(
        world.get::<Transform>(root).map(|at| at.translation),
        Some(corner)
    );
    assert_eq!(world.get::<ChunkRoot>(root), Some(&ChunkRoot { coord }));
    let children: Vec<usize> = (world.get::<Children>(root).into_iter().flatten())
        .filter_map(|child| world.get::<Piece>(*child))
        .map(|piece| piece.0)
        .collect();
    assert_eq!(children, [0, 1, 2, 3, 4]);
}

#[test]
fn despawning_the_root_removes_the_chunk() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    rig.app.world_mut().despawn(root);
    assert_eq!(rig.pieces(), 28 * PIECES);
}

#[test]
fn a_chunk_that_waits_to_be_applied_is_not_generated_again() {
    let config = StreamingConfig {
        budget: two_chunks_a_frame(),
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner(), config);
    rig.viewer(0, 0);
    rig.settle();
    let counters = rig.stream().scheduler().counters();
    assert_eq!(counters.requested, 29);
    assert_eq!(counters.generated, 29);
    assert_eq!(counters.applied, 29);
}

#[test]
fn an_empty_chunk_is_loaded_without_entities() {
    let generator = chunk_scheduler::Generator::new(|_: &_| Pieces(0));
    let mut rig = Rig::with(generator, spawner(), config());
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert_eq!(rig.index().entities(), 0);
}

#[test]
fn a_known_empty_chunk_is_loaded_without_a_job() {
    let generator =
        generator().with_known_empty(|coord: &ChunkCoord| (coord.x < 0).then_some(Pieces(0)));
    let mut rig = Rig::with(generator, spawner(), config());
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    let counters = rig.stream().scheduler().counters();
    assert_eq!(counters.known_empty, 11);
    assert_eq!(counters.generated, 18);
}

#[test]
fn no_more_jobs_are_in_flight_than_allowed_and_the_limit_can_change() {
    let config = StreamingConfig {
        scheduler: SchedulerConfig {
            max_in_flight: 2,
            ..SchedulerConfig::default()
        },
        ..config()
    };
    let mut rig = Rig::with(waiting_generator(), spawner(), config);
    rig.viewer(0, 0);
    rig.frame();
    assert_eq!(rig.stream().scheduler().depths().in_flight, 2);
    rig.stream_mut().set_max_in_flight(5).expect("5 is fine");
    rig.frame();
    assert_eq!(rig.stream().scheduler().depths().in_flight, 5);
    let refused = rig.stream_mut().set_max_in_flight(0);
    assert!(refused.is_err_and(|error| error.to_string().contains('0')));
}

/// A generator that never ends.
fn waiting_generator() -> chunk_scheduler::Generator<ChunkCoord, Pieces> {
    chunk_scheduler::Generator::from_async(|_job| async {
        core::future::pending::<()>().await;
        Ok::<_, String>(Pieces(0))
    })
}

#[test]
fn what_the_spawner_puts_on_the_root_is_there() {
    #[derive(Component, PartialEq, Debug)]
    struct Height(usize);
    let spawner = Spawner::new(|_coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.insert_on_root(Height(pieces.0));
        let root = writer.root();
        writer.run(move |world, given| {
            assert_eq!(root, given);
            world.spawn((Piece(99), ChildOf(given)));
        });
    });
    let mut rig = Rig::with(generator(), spawner, config());
    rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    assert_eq!(rig.app.world().get::<Height>(root), Some(&Height(PIECES)));
    assert_eq!(rig.pieces(), 29);
}

#[test]
fn a_loaded_message_tells_how_long_it_took() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.frame();
    assert!(rig.loaded().is_empty());
    rig.frame();
    let loaded = rig.loaded();
    assert_eq!(loaded.len(), 29);
    let latency = Duration::from_millis(16);
    assert!(loaded.iter().all(|chunk| chunk.latency == latency));
    assert!(loaded.iter().all(|chunk| chunk.entities == PIECES));
}

#[test]
fn an_iterator_that_promises_far_more_than_it_has_costs_no_memory() {
    let spawner = Spawner::new(|_coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        // Its upper bound is four billion.
        let few = (0..u32::MAX as usize).take_while(move |piece| *piece < pieces.0);
        writer.spawn_batch(few.map(Piece));
    });
    let mut rig = Rig::with(generator(), spawner, config());
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.pieces(), 29 * PIECES);
}

#[test]
fn no_chunk_is_applied_before_a_nearer_one_that_waits() {
    let mut compared = 0;
    for seed in 0..12_u32 {
        let clock = ManualClock::default();
        let slow = clock.clone();
        let spawner = Spawner::new(move |_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let slow = slow.clone();
            writer.spawn_batch((0..pieces.0).map(move |piece| {
                slow.advance(Duration::from_micros(20));
                Piece(piece)
            }));
        });
        let micros = [0, 100, 400, 2_000][seed as usize % 4];
        let config = StreamingConfig {
            range: Some(ViewRange::disc(6, 8).expect("8 is more")),
            budget: ApplyBudget::time(Duration::from_micros(micros)),
            ..config()
        };
        let mut rig = Rig::on(clock, generator(), spawner, config);
        let viewer = rig.viewer(0, 0);
        let (mut random, mut at) = (seed, (0, 0));
        for frame in 0..400 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match random >> 28 {
                0 => at = ((random >> 8) as i32 % 40, (random >> 16) as i32 % 40),
                1..5 => at.0 += 1,
                5..8 => at.1 -= 1,
                8 => {
                    let coord = ChunkCoord::planar(at.0 + 1, at.1);
                    rig.stream_mut().refresh_in(coord, Lane::Normal);
                }
                _ => {}
            }
            rig.move_to(viewer, at.0, at.1);
            let begun = rig.stream().partial().map(|(coord, _)| coord);
            rig.frame();
            let here = ChunkCoord::planar(at.0, at.1);
            let distance_sq = |coord: ChunkCoord| coord.distance_sq(here);
            let shown: Vec<ChunkCoord> = rig.loaded().iter().map(|chunk| chunk.coord).collect();
            let scheduler = rig.stream().scheduler();
            let waits = |coord: &ChunkCoord| scheduler.state(*coord) == Some(JobState::Delivered);
            let waiting = rig.stream().wanted().iter().filter(waits);
            let Some(nearest) = waiting.map(distance_sq).min() else {
                continue;
            };
            for coord in shown.into_iter().filter(|coord| Some(*coord) != begun) {
                compared += 1;
                assert!(
                    distance_sq(coord) <= nearest,
                    "{coord} in frame {frame} of {seed}"
                );
            }
        }
    }
    assert!(compared > 100, "{compared}");
}
