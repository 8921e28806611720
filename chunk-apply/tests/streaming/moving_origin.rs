//! A floating origin: chunks, viewers and physics agree on it at any moment.

use crate::rig::{CHUNK_SIZE, Pieces, Rig, config, generator, grid, middle_of};
use bevy_app::{FixedMain, prelude::*};
use bevy_ecs::{prelude::*, schedule::ScheduleLabel, system::SystemParam};
use bevy_math::Vec3;
use bevy_transform::{
    prelude::*,
    systems::{mark_dirty_trees, propagate_parent_transforms, sync_simple_transforms},
};
use chunk_apply::{
    ChunkCoord, ChunkGrid, ChunkRoot, ChunkStream, ChunkStreamingPlugin, ChunkViewer, ChunkWriter,
    ManualClock, Spawner,
};

/// The chunk's collider: all of its floor, around its place.
#[derive(Component)]
struct Ground {
    of: ChunkCoord,
}

/// The one who walks over the ground. It counts its chunks itself.
#[derive(Component, Default)]
struct Walker {
    chunk: i32,
    within: f32,
    /// Its chunk when Bevy last propagated transforms.
    propagated: i32,
}

/// How many rays were cast down from the walker, how many did not hit the right ground alone, and how often the origin moved.
#[derive(Resource, Default)]
struct RayCasts {
    all: u32,
    missed: u32,
    origins: u32,
}

/// What the physics knows of a place.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reads {
    /// The transforms along the hierarchy.
    Transforms,
    /// The global transforms, after it has propagated them itself, as engines do.
    PropagatedGlobals,
    /// The global transforms of everything, as of the frame before.
    StaleGlobals,
}

/// Two steps of the fixed schedules in each frame, without a clock.
fn two_steps(world: &mut World) {
    for _ in 0..2 {
        world.run_schedule(FixedMain);
    }
}

/// Walks on by more than a third of a chunk, and each tenth time by more than a chunk.
fn walk(mut walker: Single<(&mut Walker, &mut Transform)>, casts: Res<RayCasts>) {
    let (walker, place) = &mut *walker;
    let by = if casts.all.is_multiple_of(10) {
        12.7
    } else {
        3.7
    };
    place.translation.x += by;
    walker.within += by;
    while walker.within >= CHUNK_SIZE {
        walker.within -= CHUNK_SIZE;
        walker.chunk += 1;
    }
}

fn note_propagated(mut walker: Single<&mut Walker>) {
    walker.propagated = walker.chunk;
}

/// Moves the origin to the walker when it has left the chunk there.
fn recentre(world: &mut World) {
    let mut walkers = world.query_filtered::<&mut Transform, With<Walker>>();
    let place = walkers.single(world).expect("one walker").translation;
    let stream = world.resource::<ChunkStream<Pieces>>();
    let here = stream.coord_at(place).expect("it is in the world");
    if here != stream.origin() {
        let shift = ChunkStream::<Pieces>::move_origin(world, here).expect("there is a stream");
        let mut walker = walkers.single_mut(world).expect("one walker");
        walker.translation += shift;
        world.resource_mut::<RayCasts>().origins += 1;
    }
}

#[derive(SystemParam)]
struct Places<'w, 's> {
    globals: Query<'w, 's, &'static GlobalTransform>,
    hierarchy: TransformHelper<'w, 's>,
}

impl Places<'_, '_> {
    fn of(&self, entity: Entity, reads: Reads) -> Vec3 {
        let global = match reads {
            Reads::Transforms => (self.hierarchy.compute_global_transform(entity)).ok(),
            _ => self.globals.get(entity).ok().copied(),
        };
        global.expect("it has a place").translation()
    }
}

/// Casts a ray straight down from the walker.
fn cast(
    reads: Reads,
) -> impl FnMut(Query<(Entity, &Ground)>, Single<(Entity, &Walker)>, Places, ResMut<RayCasts>) {
    move |grounds, walker, places, mut casts| {
        let (entity, walker) = *walker;
        let from = places.of(entity, reads);
        let is_hit = |ground| {
            let away = from - places.of(ground, reads);
            let side = -CHUNK_SIZE / 2.0..CHUNK_SIZE / 2.0;
            side.contains(&away.x) && side.contains(&away.z) && away.y > 0.0
        };
        let hits = grounds.iter().filter(|(ground, _)| is_hit(*ground));
        let hits: Vec<_> = hits.map(|(_, ground)| ground.of).collect();
        let chunk = match reads {
            Reads::StaleGlobals => walker.propagated,
            _ => walker.chunk,
        };
        casts.all += 1;
        casts.missed += u32::from(hits != [ChunkCoord::planar(chunk, 0)]);
    }
}

/// A walker on streamed ground that stands still.
fn rig_with_walker() -> Rig {
    let spawner = Spawner::new(
        |of: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let middle = Vec3::new(CHUNK_SIZE / 2.0, 0.0, CHUNK_SIZE / 2.0);
            writer.spawn_batch([(Ground { of }, Transform::from_translation(middle))]);
        },
    );
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner).with_config(config());
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let place = Transform::from_xyz(0.0, 2.0, CHUNK_SIZE / 2.0);
    rig.app
        .add_plugins((TaskPoolPlugin::default(), TransformPlugin))
        .init_resource::<RayCasts>()
        .add_systems(Last, note_propagated);
    (rig.app.world_mut()).spawn((ChunkViewer::default(), Walker::default(), place));
    rig.settle();
    rig
}

