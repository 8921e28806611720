//! What a frame may cost, to the slice.

use crate::rig::{Piece, Pieces, Rig, config, generator, two_chunks_a_frame};
#[cfg(feature = "visibility")]
use bevy_camera::visibility::Visibility;
use bevy_ecs::prelude::*;
#[cfg(feature = "visibility")]
use chunk_apply::ChunkRoot;
use chunk_apply::{ApplyBudget, ChunkWriter, ManualClock, Spawner, StreamingConfig};
use chunk_coord::{ChunkCoord, ViewRange};
use std::time::Duration;

const COST: Duration = Duration::from_micros(1);

/// Chunks of so many pieces that take a microsecond each.
fn slow_rig(pieces: usize, radius: u32, budget: ApplyBudget) -> Rig {
    let clock = ManualClock::default();
    let slow = clock.clone();
    let spawner = Spawner::new(
        move |_coord, _content: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let slow = slow.clone();
            writer.spawn_batch((0..pieces).map(move |piece| {
                slow.advance(COST);
                Piece(piece)
            }));
        },
    );
    let config = StreamingConfig {
        range: Some(ViewRange::disc(radius, radius).expect("equal radii")),
        budget,
        ..config()
    };
    Rig::on(clock, generator(), spawner, config)
}

#[test]
fn a_heavy_chunk_takes_several_frames_each_within_the_budget_and_is_seen_when_whole() {
    let budget = Duration::from_micros(1_000);
    let mut rig = slow_rig(10_000, 0, ApplyBudget::time(budget));
    rig.viewer(0, 0);
    let mut frames = 0;
    while rig.index().is_empty() {
        rig.frame();
        let spent = rig.stream().last_frame().apply.spent;
        assert!(spent <= budget, "{spent:?}");
        assert!(rig.loaded().is_empty() || !rig.index().is_empty());
        if rig.index().is_empty() && rig.pieces() > 0 {
            frames += 1;
            #[cfg(feature = "visibility")]
            expect_one_root(&mut rig, Visibility::Hidden);
        }
    }
    // Ten frames of 1,000 pieces; the first ones start with shorter slices.
    assert!((9..=11).contains(&frames), "{frames}");
    assert_eq!(rig.pieces(), 10_000);
    assert_eq!(rig.index().len(), 1);
    #[cfg(feature = "visibility")]
    expect_one_root(&mut rig, Visibility::Inherited);
}

#[cfg(feature = "visibility")]
fn expect_one_root(rig: &mut Rig, expected: Visibility) {
    let world = rig.app.world_mut();
    let mut roots = world.query_filtered::<&Visibility, With<ChunkRoot>>();
    let seen: Vec<_> = roots.iter(world).collect();
    assert_eq!(seen, [&expected]);
}

#[test]
fn pieces_are_spawned_once_and_in_order_across_slices() {
    let mut rig = slow_rig(5_000, 0, ApplyBudget::time(Duration::from_micros(100)));
    rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    let world = rig.app.world();
    let pieces: Vec<usize> = (world.get::<Children>(root).into_iter().flatten())
        .filter_map(|child| world.get::<Piece>(*child).map(|piece| piece.0))
        .collect();
    assert!(pieces.iter().copied().eq(0..5_000));
}

#[test]
fn a_budget_of_no_time_still_advances_each_frame() {
    let mut rig = slow_rig(40, 1, ApplyBudget::time(Duration::ZERO));
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.index().len(), 5);
    assert_eq!(rig.pieces(), 200);
}

#[test]
fn a_count_limits_the_chunks_of_a_frame() {
    let mut rig = slow_rig(10, 3, two_chunks_a_frame());
    rig.viewer(0, 0);
    let mut per_frame = Vec::new();
    while per_frame.iter().sum::<usize>() < 29 {
        rig.frame();
        per_frame.push(rig.loaded().len());
    }
    assert!(per_frame.iter().all(|count| *count <= 2));
    assert_eq!(per_frame.iter().filter(|count| **count == 2).count(), 14);
}

#[test]
fn whichever_limit_is_met_first_ends_the_frame() {
    let budget = ApplyBudget {
        chunks: Some(3),
        ..ApplyBudget::time(Duration::from_micros(150))
    };
    // 100 µs a chunk: time admits one or two, the count three.
    let mut rig = slow_rig(100, 3, budget);
    rig.viewer(0, 0);
    let mut most = 0;
    while rig.index().len() < 29 {
        rig.frame();
        most = most.max(rig.loaded().len());
    }
    assert!(most <= 2, "{most}");
}

#[test]
fn a_count_of_zero_applies_nothing() {
    let budget = ApplyBudget {
        chunks: Some(0),
        ..ApplyBudget::unlimited()
    };
    let mut rig = slow_rig(1, 3, budget);
    rig.viewer(0, 0);
    rig.frames(20);
    assert_eq!(rig.pieces(), 0);
    assert_eq!(rig.stream().scheduler().depths().backlog, 29);
}

#[test]
fn the_budget_can_change_while_streaming() {
    let mut rig = slow_rig(100, 3, two_chunks_a_frame());
    rig.viewer(0, 0);
    rig.frames(3);
    assert!(rig.index().len() < 10);
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.frame();
    assert_eq!(rig.index().len(), 29);
}

#[test]
fn unloading_goes_on_while_loading_is_busy() {
    let mut rig = slow_rig(200, 3, ApplyBudget::time(Duration::from_micros(100)));
    let viewer = rig.viewer(0, 0);
    rig.settle();
    // Always somewhere new: loading never rests.
    for step in 1..400 {
        rig.move_to(viewer, step / 4 * 10, 0);
        rig.frame();
    }
    let waiting = rig.stream().unloading();
    assert!(waiting < 40, "{waiting} chunks wait to be unloaded");
}

#[test]
fn a_frame_at_rest_does_nothing() {
    let mut rig = slow_rig(10, 3, ApplyBudget::DEFAULT);
    rig.viewer(0, 0);
    rig.settle();
    rig.frame();
    let frame = rig.stream().last_frame();
    assert_eq!(frame.apply, chunk_apply::ApplyReport::default());
    assert_eq!(frame.main_thread(), Duration::ZERO);
}

#[test]
fn a_full_table_grows_also_without_any_time() {
    let mut rig = slow_rig(2_000, 0, ApplyBudget::time(Duration::ZERO));
    rig.viewer(0, 0);
    let mut frames = 0;
    while rig.index().is_empty() {
        rig.frame();
        frames += 1;
        // Five pieces a frame, as long as a slice is owed.
        assert!(
            frames < 1_000,
            "{} pieces after {frames} frames",
            rig.pieces()
        );
    }
    assert_eq!(rig.pieces(), 2_000);
}
