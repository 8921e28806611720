//! A complete small game: a hiker crosses hills without end, picks flowers, and the world appears ahead
//! and vanishes behind. `cargo run -p chunk-demo --example small_world`

use bevy_app::{App, AppExit, ScheduleRunnerPlugin, Startup, TaskPoolPlugin, Update};
use bevy_asset::AssetPlugin;
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_transform::prelude::*;
use chunk_apply::prelude::*;
use chunk_assets::{ChunkAssetsPlugin, SharedAssets, Tint};
use std::time::Duration;

/// What a chunk is made of: blocks of earth, and flowers on some of them.
struct Hills {
    blocks: Vec<Vec3>,
    flowers: Vec<Vec3>,
}

#[derive(Component)]
struct Flower;

const CHUNK: f32 = 16.0;

/// The height of the ground, everywhere.
fn ground(x: f32, z: f32) -> f32 {
    (4.0 * (x / 23.0).sin() + 3.0 * (z / 17.0).cos()).round()
}

/// Made on a background thread, from nothing but the coordinate.
fn make(job: &Job<ChunkCoord>) -> Hills {
    let corner = Vec3::new(job.key().x as f32, 0.0, job.key().z as f32) * CHUNK;
    let place = |n: u16| {
        let (x, z) = (f32::from(n % 16), f32::from(n / 16));
        Vec3::new(x, ground(corner.x + x, corner.z + z), z)
    };
    Hills {
        blocks: (0..256).map(place).collect(),
        flowers: (7..256).step_by(61).map(|n| place(n) + Vec3::Y).collect(),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let assets = SharedAssets::default();
    let spawner = Spawner::new(move |_coord, hills: Hills, writer| {
        let (earth, bloom) = (Tint::srgb(96, 128, 56), Tint::srgb(230, 70, 120));
        let shared = assets.clone();
        let block = move |at| shared.building_at(Transform::from_translation(at), earth);
        writer.spawn_batch(hills.blocks.into_iter().map(block));
        let shared = assets.clone();
        let flower = move |at| {
            (
                Flower,
                shared.tree_at(Transform::from_translation(at), bloom),
            )
        };
        writer.spawn_batch(hills.flowers.into_iter().map(flower));
    });
    App::new()
        .add_plugins((TaskPoolPlugin::default(), AssetPlugin::default()))
        .add_plugins((TransformPlugin, ChunkAssetsPlugin))
        .add_plugins(ChunkStreamingPlugin::new(
            ChunkGrid::planar(CHUNK)?,
            Generator::new(make),
            spawner,
        ))
        .add_plugins(ScheduleRunnerPlugin::run_loop(Duration::from_millis(4)))
        .add_systems(Startup, |mut commands: Commands| {
            commands.spawn(ChunkViewer::default());
        })
        .add_systems(Update, hike.before(StreamingSystems::Scan))
        .run();
    Ok(())
}

/// Walks on, and picks what grows beside the path.
fn hike(
    mut commands: Commands,
    mut hiker: Single<&mut Transform, With<ChunkViewer>>,
    flowers: Query<(Entity, &GlobalTransform), With<Flower>>,
    world: Res<ChunkIndex<Hills>>,
    mut picked: Local<u32>,
    mut exit: MessageWriter<AppExit>,
) {
    let at = hiker.translation + Vec3::new(0.5, 0.0, 0.1);
    hiker.translation = Vec3::new(at.x, ground(at.x, at.z) + 1.0, at.z);
    for (flower, place) in &flowers {
        if place.translation().distance_squared(hiker.translation) < 4.0 {
            commands.entity(flower).despawn(); // its chunk does not mind
            *picked += 1;
        }
    }
    if at.x > 200.0 {
        println!(
            "{} flowers, and {} chunks around the hiker",
            *picked,
            world.len()
        );
        exit.write(AppExit::Success);
    }
}
