//! The plain way to stream a voxel world: a task for each chunk, and on the main thread a mesh for each that is ready.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bevy_app::{App, Update};
use bevy_asset::{Assets, Handle};
use bevy_camera::primitives::MeshAabb;
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_mesh::{Mesh, Mesh3d};
use bevy_tasks::{AsyncComputeTaskPool, Task, block_on, poll_once};
use bevy_transform::components::Transform;
use chunk_assets::{ChunkAssetsPlugin, ChunkMaterial, MeshMaterial3d, SharedAssets};
use chunk_coord::{ChunkCoord, Footprint};
use chunk_demo::render::measured;
use chunk_demo::voxels::{Surroundings, VoxelWorld, Voxels, chunk_of, corner, mesh};
use chunk_demo::{FrameCost, Pacing, Settings};

use super::voxels::{settings, show_one};

/// Where the viewer is.
const EYE: Vec3 = Vec3::new(0.0, 120.0, 0.0);

/// Chunks that are still to be shown.
#[derive(Resource)]
struct ByHand {
    tasks: Vec<(ChunkCoord, Task<Option<Surroundings>>)>,
    material: Handle<ChunkMaterial>,
}

/// Voxels that were made, by their chunk, for whoever asks for them next.
#[derive(Clone)]
struct Shared {
    world: VoxelWorld,
    made: Arc<Mutex<HashMap<ChunkCoord, Arc<Voxels>>>>,
}

impl Shared {
    fn voxels(&self, coord: ChunkCoord) -> Arc<Voxels> {
        let made = || self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(voxels) = made().get(&coord) {
            return Arc::clone(voxels);
        }
        let voxels = Arc::new(self.world.voxels(coord));
        made().insert(coord, Arc::clone(&voxels));
        voxels
    }
}

/// Fills a shape around a viewer at rest, at 60 frames a second, each drawn on a device that does nothing. What the frames
/// cost, until all is there.
pub(crate) fn fill() -> Vec<FrameCost> {
    let settings = settings();
    let world = VoxelWorld::new(settings.seed);
    let mut app = measured::app(measured::Renderer::default());
    app.add_plugins(ChunkAssetsPlugin);
    measured::add_scene(&mut app, &settings);
    app.add_systems(Update, show_what_is_ready);
    app.finish();
    app.cleanup();
    let viewer = app.world_mut().spawn(Transform::default()).id();
    measured::look_from(app.world_mut(), viewer, &settings);
    if let Some(mut place) = app.world_mut().get_mut::<Transform>(viewer) {
        place.translation = EYE;
    }
    show_one(app.world_mut(), &world, EYE);
    for _ in 0..60 {
        frame(&mut app);
    }

    let centre = chunk_of(EYE.floor().as_ivec3()).0;
    let mut chunks = chunks_around(centre, &settings);
    chunks.sort_by_key(|coord| coord.distance_sq(centre));
    let shared = Shared {
        world,
        made: Arc::default(),
    };
    let pool = AsyncComputeTaskPool::get();
    let tasks = chunks.into_iter().map(|coord| {
        let shared = shared.clone();
        let make = async move {
            let read = |coord| Ok::<_, core::convert::Infallible>(shared.voxels(coord));
            let Ok(surroundings) = Surroundings::read(coord, read);
            surroundings
        };
        (coord, pool.spawn(make))
    });
    let tasks = tasks.collect();
    let material = app.world().resource::<SharedAssets>().building.clone();
    app.insert_resource(ByHand { tasks, material });
    let mut frames = Vec::new();
    while !app.world().resource::<ByHand>().tasks.is_empty() {
        frames.push(FrameCost {
            whole: frame(&mut app),
            ..FrameCost::default()
        });
    }
    frames
}

/// One frame of 60 a second, and how long it took.
fn frame(app: &mut App) -> Duration {
    let start = Instant::now();
    app.update();
    let whole = start.elapsed();
    std::thread::sleep(Pacing::FRAME.saturating_sub(whole));
    whole
}

fn chunks_around(centre: ChunkCoord, settings: &Settings) -> Vec<ChunkCoord> {
    let shape = Footprint::Cylinder {
        radius: settings.radius,
        half_height: settings.half_height,
    };
    let [x, y, z] = shape.half_extents().map(u32::cast_signed);
    let columns = (-x..=x).flat_map(|x| (-z..=z).map(move |z| (x, z)));
    let around =
        columns.flat_map(|(x, z)| (-y..=y).map(move |y| centre.saturating_offset(x, y, z)));
    around
        .filter(|coord| shape.contains(centre, *coord))
        .collect()
}

fn show_what_is_ready(
    mut commands: Commands,
    mut meshes: ResMut<Assets<Mesh>>,
    by_hand: Option<ResMut<ByHand>>,
) {
    let Some(mut by_hand) = by_hand else { return };
    let ByHand { tasks, material } = &mut *by_hand;
    let finished = tasks.extract_if(.., |(_, task)| task.is_finished());
    for (coord, mut task) in finished {
        let Some(Some(surroundings)) = block_on(poll_once(&mut task)) else {
            continue;
        };
        let mesh = mesh(&surroundings);
        let Some(bounds) = mesh.compute_aabb() else {
            continue;
        };
        let place = Transform::from_translation(corner(coord).as_vec3());
        let material = MeshMaterial3d(material.clone());
        commands.spawn((Mesh3d(meshes.add(mesh)), material, bounds, place));
    }
}
