//! What a camera would see, by Bevy's own propagation of transforms and visibility.

use crate::rig::{CHUNK_SIZE, Piece, Pieces, Rig, config, generator, grid, middle_of};
use bevy_app::{App, First, PostUpdate, TaskPoolPlugin, Update};
use bevy_asset::{AssetEvent, AssetEventSystems, AssetPlugin, Assets, RenderAssetUsages};
use bevy_camera::{
    CameraUpdateSystems,
    visibility::{InheritedVisibility, Visibility, VisibilityPlugin},
};
use bevy_ecs::{prelude::*, schedule::ScheduleLabel};
use bevy_math::Vec3;
use bevy_mesh::{Mesh, MeshPlugin, PrimitiveTopology};
use bevy_transform::{
    TransformPlugin, TransformSystems,
    components::{GlobalTransform, Transform},
};
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLevels, ChunkLoaded, ChunkRoot, ChunkStreamingPlugin,
    ChunkViewer, ChunkWriter, ManualClock, Spawner, StreamingConfig,
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

#[test]
fn a_mesh_of_a_replacement_is_announced_in_the_frame_that_shows_it() {
    let spawner = Spawner::new(|_, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.run(|world, _root| {
            let mut meshes = world.resource_mut::<Assets<Mesh>>();
            let usage = RenderAssetUsages::RENDER_WORLD;
            let _ = meshes.add(Mesh::new(PrimitiveTopology::TriangleList, usage));
        });
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner)
        .with_config(config())
        .apply_in(PostUpdate);
    let mut rig = Rig::build(ManualClock::default(), plugin);
    draw(&mut rig.app);
    // As Bevy's renderer orders the one system of this set.
    let cameras = (|| {}).in_set(CameraUpdateSystems);
    (rig.app).add_systems(PostUpdate, cameras.before(AssetEventSystems));
    rig.viewer(0, 0);
    rig.settle();
    let announced = |rig: &mut Rig| {
        let mut events = (rig.app.world_mut()).resource_mut::<Messages<AssetEvent<Mesh>>>();
        (events.drain())
            .filter(|event| matches!(event, AssetEvent::Added { .. }))
            .count()
    };
    announced(&mut rig);
    for coord in [ChunkCoord::ORIGIN, ChunkCoord::planar(1, 0)] {
        rig.loaded();
        rig.stream_mut().refresh(coord);
        let mut shown = 0;
        while shown == 0 {
            rig.frame();
            shown = rig.loaded().len();
            assert_eq!(announced(&mut rig), shown);
        }
    }
}

#[test]
fn a_roots_own_visibility_is_kept_however_many_slices_the_chunk_takes() {
    let on_root = |world: &World, root: Entity| *world.get::<Visibility>(root).expect("a root");
    for own in [
        Visibility::Visible,
        Visibility::Hidden,
        Visibility::Inherited,
    ] {
        for in_a_step in [false, true] {
            let spawner = Spawner::new(move |_, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
                if !in_a_step {
                    writer.insert_on_root(own);
                }
                writer.spawn_batch((0..20).map(Piece));
                if in_a_step {
                    writer.run(move |world, root| {
                        world.entity_mut(root).insert(own);
                    });
                }
                writer.spawn_batch((0..20).map(Piece));
                writer.run(move |world, root| assert_eq!(on_root(world, root), own));
            });
            let mut kept = Vec::new();
            // At once, and one entity a frame.
            for budget in [ApplyBudget::unlimited(), ApplyBudget::time(Duration::ZERO)] {
                let config = StreamingConfig {
                    range: Some(ViewRange::disc(0, 0).expect("equal radii")),
                    budget,
                    ..config()
                };
                let mut rig = Rig::with(generator(), spawner.clone(), config);
                rig.viewer(0, 0);
                let mut slices = 0;
                while rig.index().is_empty() {
                    rig.frame();
                    slices += 1;
                    let world = rig.app.world_mut();
                    let mut roots = world.query_filtered::<Entity, With<ChunkRoot>>();
                    let root = roots.iter(world).next();
                    if let Some(root) = root.filter(|_| rig.index().is_empty()) {
                        assert_eq!(on_root(rig.app.world(), root), Visibility::Hidden);
                    }
                }
                assert!(rig.failed().is_empty());
                let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
                kept.push((on_root(rig.app.world(), root), slices > 3));
            }
            assert_eq!(kept, [(own, false), (own, true)]);
        }
    }
}

#[test]
fn a_reader_of_loaded_chunks_finds_global_transforms_once_they_are_propagated() {
    #[derive(Resource, Default)]
    struct Read {
        right: usize,
        wrong: usize,
    }
    fn read(
        mut loaded: MessageReader<ChunkLoaded<Pieces>>,
        places: Query<&GlobalTransform>,
        children: Query<&Children>,
        mut read: ResMut<Read>,
    ) {
        for chunk in loaded.read() {
            let corner = grid().min_corner(chunk.coord);
            let child = children.get(chunk.root).expect("pieces")[2];
            let expected = [corner, corner + Vec3::X * 2.0];
            let found = [chunk.root, child]
                .map(|entity| places.get(entity).expect("a place").translation());
            if found == expected {
                read.right += 1;
            } else {
                read.wrong += 1;
            }
        }
    }
    for schedule in [Update.intern(), PostUpdate.intern()] {
        let clock = ManualClock::default();
        let mut plugin = ChunkStreamingPlugin::new(grid(), generator(), visible_spawner(&clock))
            .with_config(config());
        plugin.systems.apply_schedule = schedule;
        let mut rig = Rig::build(clock, plugin);
        draw(&mut rig.app);
        rig.app
            .init_resource::<Read>()
            .add_systems(PostUpdate, read.after(TransformSystems::Propagate));
        rig.viewer(3, 3);
        rig.settle();
        let read = rig.app.world().resource::<Read>();
        assert_eq!((read.right, read.wrong), (29, 0));
    }
}
