//! When a stream says that everything is done.

use crate::rig::{Pieces, Rig, Runs, config, generator, middle_of, spawner, viewers_have_ground};
use bevy_app::{First, Last};
use bevy_ecs::{
    prelude::*,
    system::{RunSystemOnce, SystemState},
};
use chunk_apply::{
    ChunkStream, ChunkStreamNow, ChunkViewer, DespawnedRoots, Reset, StreamingConfig,
    chunks_are_settled,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use std::time::Duration;

/// Whether everything is done for the viewers as they are.
fn is_settled_now(rig: &mut Rig) -> bool {
    let world = rig.app.world_mut();
    let mut state: SystemState<ChunkStreamNow<Pieces>> = SystemState::new(world);
    let is_settled = state.get(world).expect("it can be fetched").is_settled();
    let condition = world.run_system_once(chunks_are_settled::<Pieces>);
    assert_eq!(condition.ok(), Some(is_settled));
    is_settled
}

#[test]
fn before_the_first_scan_nothing_is_settled() {
    let mut rig = Rig::new();
    assert!(!rig.stream().is_settled());
    assert!(!is_settled_now(&mut rig));
    // Nobody wants anything, and a scan has seen that.
    rig.frame();
    assert!(rig.stream().is_settled());
    assert!(is_settled_now(&mut rig));
    let mut paused = Rig::new();
    paused.stream_mut().pause();
    paused.viewer(0, 0);
    paused.frames(3);
    assert!(!paused.stream().is_settled());
}

#[test]
fn a_viewer_that_came_went_moved_or_changed_its_range_is_noticed_before_the_scan() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    assert!(is_settled_now(&mut rig));
    // Within its chunk it wants nothing new.
    rig.app.world_mut().entity_mut(viewer).insert({
        let mut place = middle_of(0, 0);
        place.translation.x += 1.0;
        place
    });
    assert!(is_settled_now(&mut rig));
    rig.move_to(viewer, 70, 0);
    assert!(rig.stream().is_settled(), "as of the last scan");
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    assert!(is_settled_now(&mut rig));
    let range = ViewRange::disc(1, 1).expect("equal radii");
    let own = ChunkViewer::with_range(range);
    rig.app.world_mut().entity_mut(viewer).insert(own);
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    let second = rig.viewer(0, 0);
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    rig.app.world_mut().despawn(second);
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    assert!(is_settled_now(&mut rig));
}

#[test]
fn a_viewer_that_moves_with_its_parent_or_with_the_origin_is_noticed() {
    let mut rig = Rig::new();
    let ship = rig.app.world_mut().spawn(middle_of(0, 0)).id();
    let viewer = (ChunkViewer::default(), ChildOf(ship));
    rig.app.world_mut().spawn(viewer);
    rig.settle();
    assert!(is_settled_now(&mut rig));
    rig.move_to(ship, 1, 0);
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    rig.move_origin(ChunkCoord::planar(9, 9));
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    assert!(is_settled_now(&mut rig));
}

#[test]
fn a_viewer_without_a_valid_position_counts_where_it_last_was() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let nowhere = bevy_transform::components::Transform::from_xyz(f32::NAN, 0.0, 0.0);
    rig.app.world_mut().entity_mut(viewer).insert(nowhere);
    assert!(is_settled_now(&mut rig));
    rig.settle();
    assert!(is_settled_now(&mut rig));
    // Of a range that does not fit, one layer counts.
    let sphere = ViewRange::sphere(3, 4).expect("4 is not less than 3");
    rig.stream_mut().range = Some(sphere);
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    assert!(is_settled_now(&mut rig));
}

#[test]
fn what_is_asked_of_the_stream_itself_counts_at_once() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().range = Some(ViewRange::disc(5, 6).expect("6 is not less than 5"));
    assert!(!rig.stream().is_settled());
    rig.settle();
    assert_eq!(rig.index().len(), 81);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    assert!(!rig.stream().is_settled());
    rig.settle();
    let _ = ChunkStream::<Pieces>::reset(rig.app.world_mut(), Reset::Discard);
    assert!(!rig.stream().is_settled());
    rig.settle();
    rig.stream_mut()
        .set_grid(ChunkGrid::planar(20.0).expect("20 is a size"));
    assert!(!rig.stream().is_settled());
    rig.settle();
}

#[test]
fn a_root_that_is_to_be_made_again_is_noticed_at_once() {
    let config = StreamingConfig {
        despawned_roots: DespawnedRoots::MakeAgain,
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner(), config);
    rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    rig.app.world_mut().despawn(root);
    assert!(!is_settled_now(&mut rig));
    rig.settle();
    assert!(is_settled_now(&mut rig));
    assert_eq!(rig.index().len(), 29);
}

#[test]
fn a_viewer_that_lingers_is_not_settled_until_what_it_wanted_is_gone() {
    let mut rig = Rig::new();
    rig.stream_mut().linger = Duration::from_millis(100);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    rig.frame();
    assert!(!rig.stream().is_settled() && !is_settled_now(&mut rig));
    assert_eq!(rig.index().len(), 29);
    rig.settle();
    assert_eq!(rig.index().len(), 0);
    assert!(is_settled_now(&mut rig));
}

#[test]
fn a_system_that_waits_for_the_world_never_runs_without_it() {
    let mut rig = Rig::new();
    // One is asked before the scan and one after it.
    rig.app.init_resource::<Runs>().add_systems(
        First,
        viewers_have_ground.run_if(chunks_are_settled::<Pieces>),
    );
    rig.app.add_systems(
        Last,
        viewers_have_ground.run_if(chunks_are_settled::<Pieces>),
    );
    let viewer = rig.viewer(0, 0);
    for step in 0..60 {
        if step % 6 == 0 {
            rig.move_to(viewer, 20 * step, 0);
        }
        rig.frame();
    }
    assert!(rig.app.world().resource::<Runs>().0 > 20);
}
