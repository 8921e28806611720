//! A world of voxels: hills with overhangs and caves, a mesh for each chunk, made from its neighbours through layers. A
//! player digs at the corner of eight chunks, and sees it in all of them at once.
//! `cargo run -p chunk-demo --features voxels --example voxels`
//!
//! Nothing is drawn: it counts, and fails where something is not as it should be.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bevy_app::{App, TaskPoolPlugin};
use bevy_asset::{AssetPlugin, Assets};
use bevy_ecs::message::{MessageCursor, Messages};
use bevy_math::{IVec3, Vec3};
use bevy_mesh::Mesh;
use bevy_transform::TransformPlugin;
use bevy_transform::components::Transform;
use chunk_apply::prelude::*;
use chunk_assets::ChunkAssetsPlugin;
use chunk_coord::Footprint;
use chunk_demo::voxels::{Block, SIZE, VoxelChunk, VoxelWorld, voxel_spawner};

/// Chunks around the player: so many in each direction, and so many above and below.
const AROUND: Footprint = Footprint::Cylinder {
    radius: 3,
    half_height: 2,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = VoxelWorld::new(1);
    let (made, empty) = (world.clone(), world.clone());
    let generator = Generator::fallible(move |job: &Job<ChunkCoord>| made.make(job))
        .with_known_empty(move |coord| empty.known_empty(*coord));
    let grid = ChunkGrid::volumetric(Vec3::splat(SIZE as f32))?;
    let mut plugin = ChunkStreamingPlugin::new(grid, generator, voxel_spawner());
    plugin.config.range = Some(ViewRange::with_band(AROUND, 1));
    plugin.config.linger = Duration::ZERO;

    let mut app = App::new();
    app.add_plugins((
        TaskPoolPlugin::default(),
        AssetPlugin::default(),
        TransformPlugin,
        ChunkAssetsPlugin,
        plugin,
    ));
    app.finish();
    app.cleanup();
    let meshes_before = meshes(&app);

    // Where the player stands, a little above the ground.
    let ground = world.look(Vec3::new(5.5, 95.0, 5.5), Vec3::NEG_Y, 200.0);
    let ground = ground.ok_or("there is no ground")?.before;
    let eye = Transform::from_translation(ground.as_vec3() + Vec3::new(0.5, 1.7, 0.5));
    let player = app.world_mut().spawn((ChunkViewer::default(), eye)).id();
    let start = Instant::now();
    settle(&mut app);
    println!(
        "{} chunks, {} meshes, in {:.1?}",
        index(&app).len(),
        meshes(&app) - meshes_before,
        start.elapsed()
    );
    for layer in world.layers() {
        println!(
            "{}: {} made, {} made again, read {} times, {} KiB",
            layer.name,
            layer.made,
            layer.repeats,
            layer.made + layer.hits,
            layer.bytes >> 10
        );
        assert_eq!(layer.repeats, 0, "nothing is made twice");
    }

    // Digs and builds where eight chunks meet.
    let mut loaded = MessageCursor::default();
    let corner = IVec3::new(0, SIZE * ground.y.div_euclid(SIZE), 0);
    for block in [Block::Brick, Block::Air, Block::Brick] {
        loaded.clear(app.world().resource::<Messages<ChunkLoaded<VoxelChunk>>>());
        let mut stream = app.world_mut().resource_mut::<ChunkStream<VoxelChunk>>();
        let edited = Instant::now();
        assert_eq!(world.set(corner, block, &mut stream), 8);
        let shown: BTreeSet<ChunkCoord> = loop {
            app.update();
            let messages = app.world().resource::<Messages<ChunkLoaded<VoxelChunk>>>();
            let shown: BTreeSet<_> = loaded.read(messages).map(|it| it.coord).collect();
            if !shown.is_empty() {
                break shown;
            }
            std::thread::yield_now();
        };
        assert_eq!(
            shown,
            VoxelWorld::touched_by(corner).collect(),
            "all in one frame"
        );
        println!(
            "{block:?} at {corner}: {} chunks in one frame, after {:.1?}",
            shown.len(),
            edited.elapsed()
        );
    }

    app.world_mut().despawn(player);
    settle(&mut app);
    app.update(); // assets go in the frame after the last entity that held them
    println!(
        "{} chunks and {} meshes are left",
        index(&app).len(),
        meshes(&app) - meshes_before
    );
    assert_eq!((index(&app).len(), meshes(&app)), (0, meshes_before));
    Ok(())
}

fn settle(app: &mut App) {
    app.update();
    while !app
        .world()
        .resource::<ChunkStream<VoxelChunk>>()
        .is_settled()
    {
        app.update();
        std::thread::yield_now();
    }
}

fn index(app: &App) -> &ChunkIndex<VoxelChunk> {
    app.world().resource::<ChunkIndex<VoxelChunk>>()
}

fn meshes(app: &App) -> usize {
    app.world().resource::<Assets<Mesh>>().len()
}
