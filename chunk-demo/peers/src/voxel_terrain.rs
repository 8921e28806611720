//! bevy_voxel_world 0.19 with its meshes, on the land of chunk-demo's voxel world.
//!
//! What is set for its good: the chunks of the whole sphere are found by flooding and in the first frame, and there is no
//! viewport, so that no rays are cast; the sky is hinted as empty, so that none of it is spawned; chunks are not attached to
//! a root; the material is one that needs no plugin, because nothing is drawn; and as the other world does, its generator
//! keeps the heights of a column for all of its chunks. Everything else is as it comes, the mesher among it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bevy::asset::AssetPlugin;
use bevy::mesh::VertexAttributeValues;
use bevy::prelude::*;
use bevy_voxel_world::prelude::*;

use crate::land::{Block, Column, Land};
use crate::task_pools::task_pools;
use crate::terrain::{EYE, RADIUS, SEED, Terrain, faces};

/// The side of a chunk in voxels; fixed by the crate.
const SIZE: i32 = 32;

/// With one voxel of its neighbours on each side.
const PADDED: i32 = SIZE + 2;

/// The heights of a padded column of chunks.
type Heights = Arc<[f32]>;

#[derive(Resource, Clone)]
struct Config {
    land: Arc<Land>,
    heights: Arc<Mutex<HashMap<Column, Heights>>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            land: Arc::new(Land::new(SEED)),
            heights: Arc::default(),
        }
    }
}

impl Config {
    /// The voxels of a padded chunk.
    fn padded(&self, chunk: IVec3) -> Box<[Block]> {
        let corner = chunk * SIZE - 1;
        let column = Column {
            x: chunk.x,
            z: chunk.z,
        };
        let kept = || self.heights.lock().unwrap_or_else(PoisonError::into_inner);
        let known = kept().get(&column).cloned();
        let heights = known.unwrap_or_else(|| {
            let at = |n: i32| {
                let (x, z) = (corner.x + n % PADDED, corner.z + n / PADDED);
                self.land.height_at(x, z)
            };
            let heights: Heights = (0..PADDED * PADDED).map(at).collect();
            kept().insert(column, Arc::clone(&heights));
            heights
        });
        self.land.cube(corner, PADDED as usize, &heights)
    }
}

impl VoxelWorldConfig for Config {
    type MaterialIndex = u8;
    type ChunkUserBundle = ();

    fn spawning_distance(&self) -> u32 {
        RADIUS
    }

    fn chunk_despawn_strategy(&self) -> ChunkDespawnStrategy {
        ChunkDespawnStrategy::FarAway
    }

    fn chunk_spawn_strategy(&self) -> ChunkSpawnStrategy {
        ChunkSpawnStrategy::Close
    }

    fn chunk_fill_hint(&self, key: ChunkKey) -> FillHint {
        if key.position.y >= Land::SKY / SIZE {
            FillHint::Uniform(WorldVoxel::Air)
        } else {
            FillHint::Unknown
        }
    }

    fn attach_chunks_to_root(&self) -> bool {
        false
    }

    fn voxel_lookup_delegate(&self) -> VoxelLookupDelegate {
        let config = self.clone();
        Box::new(move |chunk, _, _| {
            let config = config.clone();
            let number = |place: IVec3| place.x + PADDED * (place.y + PADDED * place.z);
            let first = number(chunk * SIZE - 1);
            // Made with the first voxel that is asked for, which is on a worker.
            let mut blocks = None;
            Box::new(move |place, _| {
                let blocks = blocks.get_or_insert_with(|| config.padded(chunk));
                match blocks[(number(place) - first) as usize] {
                    Block::Air => WorldVoxel::Air,
                    block => WorldVoxel::Solid(block as u8),
                }
            })
        })
    }
}

struct VoxelTerrain(App);

pub(crate) fn make(name: &str) -> Option<Box<dyn Terrain>> {
    if name != "bevy_voxel_world" {
        return None;
    }
    let mut app = App::new();
    app.add_plugins((task_pools(), AssetPlugin::default(), TransformPlugin))
        .init_asset::<Mesh>()
        .init_asset::<Shader>()
        .init_asset::<StandardMaterial>();
    let world = VoxelWorldPlugin::with_config(Config::default());
    app.add_plugins(world.with_material(StandardMaterial::default()));
    app.finish();
    app.cleanup();
    Some(Box::new(VoxelTerrain(app)))
}

impl VoxelTerrain {
    /// What the meshes of entities add up to.
    fn sum(&mut self, of: impl Fn(&Mesh) -> f64) -> f64 {
        let world = self.0.world_mut();
        let mut shown = world.query::<&Mesh3d>();
        let meshes = world.resource::<Assets<Mesh>>();
        let shown = shown.iter(world).filter_map(|it| meshes.get(&it.0));
        shown.map(of).sum()
    }
}

impl Terrain for VoxelTerrain {
    fn appear(&mut self) {
        let eye = Transform::from_translation(EYE.into());
        let camera = (Camera::default(), VoxelWorldCamera::<Config>::default());
        // The chunks are planned before the first transform is propagated.
        let place = GlobalTransform::from(eye);
        self.0.world_mut().spawn((camera, eye, place));
    }

    fn frame(&mut self) {
        self.0.update();
    }

    fn meshes(&mut self) -> usize {
        self.sum(|_| 1.0) as usize
    }

    fn faces(&mut self) -> f64 {
        self.sum(faces_of)
    }
}

fn faces_of(mesh: &Mesh) -> f64 {
    let (Some(VertexAttributeValues::Float32x3(positions)), Some(indices)) =
        (mesh.attribute(Mesh::ATTRIBUTE_POSITION), mesh.indices())
    else {
        return 0.0;
    };
    faces(positions, indices.iter())
}