#[test]
fn in_each_step_of_physics_a_ray_down_hits_the_ground_that_the_walker_is_on() {
    for reads in [
        Reads::Transforms,
        Reads::PropagatedGlobals,
        Reads::StaleGlobals,
    ] {
        let mut rig = rig_with_walker();
        rig.app
            .add_systems(RunFixedMainLoop, two_steps)
            .add_systems(FixedPreUpdate, recentre)
            .add_systems(FixedUpdate, cast(reads))
            .add_systems(FixedPostUpdate, walk);
        if reads == Reads::PropagatedGlobals {
            rig.app.add_systems(
                FixedPreUpdate,
                (
                    mark_dirty_trees,
                    propagate_parent_transforms,
                    sync_simple_transforms,
                )
                    .chain()
                    .after(recentre),
            );
        }
        rig.frames(1_000);
        let casts = rig.app.world().resource::<RayCasts>();
        assert_eq!((casts.all, casts.missed), (2_000, 0), "{reads:?}");
        assert!(casts.origins > 700, "{}", casts.origins);
    }
}

#[test]
fn outside_of_the_fixed_schedules_the_order_with_the_stream_does_not_matter() {
    for (schedule, is_late) in [
        (First.intern(), false),
        (Update.intern(), true),
        (Last.intern(), false),
    ] {
        let mut rig = rig_with_walker();
        let move_all = (walk, recentre).chain();
        if is_late {
            rig.app.add_systems(
                schedule,
                move_all
                    .after(chunk_apply::StreamingSystems::Scan)
                    .before(chunk_apply::StreamingSystems::Apply),
            );
        } else {
            rig.app.add_systems(schedule, move_all);
        }
        rig.app
            .add_systems(RunFixedMainLoop, two_steps)
            .add_systems(FixedUpdate, cast(Reads::Transforms));
        rig.loaded();
        rig.frames(500);
        let casts = rig.app.world().resource::<RayCasts>();
        assert_eq!((casts.all, casts.missed), (1_000, 0), "{schedule:?}");
        assert!(casts.origins > 150, "{}", casts.origins);
        // Each chunk once: none was unloaded because the origin moved.
        let mut loaded: Vec<_> = rig.loaded().iter().map(|loaded| loaded.coord).collect();
        let all = loaded.len();
        loaded.sort_unstable();
        loaded.dedup();
        assert_eq!(loaded.len(), all);
    }
}

/// Where every root stands along x, whole or not.
fn places(rig: &mut Rig) -> Vec<(ChunkCoord, f32)> {
    let world = rig.app.world_mut();
    let mut roots = world.query::<(&ChunkRoot, &Transform)>();
    (roots.iter(world))
        .map(|(root, place)| (root.coord, place.translation.x))
        .collect()
}

#[test]
fn roots_that_are_partly_spawned_hidden_or_on_their_way_out_move_at_once() {
    let mut rig = Rig::with_plugin(|mut plugin| {
        plugin.spawner = Spawner::new(|_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            for _ in 0..pieces.0 {
                writer.run(|_, _| {});
            }
        });
        plugin
    });
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.time = Some(std::time::Duration::ZERO);
    rig.move_to(viewer, 5, 0);
    rig.frames(4);
    assert!(rig.stream().unloading() > 0 && rig.stream().partial().is_some());
    rig.stream_mut().pause();
    for (origin, shift) in [(3, -30.0), (-4, 70.0), (-4, 0.0)] {
        assert_eq!(rig.move_origin(ChunkCoord::planar(origin, 0)).x, shift);
        let places = places(&mut rig);
        assert!(places.len() > rig.index().len());
        for (coord, x) in places {
            assert_eq!(x, (coord.x - origin) as f32 * CHUNK_SIZE, "{coord}");
        }
    }
}

#[test]
fn roots_of_a_former_grid_move_by_as_much_as_those_of_the_new_one() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(0);
    (rig.stream_mut()).set_grid(ChunkGrid::planar(40.0).expect("40 is a size"));
    rig.frame();
    assert_eq!(rig.move_origin(ChunkCoord::planar(1, 0)).x, -40.0);
    for (coord, x) in places(&mut rig) {
        assert_eq!(x, coord.x as f32 * CHUNK_SIZE - 40.0, "{coord}");
    }
}

#[test]
fn the_chunk_at_a_position_follows_the_origin() {
    let mut rig = Rig::new();
    let at = middle_of(2, 1).translation;
    assert_eq!(rig.stream().coord_at(at), Ok(ChunkCoord::planar(2, 1)));
    rig.move_origin(ChunkCoord::planar(i32::MAX - 1, 5));
    let error = rig.stream().coord_at(at).expect_err("beyond the world");
    assert_eq!(error.position, f64::from(at.x));
    assert!(rig.stream().coord_at(Vec3::NAN).is_err());
    rig.move_origin(ChunkCoord::planar(-7, 5));
    assert_eq!(rig.stream().coord_at(at), Ok(ChunkCoord::planar(-5, 6)));
}

#[test]
fn without_a_stream_there_is_no_origin_to_move() {
    let mut rig = Rig::new();
    let world = rig.app.world_mut();
    world.remove_resource::<ChunkStream<Pieces>>();
    assert_eq!(
        ChunkStream::<Pieces>::move_origin(world, ChunkCoord::ORIGIN),
        None
    );
}
