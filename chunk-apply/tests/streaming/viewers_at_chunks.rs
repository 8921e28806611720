//! Viewers whose place is a chunk and not a position.

use crate::rig::{CHUNK_SIZE, Rig, config, generator, middle_of, spawner};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_transform::components::{GlobalTransform, Transform};
use chunk_apply::{ChunkStreamingPlugin, ChunkViewer, ChunkViewerAt, ManualClock, StreamingConfig};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use std::time::Duration;

fn spawn(rig: &mut Rig, x: i32, z: i32) -> Entity {
    let viewer = ChunkViewerAt::new(ChunkCoord::planar(x, z));
    rig.app.world_mut().spawn(viewer).id()
}

fn viewer_mut(rig: &mut Rig, viewer: Entity) -> Mut<'_, ChunkViewerAt> {
    (rig.app.world_mut().get_mut(viewer)).expect("a viewer at a chunk")
}

#[test]
fn a_viewer_at_a_chunk_needs_no_transform() {
    let mut rig = Rig::new();
    let viewer = spawn(&mut rig, 7, -3);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert!(rig.index().contains(ChunkCoord::planar(7, -3)));
    let viewer = rig.app.world().entity(viewer);
    assert!(!viewer.contains::<Transform>() && !viewer.contains::<GlobalTransform>());
    assert_eq!(rig.stream().totals().invalid_positions, 0);
}

#[test]
fn a_viewer_at_a_chunk_moves_sees_and_lingers_like_any_other() {
    let mut rig = Rig::with_plugin(|plugin| {
        plugin.with_config(StreamingConfig {
            linger: Duration::from_millis(100),
            ..config()
        })
    });
    let viewer = spawn(&mut rig, 0, 0);
    rig.settle();
    viewer_mut(&mut rig, viewer).coord = ChunkCoord::planar(40, 0);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert!(rig.index().contains(ChunkCoord::planar(40, 0)));
    viewer_mut(&mut rig, viewer).range = Some(ViewRange::disc(5, 5).expect("equal radii"));
    rig.settle();
    assert_eq!(rig.index().len(), 81);
    rig.app.world_mut().despawn(viewer);
    rig.frames(5);
    assert_eq!(rig.index().len(), 81);
    assert_eq!(rig.stream().lingering().len(), 1);
    rig.settle();
    assert!(rig.index().is_empty());
}

#[test]
fn of_a_position_and_a_chunk_the_chunk_counts_and_it_is_one_viewer() {
    let mut rig = Rig::new();
    let at = ChunkViewerAt::new(ChunkCoord::planar(20, 0));
    let wide = ChunkViewer::with_range(ViewRange::disc(5, 5).expect("equal radii"));
    let viewer = rig.app.world_mut().spawn((wide, middle_of(0, 0), at)).id();
    // A transform alone makes no difference either.
    (rig.app.world_mut()).spawn((ChunkViewerAt::new(at.coord), middle_of(60, 60)));
    rig.settle();
    assert_eq!((rig.stream().viewers().len(), rig.index().len()), (2, 29));
    assert!(rig.index().contains(at.coord));
    rig.move_to(viewer, 90, 90);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    // Without the chunk, the position counts, and its range.
    (rig.app.world_mut().entity_mut(viewer)).remove::<ChunkViewerAt>();
    rig.settle();
    assert_eq!(rig.index().len(), 29 + 81);
    assert!(rig.index().contains(ChunkCoord::planar(90, 90)));
}

#[test]
fn the_chunk_does_not_depend_on_the_worlds_origin() {
    let mut rig = Rig::new();
    spawn(&mut rig, 3, 4);
    rig.settle();
    let before = rig.stream().scheduler().counters();
    rig.move_origin(ChunkCoord::planar(1_000, -5));
    rig.settle();
    assert_eq!(rig.stream().scheduler().counters(), before);
    assert!(rig.index().contains(ChunkCoord::planar(3, 4)));
}

#[test]
fn in_a_planar_grid_viewers_at_any_height_share_the_one_layer() {
    let mut rig = Rig::new();
    let world = rig.app.world_mut();
    world.spawn(ChunkViewerAt::new(ChunkCoord::new(0, 17, 0)));
    world.spawn(ChunkViewerAt::new(ChunkCoord::new(0, i32::MIN, 0)));
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert!(rig.index().iter().all(|(coord, _)| coord.y == 0));
}

#[test]
fn in_a_volume_the_height_counts() {
    let grid = ChunkGrid::volumetric(Vec3::splat(CHUNK_SIZE)).expect("10 is a size");
    let plugin = ChunkStreamingPlugin::new(grid, generator(), spawner()).with_config(config());
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let high = ChunkCoord::new(0, 17, 0);
    rig.app.world_mut().spawn(ChunkViewerAt::new(high));
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert!(rig.index().contains(high));
}

#[test]
fn a_viewer_at_the_last_chunk_of_the_world_wants_what_there_is() {
    let mut rig = Rig::new();
    spawn(&mut rig, i32::MAX, i32::MIN);
    rig.settle();
    // A quarter of the disc, with both of its edges.
    assert_eq!(rig.index().len(), 11);
    assert!(rig.index().contains(ChunkCoord::planar(i32::MAX, i32::MIN)));
}
