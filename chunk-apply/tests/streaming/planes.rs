//! Planar grids: on the ground of a 3-D world, and in the x and y of a 2-D one.

use crate::rig::{CHUNK_SIZE, PIECES, Pieces, Rig, config, generator, spawner};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{
    ChunkCoord, ChunkGrid, ChunkLevels, ChunkLoaded, ChunkRoot, ChunkStreamingPlugin, ChunkViewer,
    ChunkViewerAt, Footprint, Generator, Job, LevelRings, ManualClock, Plane, StreamingConfig,
    ViewRange,
};
use proptest::prelude::*;

const PLANES: [Plane; 2] = [Plane::Xz, Plane::Xy];

/// Chunks of 10 by 20 units.
fn grid_in(plane: Plane) -> ChunkGrid {
    match plane {
        Plane::Xz => ChunkGrid::planar_rect(CHUNK_SIZE, 2.0 * CHUNK_SIZE),
        Plane::Xy => ChunkGrid::planar_xy_rect(CHUNK_SIZE, 2.0 * CHUNK_SIZE),
    }
    .expect("10 and 20 are sizes")
}

/// A vector by its parts in the plane, and the one along the axis that the grid ignores.
fn vector(plane: Plane, [across, along]: [f32; 2], beside: f32) -> Vec3 {
    match plane {
        Plane::Xz => Vec3::new(across, beside, along),
        Plane::Xy => Vec3::new(across, along, beside),
    }
}

fn chunk(plane: Plane, [across, along]: [i32; 2]) -> ChunkCoord {
    match plane {
        Plane::Xz => ChunkCoord::planar(across, along),
        Plane::Xy => ChunkCoord::planar_xy(across, along),
    }
}

/// The parts of a coordinate in the plane; the other is 0.
fn parts(plane: Plane, coord: ChunkCoord) -> [i32; 2] {
    let (parts, ignored) = match plane {
        Plane::Xz => ([coord.x, coord.z], coord.y),
        Plane::Xy => ([coord.x, coord.y], coord.z),
    };
    assert_eq!(ignored, 0, "{coord}");
    parts
}

/// The middle of a chunk, away from the plane.
fn middle(plane: Plane, [across, along]: [i32; 2], beside: f32) -> Transform {
    let middle = [
        (across as f32 + 0.5) * CHUNK_SIZE,
        (along as f32 + 0.5) * 2.0 * CHUNK_SIZE,
    ];
    Transform::from_translation(vector(plane, middle, beside))
}

fn rig_in(plane: Plane) -> Rig {
    let plugin = ChunkStreamingPlugin::new(grid_in(plane), generator(), spawner());
    Rig::build(ManualClock::default(), plugin.with_config(config()))
}

/// The place of every root.
fn places(rig: &mut Rig) -> Vec<(ChunkCoord, Vec3)> {
    let world = rig.app.world_mut();
    let mut roots = world.query::<(&ChunkRoot, &Transform)>();
    (roots.iter(world))
        .map(|(root, place)| (root.coord, place.translation))
        .collect()
}

#[test]
fn in_both_planes_a_disc_lies_in_the_plane_wherever_viewers_stand_beside_it() {
    for plane in PLANES {
        for beside in [-0.1, 0.0, 999.9, -1e30, f32::NAN] {
            let mut rig = rig_in(plane);
            let place = middle(plane, [-3, 7], beside);
            rig.app.world_mut().spawn((ChunkViewer::default(), place));
            rig.settle();
            assert_eq!(rig.index().len(), 29, "{plane:?} {beside}");
            for (coord, place) in places(&mut rig) {
                let [across, along] = parts(plane, coord);
                assert!((across + 3).pow(2) + (along - 7).pow(2) <= 9);
                let corner = [across as f32 * CHUNK_SIZE, along as f32 * 2.0 * CHUNK_SIZE];
                assert_eq!(place, vector(plane, corner, 0.0));
            }
            assert_eq!(rig.stream().totals().invalid_positions, 0);
            assert_eq!(rig.stream().totals().invalid_ranges, 0);
        }
    }
}

