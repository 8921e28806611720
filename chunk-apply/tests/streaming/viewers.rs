//! Who wants chunks, and from where.

use crate::rig::{Rig, config, generator, middle_of, spawner};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkViewer, StreamingConfig};
use chunk_coord::{ChunkCoord, ViewRange};

#[test]
fn the_wanted_chunks_are_the_union_over_all_viewers() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.viewer(100, 100);
    rig.settle();
    assert_eq!(rig.index().len(), 2 * 29);
    rig.viewer(1, 0);
    rig.settle();
    assert_eq!(rig.index().len(), 2 * 29 + 7);
}

#[test]
fn a_viewer_may_see_farther_than_the_others() {
    let mut rig = Rig::new();
    let range = ViewRange::disc(5, 5).expect("equal radii");
    let viewer = ChunkViewer::with_range(range);
    rig.app.world_mut().spawn((viewer, middle_of(0, 0)));
    rig.settle();
    assert_eq!(rig.index().len(), 81);
}

#[test]
fn a_viewer_that_is_a_child_counts_where_it_is_in_the_world() {
    let mut rig = Rig::new();
    let world = rig.app.world_mut();
    let ship = world.spawn(middle_of(50, 0)).id();
    let cabin = world.spawn((Transform::IDENTITY, ChildOf(ship))).id();
    world.spawn((ChunkViewer::default(), Transform::IDENTITY, ChildOf(cabin)));
    rig.settle();
    assert!(rig.index().contains(ChunkCoord::planar(50, 0)));
    assert!(!rig.index().contains(ChunkCoord::ORIGIN));
}

#[test]
fn a_viewer_without_a_finite_position_stays_where_it_last_was() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX] {
        let mut transform = (rig.app.world_mut())
            .get_mut::<Transform>(viewer)
            .expect("a viewer");
        transform.translation.x = bad;
        rig.settle();
        assert_eq!(rig.index().len(), 29, "{bad}");
        assert!(rig.index().contains(ChunkCoord::ORIGIN));
    }
    assert!(rig.stream().totals().invalid_positions >= 4);
    rig.move_to(viewer, 40, 0);
    rig.settle();
    assert!(rig.index().contains(ChunkCoord::planar(40, 0)));
}

#[test]
fn a_viewer_that_never_had_a_position_wants_nothing() {
    let mut rig = Rig::new();
    let nowhere = Transform::from_xyz(f32::NAN, 0.0, 0.0);
    rig.app.world_mut().spawn((ChunkViewer::default(), nowhere));
    rig.settle();
    assert!(rig.index().is_empty());
}

#[test]
fn swaying_inside_the_hysteresis_loads_and_unloads_nothing() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.move_to(viewer, 1, 0);
    rig.settle();
    let before = rig.stream().scheduler().counters();
    rig.loaded();
    rig.unloaded();
    for step in 0..200 {
        rig.move_to(viewer, step % 2, 0);
        rig.frame();
    }
    assert_eq!(rig.stream().scheduler().counters(), before);
    assert!(rig.loaded().is_empty());
    assert!(rig.unloaded().is_empty());
}

#[test]
fn the_range_can_change_while_streaming() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().range = ViewRange::disc(1, 1).expect("equal radii");
    rig.settle();
    assert_eq!(rig.index().len(), 5);
    rig.stream_mut().range = ViewRange::disc(5, 6).expect("6 is not less than 5");
    rig.settle();
    assert_eq!(rig.index().len(), 81);
}

#[test]
fn a_radius_of_zero_wants_the_viewers_own_chunk() {
    let config = StreamingConfig {
        range: ViewRange::disc(0, 0).expect("equal radii"),
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner(), config);
    rig.viewer(3, 4);
    rig.settle();
    assert_eq!(rig.index().len(), 1);
    assert!(rig.index().contains(ChunkCoord::planar(3, 4)));
}

#[test]
fn a_viewer_at_the_end_of_the_world_wants_what_there_is() {
    let mut rig = Rig::new();
    rig.stream_mut()
        .set_origin(ChunkCoord::planar(i32::MAX, i32::MIN));
    rig.viewer(0, 0);
    rig.settle();
    // A quarter of the disc, with both of its edges.
    assert_eq!(rig.index().len(), 11);
    assert!(rig.index().contains(ChunkCoord::planar(i32::MAX, i32::MIN)));
}

#[test]
fn a_viewer_beyond_the_end_of_the_world_stays_where_it_last_was() {
    let mut rig = Rig::new();
    let end = ChunkCoord::planar(i32::MAX, 0);
    rig.stream_mut().set_origin(end);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let loaded = rig.index().len();
    rig.move_to(viewer, 3, 0);
    rig.settle();
    assert_eq!(rig.index().len(), loaded);
    assert_eq!(rig.stream().viewers()[0].coord, end);
    assert!(rig.stream().totals().invalid_positions > 0);
}
