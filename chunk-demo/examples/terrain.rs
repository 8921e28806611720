//! Hills with physics: a ball rolls ten kilometres over ground that is made a few hundred metres ahead of it, while the origin
//! follows. `cargo run -p chunk-demo --features terrain --example terrain`
//!
//! Time is told by hand, so that as many steps of physics pass in a second as the machine can do. The ball waits where the
//! ground before it is not there yet.

use avian3d::prelude::*;
use bevy_app::{App, FixedPostUpdate, FixedPreUpdate};
use bevy_asset::AssetPlugin;
use bevy_ecs::prelude::*;
use bevy_math::{DVec3, Vec3, Vec3Swizzles};
use bevy_time::{Fixed, Time, TimePlugin, TimeUpdateStrategy};
use bevy_transform::prelude::*;
use chunk_apply::prelude::*;
use chunk_demo::terrain::{
    Heights, Terrain, TerrainChunk, TerrainConfig, TerrainWorld, add_terrain_assets,
    terrain_spawner,
};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far the ball shall roll, in a straight line, in metres.
const DISTANCE: f64 = 10_000.0;
/// The ball's, in metres.
const RADIUS: f32 = 4.0;
/// What pushes the ball, in m/s²: more than what pulls it back on the steepest slope.
const PUSH: Vec3 = Vec3::new(20.0, 0.0, 6.0);
/// The part of its speed that the ball loses in a second: with the push, it rolls at some 60 m/s.
const DRAG: f32 = 0.25;
/// One step of physics.
const STEP: Duration = Duration::from_micros(31_250);
/// Where the ball may be at most before the origin follows, in metres.
const NEAR_ORIGIN: f32 = 1_000.0;
/// The most frames, in case the ball gets stuck.
const MOST_STEPS: u64 = 20_000;

#[derive(Component)]
struct Ball;

/// What is seen of the ball after each step.
#[derive(Resource)]
struct Roll {
    terrain: Arc<Terrain>,
    /// Where it started, from the origin of coordinates.
    start: Option<DVec3>,
    /// The ground under the ball.
    ground: Option<(ChunkCoord, Heights)>,
    steps: u64,
    waited: u64,
    distance: f64,
    /// Between the ball's middle and the ground under it, in metres.
    lowest: f32,
    highest: f32,
    /// Steps in which the ball was less than its radius above the ground.
    on_ground: u64,
    origin_moves: u32,
}

/// The ball stands still until all ground that it can touch in this step is there.
fn wait_for_ground(
    ball: Single<(&Transform, &LinearVelocity), With<Ball>>,
    stream: Res<ChunkStream<TerrainChunk>>,
    index: Res<ChunkIndex<TerrainChunk>>,
    children: Query<&Children>,
    colliders: Query<(), With<Collider>>,
    mut physics: ResMut<Time<Physics>>,
    mut roll: ResMut<Roll>,
) {
    let (place, velocity) = *ball;
    let has_ground = |place: Vec3| {
        let root = stream
            .coord_at(place)
            .ok()
            .and_then(|chunk| index.root(chunk));
        let parts = root.and_then(|root| children.get(root).ok());
        parts.is_some_and(|parts| parts.iter().any(|part| colliders.contains(part)))
    };
    let next = place.translation + velocity.0 * STEP.as_secs_f32();
    let sides = [Vec3::X, Vec3::NEG_X, Vec3::Z, Vec3::NEG_Z];
    let around = sides.map(|side| next + side * 2.0 * RADIUS);
    if around.into_iter().all(has_ground) {
        physics.unpause();
    } else {
        roll.waited += 1;
        physics.pause();
    }
}

/// Before physics steps, so that every body is where it belongs when it does.
fn follow_the_ball(world: &mut World) {
    let mut ball = world.query_filtered::<&mut Transform, With<Ball>>();
    let place = ball.single(world).expect("there is one ball").translation;
    if place.xz().length() < NEAR_ORIGIN {
        return;
    }
    let stream = world.resource::<ChunkStream<TerrainChunk>>();
    let here = stream.coord_at(place).expect("the ball is in the world");
    if let Some(shift) = ChunkStream::<TerrainChunk>::move_origin(world, here) {
        let mut ball = ball.single_mut(world).expect("there is one ball");
        ball.translation += shift;
        world.resource_mut::<Roll>().origin_moves += 1;
    }
}