#[test]
fn the_default_range_of_both_planes_is_a_disc_of_441_chunks() {
    for plane in PLANES {
        let mut rig = rig_in(plane);
        rig.stream_mut().range = None;
        let viewer = ChunkViewerAt::new(ChunkCoord::new(5, 5, 5));
        rig.app.world_mut().spawn(viewer);
        rig.settle();
        assert_eq!(rig.index().len(), 441);
        assert!(rig.index().contains(chunk(plane, [5, 5])));
    }
}

#[test]
fn a_box_lies_along_the_axes_of_the_world() {
    for (plane, range) in [
        (Plane::Xz, ViewRange::cuboid([2, 0, 1], [2, 0, 1])),
        (Plane::Xy, ViewRange::cuboid([2, 1, 0], [2, 1, 0])),
    ] {
        let mut rig = rig_in(plane);
        rig.stream_mut().range = Some(range.expect("equal boxes"));
        let viewer = (ChunkViewer::default(), middle(plane, [0, 0], 0.0));
        rig.app.world_mut().spawn(viewer);
        rig.settle();
        assert_eq!(rig.index().len(), 15);
        assert!(rig.index().contains(chunk(plane, [2, -1])));
        assert_eq!(rig.stream().totals().invalid_ranges, 0);
    }
}

#[test]
fn a_range_with_depth_is_refused_in_a_2d_grid_and_cut_to_a_disc_where_it_comes_later() {
    let sphere = ViewRange::sphere(3, 4).expect("4 is not less than 3");
    let config = StreamingConfig {
        range: Some(sphere),
        ..config()
    };
    let plugin = ChunkStreamingPlugin::new(grid_in(Plane::Xy), generator(), spawner());
    let error = (plugin.with_config(config).validate()).expect_err("a sphere has layers");
    let text = error.to_string();
    assert!(text.contains("along z"), "{text}");
    assert!(text.contains("10 by 20"), "{text}");
    let mut rig = rig_in(Plane::Xy);
    rig.stream_mut().range = Some(sphere);
    let viewer = (ChunkViewer::default(), middle(Plane::Xy, [0, 0], 0.0));
    rig.app.world_mut().spawn(viewer);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert!(rig.stream().totals().invalid_ranges > 0);
    let used = rig.stream().viewers()[0].range;
    assert_eq!(used.load(), Footprint::DiscXy { radius: 3 });
}

#[test]
fn a_stream_may_change_between_the_planes() {
    let mut rig = rig_in(Plane::Xz);
    rig.move_origin(ChunkCoord::new(1, 2, 3));
    assert_eq!(rig.stream().origin(), ChunkCoord::new(1, 0, 3));
    let viewer = (
        ChunkViewer::default(),
        Transform::from_xyz(5.0, 45.0, 105.0),
    );
    rig.app.world_mut().spawn(viewer);
    rig.settle();
    assert!(rig.index().contains(ChunkCoord::planar(1, 8)));
    rig.stream_mut().set_grid(grid_in(Plane::Xy));
    rig.settle();
    assert_eq!(rig.stream().origin(), ChunkCoord::new(1, 0, 0));
    assert_eq!(rig.index().len(), 29);
    assert!(rig.index().contains(ChunkCoord::planar_xy(1, 2)));
}

