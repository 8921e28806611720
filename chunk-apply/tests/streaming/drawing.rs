//! What a camera would see, by Bevy's own propagation of transforms and visibility.

use crate::rig::{CHUNK_SIZE, Piece, Pieces, Rig, config, generator, grid, middle_of};
use bevy_app::{App, First, PostUpdate, TaskPoolPlugin, Update};
use bevy_asset::AssetPlugin;
use bevy_camera::visibility::{InheritedVisibility, Visibility, VisibilityPlugin};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_mesh::MeshPlugin;
use bevy_transform::{TransformPlugin, components::GlobalTransform, components::Transform};
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLevels, ChunkRoot, ChunkStreamingPlugin, ChunkViewer,
    ChunkWriter, ManualClock, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, LevelRings, ViewRange};
use chunk_scheduler::{Generator, Job, Simulation};
use std::{collections::BTreeMap, time::Duration};

fn draw(app: &mut App) {
    app.add_plugins((
        TaskPoolPlugin::default(),
        AssetPlugin::default(),
        MeshPlugin,
        TransformPlugin,
        VisibilityPlugin,
    ));
}

/// Pieces that are drawn, a metre apart, each taking 10 µs to spawn.
fn visible_spawner(clock: &ManualClock) -> Spawner<ChunkCoord, Pieces> {
    let slow = clock.clone();
    Spawner::new(move |_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        let slow = slow.clone();
        writer.spawn_batch((0..pieces.0).map(move |piece| {
            slow.advance(Duration::from_micros(10));
            let place = Transform::from_xyz(piece as f32, 0.0, 0.0);
            (Piece(piece), place, Visibility::Inherited)
        }));
    })
}

/// The roots that are seen, by coordinate.
fn seen(app: &mut App) -> BTreeMap<ChunkCoord, usize> {
    let world = app.world_mut();
    let mut roots = world.query::<(&ChunkRoot, &InheritedVisibility)>();
    let mut seen = BTreeMap::new();
    for (root, _) in roots.iter(world).filter(|(_, visibility)| visibility.get()) {
        *seen.entry(root.coord).or_default() += 1;
    }
    seen
}

/// Pieces that are seen where they are not, or not seen where they are.
fn wrong(app: &mut App) -> usize {
    let world = app.world_mut();
    let mut pieces = world.query::<(&Piece, &ChildOf, &GlobalTransform, &InheritedVisibility)>();
    pieces
        .iter(world)
        .filter(|(piece, parent, place, visibility)| {
            let root = parent.parent();
            let coord = world.get::<ChunkRoot>(root).expect("a root").coord;
            let index = world.resource::<ChunkIndex<Pieces>>();
            let is_loaded = index.root(coord) == Some(root);
            let corner = Vec3::new(coord.x as f32, 0.0, coord.z as f32) * CHUNK_SIZE;
            let expected = corner + Vec3::X * piece.0 as f32;
            visibility.get() != is_loaded || (is_loaded && place.translation() != expected)
        })
        .count()
}

#[test]
fn what_is_applied_in_post_update_is_drawn_in_the_same_frame() {
    let simulation = Simulation::new(1);
    let worker = simulation.clone();
    let clock = ManualClock::default();
    let mut plugin = ChunkStreamingPlugin::new(grid(), generator(), visible_spawner(&clock))
        .with_config(config())
        .scan_in(First)
        .apply_in(PostUpdate);
    plugin.runtime = simulation.runtime();
    let mut app = App::new();
    draw(&mut app);
    app.add_plugins(plugin)
        .add_systems(Update, move || worker.run());
    let viewer = (ChunkViewer::default(), middle_of(0, 0));
    let viewer = app.world_mut().spawn(viewer).id();
    for x in 0..20 {
        app.world_mut().entity_mut(viewer).insert(middle_of(x, 0));
        app.update();
        assert_eq!(wrong(&mut app), 0, "step {x}");
        assert!(seen(&mut app).len() >= 29);
    }
}

/// Two hundred and more pieces a chunk under a budget of 500 µs, so that a swap takes several frames.
fn swapping_rig(levels: Option<ChunkLevels>, radius: u32) -> Rig {
    let clock = ManualClock::default();
    let asked = levels.clone();
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        Pieces(
            200 + asked
                .as_ref()
                .map_or(0, |levels| usize::from(levels.of_job(job))),
        )
    });
    let mut plugin = ChunkStreamingPlugin::new(grid(), generator, visible_spawner(&clock))
        .with_config(StreamingConfig {
            range: Some(ViewRange::disc(radius, radius).expect("equal radii")),
            budget: ApplyBudget::unlimited(),
            ..config()
        })
        .apply_in(PostUpdate);
    plugin.levels = levels;
    let mut rig = Rig::build(clock, plugin);
    draw(&mut rig.app);
    rig
}

/// Frames until nothing is left to do: in each of them, one root is seen for each wanted chunk.
fn settle_without_holes(rig: &mut Rig, must_see: &[ChunkCoord]) -> usize {
    for frames in 1..2_000 {
        rig.frame();
        let seen = seen(&mut rig.app);
        for coord in must_see {
            assert_eq!(seen.get(coord), Some(&1), "{coord:?} in frame {frames}");
        }
        assert!(seen.values().all(|roots| *roots == 1), "two at one place");
        assert_eq!(wrong(&mut rig.app), 0, "frame {frames}");
        if rig.stream().is_settled() {
            return frames;
        }
    }
    panic!("never settles: {:?}", rig.stream());
}

#[test]
fn while_chunks_are_replaced_over_many_frames_one_of_each_is_seen() {
    let mut rig = swapping_rig(None, 1);
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget::time(Duration::from_micros(500));
    let wanted: Vec<ChunkCoord> = rig.stream().wanted().iter().collect();
    assert_eq!(wanted.len(), 5);
    for coord in &wanted {
        rig.stream_mut().refresh(*coord);
    }
    // 2 ms a chunk.
    assert!(settle_without_holes(&mut rig, &wanted) >= 5 * 4);
}

#[test]
fn while_levels_change_over_many_frames_one_of_each_chunk_is_seen() {
    let rings = LevelRings::new([1], 0).expect("one ring");
    let mut rig = swapping_rig(Some(ChunkLevels::new(rings)), 2);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget::time(Duration::from_micros(500));
    let before: Vec<ChunkCoord> = rig.index().iter().map(|(coord, _)| coord).collect();
    rig.move_to(viewer, 1, 0);
    // Those that are still wanted are there all the time.
    let centre = ChunkCoord::planar(1, 0);
    let stay: Vec<ChunkCoord> = (before.into_iter())
        .filter(|coord| coord.distance_sq(centre) <= 4)
        .collect();
    assert!(stay.len() > 5);
    assert!(settle_without_holes(&mut rig, &stay) > 10);
}
