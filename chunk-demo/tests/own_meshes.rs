//! Chunks with a mesh of their own, whose handle the worker reserves: whatever becomes of a chunk, no mesh stays and no
//! place among the meshes is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bevy_app::{App, TaskPoolPlugin};
use bevy_asset::{AssetApp, AssetId, AssetPlugin, Assets, Handle, RenderAssetUsages};
use bevy_ecs::entity::Entity;
use bevy_mesh::{Mesh, Mesh3d, PrimitiveTopology};
use bevy_transform::TransformPlugin;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkStream, ChunkStreamingPlugin, ChunkViewer, ManualClock, Spawner,
    StreamingConfig,
};
use chunk_assets::{AssetHandles, ChunkMesh};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{GenerateError, Generator, Job, RetryPolicy, SchedulerConfig, Simulation};

const SIZE: f32 = 16.0;
/// How long a generator takes, and how long a frame: a job is in flight for some frames.
const SLOW: Duration = Duration::from_millis(40);
const FRAME: Duration = Duration::from_millis(16);

struct Hill {
    handle: Handle<Mesh>,
    mesh: ChunkMesh,
}

/// When spawning a chunk panics.
#[derive(Clone, Default)]
struct Failures {
    /// After its entities, before its mesh.
    before: Arc<AtomicBool>,
    /// With its mesh among the meshes.
    after: Arc<AtomicBool>,
}

struct World {
    app: App,
    simulation: Simulation,
    clock: ManualClock,
    viewer: Entity,
    failures: Failures,
}

fn hill() -> Result<ChunkMesh, GenerateError> {
    let mesh = Mesh::new(
        PrimitiveTopology::TriangleList,
        RenderAssetUsages::default(),
    );
    let corners = vec![[0.0; 3], [SIZE, 0.0, 0.0], [0.0, 0.0, SIZE]];
    let mesh = ChunkMesh::new(mesh.with_inserted_attribute(Mesh::ATTRIBUTE_POSITION, corners))?;
    mesh.ok_or_else(|| GenerateError::from("a hill has vertices"))
}

impl World {
    fn new() -> Self {
        let (simulation, clock) = (Simulation::new(3), ManualClock::default());
        let mut app = App::new();
        app.add_plugins((
            TaskPoolPlugin::default(),
            AssetPlugin::default(),
            TransformPlugin,
        ))
        .init_asset::<Mesh>();
        let handles = AssetHandles::of(app.world().resource::<Assets<Mesh>>());
        let sleeper = simulation.clone();
        let generator = Generator::from_async(move |_: Job<ChunkCoord>| {
            let (handle, slow) = (handles.reserve(), sleeper.sleep(SLOW));
            async move {
                slow.await;
                Ok::<_, GenerateError>(Hill {
                    handle,
                    mesh: hill()?,
                })
            }
        });
        let failures = Failures::default();
        let fails = failures.clone();
        let spawner = Spawner::new(move |_coord, hill: Hill, writer| {
            let Hill { handle, mesh } = hill;
            let fails = fails.clone();
            let slopes = vec![handle.clone(); 3];
            writer.spawn_batch(slopes.into_iter().map(Mesh3d));
            writer.upload(mesh.bytes(), move |world, _root| {
                assert!(!fails.before.load(Ordering::Relaxed), "before the mesh");
                mesh.insert_at(&handle, world);
                assert!(!fails.after.load(Ordering::Relaxed), "after the mesh");
            });
        });
        let config = StreamingConfig {
            range: Some(ViewRange::disc(2, 3).expect("3 is not less than 2")),
            budget: ApplyBudget::unlimited(),
            linger: Duration::ZERO,
            scheduler: SchedulerConfig {
                retry: RetryPolicy {
                    max_attempts: 1,
                    ..RetryPolicy::default()
                },
                ..SchedulerConfig::default()
            },
            ..StreamingConfig::default()
        };
        let grid = ChunkGrid::planar(SIZE).expect("it is a size");
        let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner).with_config(config);
        (plugin.runtime, plugin.clock) = (simulation.runtime(), Arc::new(clock.clone()));
        app.add_plugins(plugin);
        let viewer = app.world_mut().spawn(ChunkViewer::default()).id();
        Self {
            app,
            simulation,
            clock,
            viewer,
            failures,
        }
    }

    fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.app.update();
            self.simulation.advance(FRAME);
            self.clock.advance(FRAME);
        }
    }

    fn settle(&mut self) {
        self.frames(1);
        while !self.stream().is_settled() {
            self.frames(1);
        }
    }

    fn stream(&self) -> &ChunkStream<Hill> {
        self.app.world().resource::<ChunkStream<Hill>>()
    }

    fn loaded(&self) -> usize {
        self.app.world().resource::<ChunkIndex<Hill>>().len()
    }

    fn meshes(&self) -> &Assets<Mesh> {
        self.app.world().resource::<Assets<Mesh>>()
    }

    fn refresh_all(&mut self) {
        let mut stream = self.app.world_mut().resource_mut::<ChunkStream<Hill>>();
        let wanted: Vec<ChunkCoord> = stream.wanted().iter().collect();
        for coord in wanted {
            stream.refresh(coord);
        }
    }

    /// Takes the viewer far away.
    fn leave(&mut self) {
        let away = Transform::from_xyz(1e4, 0.0, 1e4);
        self.app.world_mut().entity_mut(self.viewer).insert(away);
    }

    /// Ends everything. Then there are no meshes, and all places that were ever reserved are free.
    fn assert_nothing_stays(mut self) {
        self.app.world_mut().despawn(self.viewer);
        self.settle();
        // What was dropped in one frame is removed in the next.
        self.frames(2);
        let handles = AssetHandles::of(self.meshes());
        // All free places come before one that was never used, whose number says how many were.
        let mut reserved = Vec::new();
        let used = loop {
            let handle = handles.reserve();
            match handle.id() {
                AssetId::Index { index, .. } if index.to_bits() <= u64::from(u32::MAX) => {
                    break index.to_bits() as usize;
                }
                _ => reserved.push(handle),
            }
        };
        assert_eq!(
            reserved.len(),
            used,
            "places that are free, and that there are"
        );
        assert_eq!((self.meshes().len(), self.loaded()), (0, 0));
    }
}