/// After each step: how far the ball is, and how high over the ground.
fn measure(
    ball: Single<&Transform, With<Ball>>,
    stream: Res<ChunkStream<TerrainChunk>>,
    physics: Res<Time<Physics>>,
    mut roll: ResMut<Roll>,
) {
    if physics.is_paused() {
        return;
    }
    let roll = &mut *roll;
    let size = roll.terrain.config().chunk_size;
    let chunk = stream
        .coord_at(ball.translation)
        .expect("the ball is in the world");
    let origin = stream.origin();
    let corner = Vec3::new(
        (chunk.x - origin.x) as f32,
        0.0,
        (chunk.z - origin.z) as f32,
    ) * size;
    let in_chunk = (ball.translation - corner).xz();
    if roll
        .ground
        .as_ref()
        .is_none_or(|(under, _)| *under != chunk)
    {
        roll.ground = Some((chunk, roll.terrain.heights(chunk)));
    }
    let ground = roll
        .ground
        .as_ref()
        .map_or(0.0, |(_, heights)| heights.surface(in_chunk));
    let above = ball.translation.y - ground;
    roll.lowest = roll.lowest.min(above);
    roll.highest = roll.highest.max(above);
    roll.on_ground += u64::from(above < 2.0 * RADIUS);
    roll.steps += 1;

    let chunks = DVec3::new(f64::from(chunk.x), 0.0, f64::from(chunk.z));
    let place = chunks * f64::from(size) + DVec3::new(in_chunk.x.into(), 0.0, in_chunk.y.into());
    roll.distance = place.distance(*roll.start.get_or_insert(place));
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let config = TerrainConfig {
        chunk_size: 64.0,
        cells: 32,
        relief: 80.0,
        rings: [2, 5],
        ..TerrainConfig::default()
    };
    let world = TerrainWorld::new(config)?;
    let (terrain, levels, made) = (Arc::clone(world.terrain()), world.levels(), world.clone());
    let stream = ChunkStreamingPlugin::new(
        ChunkGrid::planar(config.chunk_size)?,
        Generator::fallible(move |job| made.make(job)),
        terrain_spawner(config.chunk_size),
    );
    let mut app = App::new();
    app.add_plugins((
        chunk_demo::task_pools(),
        TimePlugin,
        AssetPlugin::default(),
        TransformPlugin,
    ));
    add_terrain_assets(&mut app);
    app.add_plugins(PhysicsPlugins::default());
    app.add_plugins(stream.with_levels(levels));
    app.insert_resource(TimeUpdateStrategy::ManualDuration(STEP));
    app.insert_resource(Time::<Fixed>::from_duration(STEP));
    app.add_systems(FixedPreUpdate, (follow_the_ball, wait_for_ground).chain());
    app.add_systems(FixedPostUpdate, measure.after(PhysicsSystems::Last));

    let start = terrain.heights(ChunkCoord::ORIGIN).at(0, 0) + 2.0 * RADIUS;
    app.insert_resource(Roll {
        terrain,
        start: None,
        ground: None,
        steps: 0,
        waited: 0,
        distance: 0.0,
        lowest: f32::INFINITY,
        highest: 0.0,
        on_ground: 0,
        origin_moves: 0,
    });
    app.world_mut().spawn((
        Ball,
        ChunkViewer::with_range(ViewRange::disc(7, 8)?),
        Transform::from_xyz(0.0, start, 0.0),
        (
            RigidBody::Dynamic,
            Collider::sphere(RADIUS),
            Friction::new(0.8),
        ),
        (ConstantLinearAcceleration(PUSH), LinearDamping(DRAG)),
        SleepingDisabled,
    ));
    app.finish();
    app.cleanup();

    let clock = Instant::now();
    loop {
        app.update();
        let roll = app.world().resource::<Roll>();
        let fell = roll.lowest < 0.0;
        if fell || roll.distance >= DISTANCE || roll.steps + roll.waited >= MOST_STEPS {
            break;
        }
    }
    let roll = app.world().resource::<Roll>();
    println!(
        "The ball rolled {:.0} m in {} steps of physics, {:.0} s of its time and {:.1} s of ours. It waited for ground in {} \
         frames.",
        roll.distance,
        roll.steps,
        roll.steps as f64 * STEP.as_secs_f64(),
        clock.elapsed().as_secs_f64(),
        roll.waited,
    );
    println!(
        "Its middle was {:.2} m to {:.1} m above the ground, at a radius of {RADIUS} m, and {:.0} % of the time within a diameter. \
         The origin moved {} times.",
        roll.lowest,
        roll.highest,
        100.0 * roll.on_ground as f64 / roll.steps as f64,
        roll.origin_moves,
    );
    let stream = app.world().resource::<ChunkStream<TerrainChunk>>();
    let (counters, heights) = (stream.scheduler().counters(), world.heights());
    println!(
        "{} chunks were made, for {} coordinates at up to three levels; heights were made {} times.",
        counters.generated,
        heights.made - heights.repeats,
        heights.made,
    );
    let held = roll.distance >= DISTANCE && roll.lowest >= 0.0 && roll.origin_moves > 0;
    Ok(if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
