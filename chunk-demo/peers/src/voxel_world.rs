//! bevy_voxel_world 0.19, one layer of chunks high.
//!
//! What is set for its good: no meshes are made; a chunk is sampled at 27 voxels instead of 39,304, the first of which
//! does the generator's work; chunks are not attached to a root; everything above and below the layer is hinted as
//! solid, so that nothing is looked for there; the camera looks straight down on the whole disc, so that each spawning
//! ray meets one chunk; and the number of rays was tried out (see `RAYS`). It has no budget to set: what is
//! ready is published, and its 15 entities are spawned in the same frame.

use std::collections::HashSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use bevy::app::{App, PreUpdate, Update};
use bevy::camera::{CameraProjection, OrthographicProjection, RenderTargetInfo, ScalingMode};
use bevy::prelude::*;
use bevy_voxel_world::prelude::*;

use crate::driver::{Chunk, Contestant, ENTITIES, Maker, Workload};
use crate::task_pools::task_pools;

/// Spawning rays a frame. Of 100 (the default), 500, 2,000 and 8,000 this fills the disc soonest with the 200 µs
/// generator. With fewer it searches long for the last missing chunks; 8,000 find them sooner in a flight, and casting
/// them doubles the main thread's time in every frame.
const RAYS: usize = 2_000;

/// The side of a chunk in world units; fixed by the crate.
const SIZE: f32 = 32.0;

/// Where the camera is while nothing is wanted: in a layer of which nothing is made.
const PARKED: f32 = 1.0e5 * SIZE;

#[derive(Resource, Clone, Default)]
struct Config {
    maker: Option<Maker>,
    radius: u32,
}

impl VoxelWorldConfig for Config {
    type MaterialIndex = u8;
    type ChunkUserBundle = ();

    fn spawning_distance(&self) -> u32 {
        self.radius
    }

    fn min_despawn_distance(&self) -> u32 {
        0
    }

    fn chunk_despawn_strategy(&self) -> ChunkDespawnStrategy {
        ChunkDespawnStrategy::FarAway
    }

    // Flooding would go through the whole sphere each frame to fill the disc in it.
    fn chunk_spawn_strategy(&self) -> ChunkSpawnStrategy {
        ChunkSpawnStrategy::CloseAndInView
    }

    fn spawning_rays(&self) -> usize {
        RAYS
    }

    fn spawning_ray_margin(&self) -> u32 {
        0
    }

    fn chunk_fill_hint(&self, key: ChunkKey) -> FillHint {
        if key.position.y == 0 {
            FillHint::Unknown
        } else {
            FillHint::Uniform(WorldVoxel::Solid(0))
        }
    }

    fn chunk_data_shape(&self, _: LodLevel) -> UVec3 {
        UVec3::splat(3)
    }

    fn chunk_meshing_shape(&self, _: LodLevel) -> UVec3 {
        UVec3::splat(3)
    }

    fn attach_chunks_to_root(&self) -> bool {
        false
    }

    fn voxel_lookup_delegate(&self) -> VoxelLookupDelegate {
        let maker = self.maker.clone();
        Box::new(move |position, _, _| {
            // The chunk in which the camera is parked is no part of the work.
            let mut maker = maker.clone().filter(|_| position.y == 0);
            Box::new(move |_, _| {
                if let Some(maker) = maker.take() {
                    black_box(maker.make([position.x, position.z]));
                }
                if position.y == 0 {
                    WorldVoxel::Air
                } else {
                    WorldVoxel::Solid(0)
                }
            })
        })
    }
}

