//! Which chunk does not wait for one that takes many frames.

use crate::rig::{Piece, Pieces, Rig, config, generator};
use chunk_apply::{ApplyBudget, ChunkWriter, ManualClock, Spawner, StreamingConfig};
use chunk_coord::ChunkCoord;
use chunk_scheduler::Lane;
use std::time::Duration;

/// Chunks of 100 pieces of 10 µs under a budget of 100 µs, so that each takes eleven frames.
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
    let config = StreamingConfig {
        budget: ApplyBudget::unlimited(),
        ..config()
    };
    Rig::on(clock, generator(), spawner, config)
}

/// Frames until the chunk at this coordinate was loaded anew, and what was loaded before it.
fn frames_until_loaded(rig: &mut Rig, coord: ChunkCoord) -> (usize, Vec<ChunkCoord>) {
    let mut before = Vec::new();
    for frames in 1..2_000 {
        rig.frame();
        for chunk in rig.loaded() {
            if chunk.coord == coord {
                return (frames, before);
            }
            before.push(chunk.coord);
        }
    }
    panic!("{coord:?} is never loaded");
}

#[test]
fn an_edit_does_not_wait_for_a_chunk_that_is_half_spawned() {
    let mut rig = slow_rig();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget::time(Duration::from_micros(100));
    let far = ChunkCoord::planar(3, 0);
    rig.stream_mut().refresh_in(far, Lane::Normal);
    while rig.stream().partial().is_none_or(|(_, pieces)| pieces < 20) {
        rig.frame();
    }
    let half = rig.stream().partial().map(|(_, pieces)| pieces);
    rig.loaded();
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    let (_, before) = frames_until_loaded(&mut rig, ChunkCoord::ORIGIN);
    assert_eq!(before, [], "nothing came before it");
    // The other goes on where it stopped.
    assert!(rig.stream().partial().map(|(_, pieces)| pieces) >= half);
    rig.settle();
    assert_eq!(rig.pieces(), 29 * 100);
    assert_eq!(rig.stream().scheduler().counters().applied, 29 + 2);
}

#[test]
fn a_near_chunk_does_not_wait_for_a_far_one_that_is_half_spawned() {
    let mut rig = slow_rig();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget::time(Duration::from_micros(100));
    let (far, near) = (ChunkCoord::planar(3, 0), ChunkCoord::planar(1, 0));
    rig.stream_mut().refresh_in(far, Lane::Normal);
    while rig.stream().partial().is_none() {
        rig.frame();
    }
    rig.loaded();
    rig.stream_mut().refresh_in(near, Lane::Normal);
    assert_eq!(frames_until_loaded(&mut rig, near).1, []);
    // One of the same ring waits until it is whole.
    let same = ChunkCoord::planar(0, 3);
    while rig.stream().partial().is_none() {
        rig.frame();
    }
    rig.stream_mut().refresh_in(same, Lane::Normal);
    assert_eq!(frames_until_loaded(&mut rig, same).1, [far]);
    rig.settle();
}

#[test]
fn a_chunk_overtaken_and_then_not_wanted_goes_at_once() {
    let mut rig = slow_rig();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget::time(Duration::from_micros(100));
    let far = ChunkCoord::planar(3, 0);
    rig.stream_mut().refresh_in(far, Lane::Normal);
    while rig.stream().partial().is_none() {
        rig.frame();
    }
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    while rig.stream().partial().is_none_or(|(coord, _)| coord == far) {
        rig.frame();
    }
    // Both are half spawned; the far one is superseded.
    rig.stream_mut().refresh_in(far, Lane::Normal);
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert_eq!(rig.pieces(), 29 * 100);
    let counters = rig.stream().scheduler().counters();
    assert_eq!((counters.applied, counters.stale), (29 + 2, 1));
}
