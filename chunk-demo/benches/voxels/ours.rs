//! This workspace's voxel world with its defaults, as it is compared with other crates.

use bevy_app::App;
use bevy_asset::{AssetPlugin, Assets};
use bevy_math::Vec3;
use bevy_mesh::{Mesh, Mesh3d, VertexAttributeValues};
use bevy_transform::TransformPlugin;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkStreamingPlugin, ChunkViewer, StreamingConfig};
use chunk_assets::ChunkAssetsPlugin;
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_demo::task_pools;
use chunk_demo::voxels::{SIZE, VoxelChunk, VoxelWorld, voxel_spawner};
use chunk_scheduler::{Generator, Job};

use crate::terrain::{EYE, RADIUS, SEED, Terrain, faces};

pub(crate) const OURS: &str = "ours";

struct Ours(App);

pub(crate) fn make(name: &str) -> Option<Box<dyn Terrain>> {
    if name != OURS {
        return None;
    }
    let world = VoxelWorld::new(SEED);
    let empty = world.clone();
    let generator = Generator::fallible(move |job: &Job<ChunkCoord>| world.make(job));
    let generator = generator.with_known_empty(move |coord| empty.known_empty(*coord));
    let range = ViewRange::sphere(RADIUS, RADIUS + 1).expect("it unloads farther than it loads");
    Some(Box::new(Ours(app(generator, range))))
}

/// An app without a viewer that streams voxels as far as `range`, and otherwise with the defaults.
pub(crate) fn app(generator: Generator<ChunkCoord, VoxelChunk>, range: ViewRange) -> App {
    let grid = ChunkGrid::volumetric(Vec3::splat(SIZE as f32)).expect("it is a size");
    let plugin = ChunkStreamingPlugin::new(grid, generator, voxel_spawner());
    let plugin = plugin.with_config(StreamingConfig {
        range: Some(range),
        ..StreamingConfig::default()
    });
    let mut app = App::new();
    app.add_plugins((
        task_pools(),
        AssetPlugin::default(),
        TransformPlugin,
        ChunkAssetsPlugin,
        plugin,
    ));
    app.finish();
    app.cleanup();
    app
}

impl Ours {
    /// What the meshes of entities add up to.
    fn sum(&mut self, of: impl Fn(&Mesh) -> f64) -> f64 {
        let world = self.0.world_mut();
        let mut shown = world.query::<&Mesh3d>();
        let meshes = world.resource::<Assets<Mesh>>();
        let shown = shown.iter(world).filter_map(|it| meshes.get(&it.0));
        shown.map(of).sum()
    }
}

impl Terrain for Ours {
    fn appear(&mut self) {
        let eye = Transform::from_translation(EYE.into());
        self.0.world_mut().spawn((ChunkViewer::default(), eye));
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