/// Chunks within 2 of a viewer.
const WANTED: usize = 13;

#[test]
fn meshes_are_there_with_their_chunks_and_go_with_them() {
    let mut world = World::new();
    world.settle();
    assert_eq!((world.loaded(), world.meshes().len()), (WANTED, WANTED));
    world.leave();
    world.settle();
    world.frames(2);
    assert_eq!((world.loaded(), world.meshes().len()), (WANTED, WANTED));
    world.assert_nothing_stays();
}

#[test]
fn a_job_that_is_cancelled_gives_its_handle_back() {
    let mut world = World::new();
    world.frames(2);
    assert_eq!(world.loaded(), 0, "the first jobs are in flight");
    world.leave();
    world.settle();
    assert!(world.stream().scheduler().counters().cancelled >= WANTED as u64 - 1);
    world.assert_nothing_stays();
}

#[test]
fn a_mesh_that_is_superseded_goes_before_or_after_it_is_shown() {
    let mut world = World::new();
    world.settle();
    // Finished ones wait, and become stale when newer ones are finished.
    let mut stream = world.app.world_mut().resource_mut::<ChunkStream<Hill>>();
    stream.budget.chunks = Some(1);
    for _ in 0..4 {
        world.refresh_all();
        world.frames(10);
    }
    world.settle();
    world.frames(2);
    let counters = world.stream().scheduler().counters();
    assert!(
        counters.stale > 0 && counters.applied > 2 * WANTED as u64,
        "{counters:?}"
    );
    assert_eq!((world.loaded(), world.meshes().len()), (WANTED, WANTED));
    world.assert_nothing_stays();
}

#[test]
fn a_chunk_whose_spawner_fails_leaves_no_mesh() {
    for before in [true, false] {
        let mut world = World::new();
        let fails = &world.failures;
        let fails = if before { &fails.before } else { &fails.after };
        fails.store(true, Ordering::Relaxed);
        world.settle();
        world.frames(2);
        assert_eq!(world.stream().quarantined().len(), WANTED);
        assert_eq!((world.loaded(), world.meshes().len()), (0, 0));
        world.assert_nothing_stays();
    }
}