/// Two small components beside the transform.
#[derive(Component, Clone, Copy)]
struct Tint(#[expect(dead_code, reason = "stands for what a renderer reads")] u32);
#[derive(Component, Clone, Copy)]
struct Shape(#[expect(dead_code, reason = "stands for what a renderer reads")] u64);

/// Chunks whose entities are there, and what this frame took.
#[derive(Resource, Default)]
struct Shown {
    chunks: HashSet<Chunk>,
    began: Option<Instant>,
    took: Duration,
}

pub(crate) struct VoxelWorldContestant {
    app: App,
    camera: Entity,
    radius: u32,
}

impl VoxelWorldContestant {
    pub(crate) fn new(workload: &Workload, maker: &Maker) -> Self {
        let radius = workload.radius.unsigned_abs();
        let mut app = App::new();
        app.add_plugins((task_pools(), VoxelWorldPlugin::<Config>::minimal()))
            .insert_resource(Config {
                maker: Some(maker.clone()),
                radius,
            })
            .init_resource::<Shown>()
            .add_systems(
                PreUpdate,
                (
                    begin.before(VoxelWorldSet::<Config>::default()),
                    end.after(VoxelWorldSet::<Config>::default()),
                ),
            )
            .add_systems(Update, spawn_content);
        app.finish();
        app.cleanup();
        let camera = app.world_mut().spawn(camera(workload.radius)).id();
        Self {
            app,
            camera,
            radius,
        }
    }
}

/// Looks straight down, from inside the layer, on a square that holds the disc.
fn camera(radius: i32) -> impl Bundle {
    let side = (2 * radius + 3) as f32 * SIZE;
    let mut projection = OrthographicProjection {
        near: 0.0,
        far: 4.0 * SIZE,
        scaling_mode: ScalingMode::Fixed {
            width: side,
            height: side,
        },
        ..OrthographicProjection::default_3d()
    };
    projection.update(side, side);
    let mut camera = Camera::default();
    // Without a render target nothing computes these.
    camera.computed.target_info = Some(RenderTargetInfo {
        physical_size: UVec2::splat(side as u32),
        scale_factor: 1.0,
    });
    camera.computed.clip_from_view = projection.get_clip_from_view();
    (camera, VoxelWorldCamera::<Config>::default(), place(None))
}

fn place(viewer: Option<[f32; 2]>) -> GlobalTransform {
    let [x, z] = viewer.unwrap_or_default();
    let y = viewer.map_or(PARKED, |_| 0.5 * SIZE);
    let down = Quat::from_rotation_x(-core::f32::consts::FRAC_PI_2);
    let at = Vec3::new(x * SIZE, y, z * SIZE);
    GlobalTransform::from(Transform::from_translation(at).with_rotation(down))
}

fn begin(mut shown: ResMut<Shown>) {
    shown.began = Some(Instant::now());
}

fn end(mut shown: ResMut<Shown>) {
    shown.took = shown.began.map_or(Duration::ZERO, |began| began.elapsed());
}

/// What a game does with this crate: spawns a chunk's entities when it is told that the chunk is there. They are
/// children of the chunk's own entity and go with it.
fn spawn_content(world: &mut World) {
    let start = Instant::now();
    let mut spawned = world.resource_mut::<Messages<ChunkWillSpawn<Config>>>();
    let spawned: Vec<_> = spawned
        .drain()
        .map(|it| (it.chunk_key, it.entity))
        .collect();
    let mut gone = world.resource_mut::<Messages<ChunkWillDespawn<Config>>>();
    let gone: Vec<_> = gone.drain().map(|it| it.chunk_key).collect();
    world.resource_scope(|world, mut shown: Mut<Shown>| {
        for (key, entity) in spawned {
            if key.position.y != 0 || world.get_entity(entity).is_err() {
                continue;
            }
            let item = |n| {
                let place = Transform::from_xyz(n as f32, 0.0, 0.0);
                (place, Tint(7), Shape(9), ChildOf(entity))
            };
            world.spawn_batch((0..ENTITIES).map(item));
            shown.chunks.insert([key.position.x, key.position.z]);
        }
        for key in gone {
            shown.chunks.remove(&[key.position.x, key.position.z]);
        }
        shown.took += start.elapsed();
    });
}

impl Contestant for VoxelWorldContestant {
    fn frame(&mut self, viewer: Option<[f32; 2]>) {
        let world = self.app.world_mut();
        world.resource_mut::<Config>().radius = viewer.map_or(0, |_| self.radius);
        world.entity_mut(self.camera).insert(place(viewer));
        self.app.update();
    }

    fn main_thread(&self) -> Duration {
        self.app.world().resource::<Shown>().took
    }

    fn is_shown(&self, chunk: Chunk) -> bool {
        self.app.world().resource::<Shown>().chunks.contains(&chunk)
    }

    fn entities(&self) -> usize {
        self.app.world().entity_count() as usize
    }
}
