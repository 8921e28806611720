//! The terrain in an app: levels and colliders around a viewer, and what stays when it is gone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use avian3d::collision::collider::Collider;
use avian3d::dynamics::rigid_body::RigidBody;
use bevy_app::{App, TaskPoolPlugin};
use bevy_asset::{AssetPlugin, Assets};
use bevy_ecs::prelude::*;
use bevy_mesh::{Mesh, Mesh3d};
use bevy_transform::TransformPlugin;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLevels, ChunkStream, ChunkStreamingPlugin, ChunkViewer,
    ManualClock, StreamingConfig,
};
use chunk_assets::asset_count;
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_demo::terrain::{
    Ground, TerrainChunk, TerrainConfig, TerrainWorld, add_terrain_assets, terrain_spawner,
};
use chunk_scheduler::{Generator, Simulation};

const FRAME: Duration = Duration::from_millis(16);

struct World {
    app: App,
    simulation: Simulation,
    clock: ManualClock,
    world: TerrainWorld,
    levels: ChunkLevels,
    viewer: Entity,
}

fn config() -> TerrainConfig {
    TerrainConfig {
        rings: [1, 4],
        ..crate::config()
    }
}

impl World {
    fn new() -> Self {
        let (simulation, clock) = (Simulation::new(5), ManualClock::default());
        let world = TerrainWorld::new(config()).expect("the settings make a terrain");
        let (levels, made) = (world.levels(), world.clone());
        let mut app = App::new();
        let pools = TaskPoolPlugin::default();
        app.add_plugins((pools, AssetPlugin::default(), TransformPlugin));
        add_terrain_assets(&mut app);
        let size = config().chunk_size;
        let grid = ChunkGrid::planar(size).expect("it is a size");
        let generator = Generator::fallible(move |job| made.make(job));
        let plugin = ChunkStreamingPlugin::new(grid, generator, terrain_spawner(size));
        let mut plugin = plugin
            .with_levels(levels.clone())
            .with_config(StreamingConfig {
                range: Some(ViewRange::disc(5, 6).expect("6 is not less than 5")),
                budget: ApplyBudget::unlimited(),
                linger: Duration::ZERO,
                ..StreamingConfig::default()
            });
        (plugin.runtime, plugin.clock) = (simulation.runtime(), Arc::new(clock.clone()));
        app.add_plugins(plugin);
        let viewer = app.world_mut().spawn(ChunkViewer::default()).id();
        let mut world = Self {
            app,
            simulation,
            clock,
            world,
            levels,
            viewer,
        };
        world.settle();
        world
    }

    fn frame(&mut self) {
        self.app.update();
        self.simulation.advance(FRAME);
        self.clock.advance(FRAME);
    }

    fn settle(&mut self) {
        self.frame();
        while !self.stream().is_settled() {
            self.frame();
        }
        // What was dropped in one frame is removed in the next.
        self.frame();
        self.frame();
    }

    fn stream(&self) -> &ChunkStream<TerrainChunk> {
        self.app.world().resource::<ChunkStream<TerrainChunk>>()
    }

    fn meshes(&self) -> usize {
        self.app.world().resource::<Assets<Mesh>>().len()
    }

    fn go_to(&mut self, chunk: i32) {
        let place = Transform::from_xyz((chunk as f32 + 0.5) * config().chunk_size, 0.0, 1.0);
        self.app.world_mut().entity_mut(self.viewer).insert(place);
        self.settle();
    }

    /// How many chunks there are of each level, after checking each of them.
    fn levels(&mut self) -> BTreeMap<u8, usize> {
        let mut grounds =
            self.app
                .world_mut()
                .query::<(&Ground, &Mesh3d, &ChildOf, Option<(&RigidBody, &Collider)>)>();
        let (world, levels) = (self.app.world(), &self.levels);
        let index = world.resource::<ChunkIndex<TerrainChunk>>();
        let mut found = BTreeMap::new();
        for (coord, chunk) in index.iter() {
            let children = world.get::<Children>(chunk.root).expect("it has a ground");
            assert_eq!(children.len(), 1);
            let (ground, mesh, parent, body) = grounds.get(world, children[0]).expect("it is one");
            assert_eq!(parent.parent(), chunk.root);
            assert!(world.resource::<Assets<Mesh>>().contains(mesh));
            assert_eq!(ground.level, levels.of(coord), "{coord}");
            assert_eq!(body.is_some(), ground.level == 0, "{coord}");
            *found.entry(ground.level).or_default() += 1;
        }
        assert_eq!(grounds.iter(world).len(), index.len(), "and no other ones");
        found
    }
}

#[test]
fn near_chunks_are_fine_and_have_colliders_and_far_ones_are_coarse() {
    let mut world = World::new();
    // Discs of radius 1, 4 and 5 have 5, 49 and 81 chunks.
    assert_eq!(world.levels(), BTreeMap::from([(0, 5), (1, 44), (2, 32)]));
    assert_eq!(world.meshes(), 2 + 81);
    world.go_to(4);
    let levels = world.levels();
    assert!(levels[&0] >= 5 && levels[&1] >= 40, "{levels:?}");
}

#[test]
fn heights_are_made_once_however_often_a_chunk_is_made() {
    let mut world = World::new();
    assert_eq!(world.world.heights().made, 81);
    world.go_to(2);
    let (made, generated) = (
        world.world.heights().made,
        world.stream().scheduler().counters().generated,
    );
    world.go_to(0);
    world.go_to(2);
    assert_eq!(world.world.heights().made, made);
    assert_eq!(world.world.heights().repeats, 0);
    assert!(world.stream().scheduler().counters().generated > generated);
}

#[test]
fn nothing_stays_of_what_is_unloaded() {
    let mut world = World::new();
    world.app.world_mut().despawn(world.viewer);
    world.settle();
    assert!(world.levels().is_empty());
    // The four shared assets of the crate, and the material of the terrain.
    assert_eq!((world.meshes(), asset_count(world.app.world())), (2, 5));
}

#[test]
fn what_a_chunk_stands_for_is_known_in_bytes() {
    let world = World::new();
    let index = world.app.world().resource::<ChunkIndex<TerrainChunk>>();
    let near = index.chunk(ChunkCoord::ORIGIN).expect("it is loaded");
    let far = index.chunk(ChunkCoord::planar(5, 0)).expect("it is loaded");
    assert_eq!((near.bytes, far.bytes), (62_504, 5_672));
}
