//! Levels of detail: the right one everywhere, never a hole, no flicker.

use crate::rig::{Pieces, Rig, config, grid, spawner};
use chunk_apply::{ChunkLevels, ChunkStreamingPlugin, ManualClock, StreamingConfig};
use chunk_coord::{ChunkCoord, LevelRings, ViewRange};
use chunk_scheduler::{Generator, Job};

/// Chunks have as many pieces as their level, and one more.
fn rig(hysteresis: u32) -> (Rig, ChunkLevels) {
    let rings = LevelRings::new([1, 3], hysteresis).expect("3 is more than 1");
    let levels = ChunkLevels::new(rings);
    let asked = levels.clone();
    let generator =
        Generator::new(move |job: &Job<ChunkCoord>| Pieces(usize::from(asked.of(job.key())) + 1));
    let config = StreamingConfig {
        range: Some(ViewRange::disc(5, 6).expect("6 is not less than 5")),
        ..config()
    };
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config)
        .with_levels(levels.clone());
    (Rig::build(ManualClock::default(), plugin), levels)
}

fn expected_level(coord: ChunkCoord, viewer: ChunkCoord) -> usize {
    match coord.distance_sq(viewer) {
        0..=1 => 0,
        2..=9 => 1,
        _ => 2,
    }
}

#[test]
fn each_chunk_is_made_at_the_level_of_its_ring_and_anew_when_that_changes() {
    let (mut rig, levels) = rig(0);
    let viewer = rig.viewer(0, 0);
    for x in 0..12 {
        rig.move_to(viewer, x, 0);
        rig.settle();
        let centre = ChunkCoord::planar(x, 0);
        for (coord, chunk) in rig.index().iter() {
            assert_eq!(
                chunk.entities,
                expected_level(coord, centre) + 1,
                "{coord:?}"
            );
            assert_eq!(usize::from(levels.of(coord)), expected_level(coord, centre));
        }
        assert!(rig.index().len() >= 81);
    }
}

#[test]
fn while_levels_change_no_chunk_is_missing_for_a_frame() {
    let (mut rig, _) = rig(0);
    rig.stream_mut().budget.chunks = Some(2);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    for x in 1..4 {
        rig.move_to(viewer, x, 0);
        for _ in 0..10 {
            let before: Vec<ChunkCoord> = rig.index().iter().map(|(coord, _)| coord).collect();
            rig.frame();
            for coord in before {
                let is_gone = rig.stream().wanted().contains(coord) && !rig.index().contains(coord);
                assert!(!is_gone, "{coord:?} left a hole");
            }
        }
    }
}

#[test]
fn swaying_over_the_border_of_a_ring_makes_nothing_anew() {
    let (mut rig, _) = rig(1);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 1, 0);
    rig.settle();
    rig.move_to(viewer, 0, 0);
    rig.settle();
    let before = rig.stream().scheduler().counters();
    for step in 0..50 {
        rig.move_to(viewer, (step + 1) % 2, 0);
        rig.frame();
    }
    assert_eq!(rig.stream().scheduler().counters(), before);
}
