//! Heavy meshes that cost next to nothing to make, with a limit on the bytes of a frame and without one.

use std::sync::Arc;

use bevy_asset::{Assets, RenderAssetUsages};
use bevy_mesh::{Indices, Mesh, Mesh3d, PrimitiveTopology};
use bevy_transform::components::Transform;
use chunk_apply::{ApplyBudget, Spawner};
use chunk_assets::{ChunkAssetsPlugin, ChunkMaterial, ChunkMesh, MeshMaterial3d, SharedAssets};
use chunk_demo::{Settings, Workload};

use super::cruise::{Cruise, Frames};

/// The vertices of a mesh: with a position and a normal each and its indices it takes 270 KiB.
const VERTICES: u32 = 10_000;

/// Chunks from this height on are empty.
const SKY: i32 = 1_000;

/// What is generated of a chunk; nothing high up in the sky.
struct Heavy(Option<ChunkMesh>);

/// Fills 339 chunks, uploading at most so many bytes a frame.
pub(crate) fn fill(bytes: Option<usize>) -> Frames {
    let settings = Settings {
        radius: 6,
        unload_radius: 8,
        half_height: 1,
        chunk_size: 32.0,
        // It comes from above.
        ceiling: f32::MAX,
        budget: ApplyBudget {
            bytes,
            ..ApplyBudget::DEFAULT
        },
        ..Settings::default()
    };
    let mesh = Arc::new(mesh());
    let shown = Arc::clone(&mesh);
    let spawner = Spawner::new(|_coord, heavy: Heavy, writer| {
        let Some(mesh) = heavy.0 else { return };
        writer.upload(mesh.bytes(), move |world, root| {
            let (bounds, material) = (mesh.bounds(), material(world));
            let mesh = Mesh3d(mesh.insert(world));
            if let Ok(mut root) = world.get_entity_mut(root) {
                root.insert((mesh, material, bounds));
            }
        });
    });
    let make = move |job: &chunk_scheduler::Job<chunk_coord::ChunkCoord>| {
        let is_ground = job.key().y < SKY;
        let mesh = is_ground.then(|| ChunkMesh::new((*mesh).clone()).expect("it can be drawn"));
        Heavy(mesh.flatten())
    };
    let workload = Workload::new(make, spawner, |_coord| 0)
        .prepared_by(move |app| {
            app.add_plugins(ChunkAssetsPlugin);
            // So that its pipelines are there before anything is measured.
            let world = app.world_mut();
            let material = material(world);
            let mesh = (world.resource_mut::<Assets<Mesh>>()).add((*shown).clone());
            let place = Transform::from_xyz(60.0, 100_000.0 - 20.0, 0.0);
            world.spawn((Mesh3d(mesh), material, place));
        })
        .with_assets(SharedAssets::COUNT + 1)
        .with_assets_of(|coord| usize::from(coord.y < SKY));
    let cruise = Cruise {
        arrives_from: Some(100_000.0),
        ..Cruise::default()
    };
    cruise.fly(settings, workload)
}

fn material(world: &bevy_ecs::world::World) -> MeshMaterial3d<ChunkMaterial> {
    MeshMaterial3d(world.resource::<SharedAssets>().building.clone())
}

/// Small triangles near the corner of the chunk.
fn mesh() -> Mesh {
    let place = |n: u32| {
        [
            (n % 100) as f32 * 0.1,
            (n % 7) as f32,
            (n / 100) as f32 * 0.1,
        ]
    };
    let places: Vec<_> = (0..VERTICES).map(place).collect();
    let indices = Indices::U32((0..VERTICES - VERTICES % 3).collect());
    Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    )
    .with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, places)
    .with_inserted_attribute(
        Mesh::ATTRIBUTE_NORMAL,
        vec![[0.0, 1.0, 0.0]; VERTICES as usize],
    )
    .with_inserted_indices(indices)
}
