//! Who wants chunks, and from where.

use crate::rig::{
    CHUNK_SIZE, Pieces, Rig, config, generator, grid, middle_of, spawner, two_chunks_a_frame,
};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{
    ChunkStreamingPlugin, ChunkViewer, ManualClock, StreamingConfig, StreamingConfigError,
};
use chunk_coord::{ChunkCoord, ChunkGrid, Footprint, ViewRange};

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
    rig.stream_mut().range = Some(ViewRange::disc(1, 1).expect("equal radii"));
    rig.settle();
    assert_eq!(rig.index().len(), 5);
    rig.stream_mut().range = Some(ViewRange::disc(5, 6).expect("6 is not less than 5"));
    rig.settle();
    assert_eq!(rig.index().len(), 81);
}

#[test]
fn a_radius_of_zero_wants_the_viewers_own_chunk() {
    let config = StreamingConfig {
        range: Some(ViewRange::disc(0, 0).expect("equal radii")),
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
    rig.move_origin(ChunkCoord::planar(i32::MAX, i32::MIN));
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
    rig.move_origin(end);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let loaded = rig.index().len();
    rig.move_to(viewer, 3, 0);
    rig.settle();
    assert_eq!(rig.index().len(), loaded);
    assert_eq!(rig.stream().viewers()[0].coord, end);
    assert!(rig.stream().totals().invalid_positions > 0);
}

fn volumetric() -> ChunkGrid {
    ChunkGrid::volumetric(Vec3::splat(CHUNK_SIZE)).expect("10 is a size")
}

/// A stream in this grid, with a range or without.
fn plugin_in(grid: ChunkGrid, range: Option<ViewRange>) -> ChunkStreamingPlugin<Pieces> {
    let config = StreamingConfig { range, ..config() };
    ChunkStreamingPlugin::new(grid, generator(), spawner()).with_config(config)
}

/// How many layers of chunks are loaded.
fn layers(rig: &Rig) -> usize {
    let mut layers: Vec<i32> = rig.index().iter().map(|(coord, _)| coord.y).collect();
    layers.sort_unstable();
    layers.dedup();
    layers.len()
}

/// Whether no two roots stand at one place.
fn roots_stand_apart(rig: &mut Rig) -> bool {
    let world = rig.app.world_mut();
    let mut roots = world.query_filtered::<&Transform, With<chunk_apply::ChunkRoot>>();
    let mut places: Vec<_> = (roots.iter(world))
        .map(|place| place.translation.to_array().map(f32::to_bits))
        .collect();
    places.sort_unstable();
    let all = places.len();
    places.dedup();
    places.len() == all
}

#[test]
fn without_a_range_a_viewer_sees_what_fits_the_grid() {
    for (grid, chunks, depth) in [(grid(), 441, 1), (volumetric(), 925, 13)] {
        let mut rig = Rig::build(ManualClock::default(), plugin_in(grid, None));
        rig.viewer(0, 0);
        rig.settle();
        assert_eq!((rig.index().len(), layers(&rig)), (chunks, depth));
    }
}

#[test]
fn a_default_range_follows_the_grid() {
    let mut rig = Rig::build(ManualClock::default(), plugin_in(grid(), None));
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().set_grid(volumetric());
    rig.settle();
    assert_eq!((rig.index().len(), layers(&rig)), (925, 13));
    rig.stream_mut().set_grid(grid());
    rig.settle();
    assert_eq!((rig.index().len(), layers(&rig)), (441, 1));
    assert_eq!(rig.stream().totals().invalid_ranges, 0);
}

#[test]
fn a_range_of_many_layers_is_refused_in_a_planar_grid_by_name() {
    let sphere = ViewRange::sphere(2, 3).expect("3 is not less than 2");
    let error = plugin_in(grid(), Some(sphere))
        .validate()
        .expect_err("a sphere has layers");
    let expected = StreamingConfigError::Range {
        range: sphere,
        grid: grid(),
    };
    assert_eq!(error, expected);
    let text = error.to_string();
    assert!(text.contains("Sphere { radius: 2 }"), "{text}");
    assert!(text.contains("10 by 10"), "{text}");
    assert_eq!(plugin_in(volumetric(), Some(sphere)).validate(), Ok(()));
    // How far chunks are kept above an empty sky does not matter.
    let flat = ViewRange::with_band(
        Footprint::Cylinder {
            radius: 2,
            half_height: 0,
        },
        2,
    );
    assert_eq!(plugin_in(grid(), Some(flat)).validate(), Ok(()));
}

#[test]
fn a_range_that_comes_to_not_fit_is_cut_to_one_layer_and_counted() {
    let sphere = ViewRange::sphere(3, 4).expect("4 is not less than 3");
    // A viewer's own range.
    let mut rig = Rig::new();
    let own = ChunkViewer::with_range(sphere);
    rig.app.world_mut().spawn((own, middle_of(0, 0)));
    rig.settle();
    assert_eq!((rig.index().len(), layers(&rig)), (29, 1));
    assert!(roots_stand_apart(&mut rig));
    let counted = rig.stream().totals().invalid_ranges;
    assert!(counted > 0);
    rig.frame();
    assert_eq!(rig.stream().totals().invalid_ranges, counted + 1);
    assert_eq!(rig.stream().viewers()[0].range, sphere.in_grid(&grid()));
    // The stream's range.
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.stream_mut().range = Some(sphere);
    rig.settle();
    assert_eq!((rig.index().len(), layers(&rig)), (29, 1));
    assert!(rig.stream().totals().invalid_ranges > 0);
    // The grid.
    let plugin = plugin_in(volumetric(), Some(sphere));
    let mut rig = Rig::build(ManualClock::default(), plugin);
    rig.viewer(0, 0);
    rig.stream_mut().budget = two_chunks_a_frame();
    rig.settle();
    assert_eq!((rig.index().len(), layers(&rig)), (123, 7));
    assert_eq!(rig.stream().totals().invalid_ranges, 0);
    rig.stream_mut().set_grid(grid());
    rig.settle();
    assert_eq!((rig.index().len(), layers(&rig)), (29, 1));
    assert!(roots_stand_apart(&mut rig));
    assert!(rig.stream().totals().invalid_ranges > 0);
}