#[test]
fn roots_keep_the_place_beside_the_plane_that_the_game_gives_them() {
    const LAYER: f32 = 7.5;
    for plane in PLANES {
        let mut rig = rig_in(plane);
        rig.app.add_observer(
            move |loaded: On<ChunkLoaded<Pieces>>, mut places: Query<&mut Transform>| {
                let mut place = places.get_mut(loaded.root).expect("a root has a place");
                place.translation += vector(plane, [0.0, 0.0], LAYER);
            },
        );
        let viewer = (ChunkViewer::default(), middle(plane, [0, 0], 0.0));
        let viewer = rig.app.world_mut().spawn(viewer).id();
        rig.settle();
        rig.move_origin(chunk(plane, [2, -1]));
        let place = middle(plane, [-2, 1], 0.0);
        rig.app.world_mut().entity_mut(viewer).insert(place);
        rig.settle();
        rig.stream_mut().refresh(chunk(plane, [1, 0]));
        rig.settle();
        let places = places(&mut rig);
        assert_eq!(places.len(), 29);
        for (coord, place) in places {
            let [across, along] = parts(plane, coord);
            let corner = [
                (across - 2) as f32 * CHUNK_SIZE,
                (along + 1) as f32 * 2.0 * CHUNK_SIZE,
            ];
            assert_eq!(place, vector(plane, corner, LAYER), "{coord}");
        }
    }
}

/// What was loaded and unloaded in a walk, frame by frame, with levels of detail that depend on neighbours, and where the
/// roots stand in the end.
fn walk(plane: Plane, steps: &[([i32; 2], [i32; 2])]) -> Vec<(&'static str, [i32; 2], i32)> {
    let levels = ChunkLevels::new(LevelRings::new([1, 3], 0).expect("3 is more than 1"));
    let asked = levels.clone();
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        let levels = asked.around(job);
        let away = |across, along| {
            let [x, y, z] = chunk(plane, [across, along]).into();
            usize::from(levels.at(x, y, z))
        };
        Pieces(PIECES + away(1, 0) + 3 * away(0, 1) + 9 * away(-1, -1))
    });
    let plugin = ChunkStreamingPlugin::new(grid_in(plane), generator, spawner())
        .with_config(config())
        .with_levels(levels);
    let mut rig = Rig::build(ManualClock::default(), plugin);
    rig.stream_mut().budget.chunks = Some(7);
    let mut viewer = None;
    let mut story = Vec::new();
    for (frame, &(at, origin)) in steps.iter().enumerate() {
        let origin = chunk(plane, origin);
        rig.move_origin(origin);
        let [across, along] = at;
        let [from_across, from_along] = parts(plane, origin);
        let place = middle(plane, [across - from_across, along - from_along], 3.0);
        let world = rig.app.world_mut();
        let viewer = *viewer.get_or_insert_with(|| world.spawn(ChunkViewer::default()).id());
        world.entity_mut(viewer).insert(place);
        let is_last = frame + 1 == steps.len();
        for _ in 0..if is_last { 200 } else { frame % 3 + 1 } {
            rig.frame();
            for loaded in rig.loaded() {
                let entities = loaded.entities as i32;
                story.push(("loaded", parts(plane, loaded.coord), entities));
            }
            for unloaded in rig.unloaded() {
                story.push(("unloaded", parts(plane, unloaded.coord), 0));
            }
        }
    }
    assert!(rig.stream().is_settled());
    let mut ends = places(&mut rig);
    ends.sort_by_key(|(coord, _)| *coord);
    for (coord, place) in ends {
        let [across, along] = parts(plane, coord);
        let [x, along_plane] = match plane {
            Plane::Xz => [place.x, place.z],
            Plane::Xy => [place.x, place.y],
        };
        story.push(("at", [across, along], x as i32));
        story.push(("at", [across, along], along_plane as i32));
    }
    story
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_same_walk_loads_the_same_in_both_planes_and_in_the_same_order(
        steps in prop::collection::vec(
            (prop::array::uniform2(-6..6_i32), prop::array::uniform2(-9..9_i32)), 1..12,
        ),
    ) {
        let [ground, upright] = PLANES.map(|plane| walk(plane, &steps));
        prop_assert!(ground.len() >= 3 * 29);
        prop_assert_eq!(ground, upright);
    }
}
