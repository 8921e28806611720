//! Viewers that vanish for a moment.

use crate::rig::{Rig, config, generator, grid, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{ChunkLevels, ChunkStreamingPlugin, ChunkViewer, ManualClock, StreamingConfig};
use chunk_coord::{ChunkCoord, ChunkGrid, LevelRings};
use chunk_scheduler::Counters;
use std::time::Duration;

/// A stream in which viewers linger for 100 ms, which are seven frames.
fn rig() -> Rig {
    let config = StreamingConfig {
        linger: Duration::from_millis(100),
        ..config()
    };
    Rig::with(generator(), spawner(), config)
}

fn counters(rig: &Rig) -> Counters {
    rig.stream().scheduler().counters()
}

#[test]
fn a_viewer_that_is_missing_for_a_few_frames_unloads_nothing() {
    for missing in [0, 1, 5] {
        let mut rig = rig();
        let viewer = rig.viewer(0, 0);
        rig.settle();
        rig.loaded();
        let before = counters(&rig);
        rig.app.world_mut().despawn(viewer);
        rig.frames(missing);
        assert_eq!(rig.stream().lingering().len(), missing.min(1));
        rig.viewer(0, 0);
        rig.settle();
        assert_eq!(counters(&rig), before, "{missing}");
        assert!(rig.unloaded().is_empty() && rig.loaded().is_empty());
        assert_eq!(rig.stream().viewers().len(), 1);
    }
}

#[test]
fn a_viewer_that_stays_away_is_forgotten_after_the_time() {
    let mut rig = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    // Seen to be gone by the first of them.
    rig.frames(7);
    assert_eq!(rig.index().len(), 29);
    rig.frames(2);
    assert_eq!((rig.index().len(), rig.stream().viewers().len()), (0, 0));
    rig.settle();
    assert_eq!(rig.pieces(), 0);
}

#[test]
fn without_a_time_what_a_viewer_wanted_goes_in_the_next_scan() {
    let mut rig = rig();
    rig.stream_mut().linger = Duration::ZERO;
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    rig.frame();
    assert_eq!(rig.index().len(), 0);
}

#[test]
fn a_component_that_is_removed_and_inserted_again_is_the_same_viewer() {
    let mut rig = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = counters(&rig);
    (rig.app.world_mut().entity_mut(viewer)).remove::<ChunkViewer>();
    rig.frames(3);
    (rig.app.world_mut().entity_mut(viewer)).insert(ChunkViewer::default());
    rig.frame();
    assert_eq!(
        (rig.stream().viewers().len(), rig.stream().lingering().len()),
        (1, 0)
    );
    rig.settle();
    assert_eq!(counters(&rig), before);
}

#[test]
fn levels_do_not_change_while_a_viewer_is_missing() {
    let levels = ChunkLevels::new(LevelRings::new([1], 0).expect("one ring"));
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(StreamingConfig {
            linger: Duration::from_millis(100),
            ..config()
        })
        .with_levels(levels);
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = counters(&rig);
    rig.app.world_mut().despawn(viewer);
    rig.frames(3);
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(counters(&rig), before);
}

#[test]
fn a_viewer_that_is_made_anew_elsewhere_in_each_frame_leaves_one_place_behind() {
    let mut rig = rig();
    rig.stream_mut().linger = Duration::from_secs(3600);
    let mut viewer = rig.viewer(0, 0);
    let mut most = 0;
    for step in 1..40 {
        rig.frame();
        rig.app.world_mut().despawn(viewer);
        viewer = rig.viewer(100 * step, 0);
        most = most.max(rig.stream().wanted().len());
        assert!(rig.stream().lingering().len() <= 1);
    }
    assert_eq!(most, 2 * 29);
}

#[test]
fn all_of_many_viewers_linger_when_they_vanish_at_once() {
    let mut rig = rig();
    let all: Vec<Entity> = (0..20).map(|n| rig.viewer(20 * n, 0)).collect();
    rig.settle();
    let before = counters(&rig);
    for viewer in all {
        rig.app.world_mut().despawn(viewer);
    }
    rig.frames(2);
    assert_eq!(rig.stream().lingering().len(), 20);
    for n in 0..20 {
        rig.viewer(20 * n, 0);
    }
    rig.settle();
    assert_eq!(counters(&rig), before);
    assert_eq!(rig.index().len(), 20 * 29);
}

#[test]
fn a_new_grid_forgets_who_vanished() {
    let double = || ChunkGrid::planar(20.0).expect("20 is a size");
    let mut rig = rig();
    rig.stream_mut().linger = Duration::from_secs(3600);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    rig.frame();
    assert_eq!(rig.stream().lingering().len(), 1);
    rig.stream_mut().set_grid(double());
    rig.settle();
    assert_eq!((rig.index().len(), rig.stream().viewers().len()), (0, 0));
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    rig.stream_mut().set_grid(grid());
    rig.settle();
    assert_eq!(rig.index().len(), 0);
}

#[test]
fn a_shorter_time_counts_for_those_that_vanished_before() {
    let mut rig = rig();
    rig.stream_mut().linger = Duration::from_secs(3600);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    rig.frames(100);
    assert!(rig.index().contains(ChunkCoord::ORIGIN));
    rig.stream_mut().linger = Duration::ZERO;
    rig.settle();
    assert_eq!(rig.index().len(), 0);
}
