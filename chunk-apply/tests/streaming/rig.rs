//! An app with one stream on a simulated pool and a clock that only moves when told.

use bevy_app::{App, Plugin};
use bevy_ecs::{prelude::*, query::QueryFilter};
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkFailed, ChunkIndex, ChunkLoaded, ChunkStream, ChunkStreamingPlugin,
    ChunkUnloaded, ChunkViewer, ChunkWriter, Clock, ManualClock, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{Generator, Job, Simulation};
use std::{sync::Arc, time::Duration};

/// What the tests' generators make: so many pieces.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "bevy_reflect", derive(bevy_reflect::TypePath))]
pub(crate) struct Pieces(pub(crate) usize);

/// On each entity that the tests' spawners make.
#[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece(pub(crate) usize);

pub(crate) const CHUNK_SIZE: f32 = 10.0;
pub(crate) const PIECES: usize = 5;

pub(crate) fn grid() -> ChunkGrid {
    ChunkGrid::planar(CHUNK_SIZE).expect("10 is a size")
}

pub(crate) fn generator() -> Generator<ChunkCoord, Pieces> {
    Generator::new(|_job: &Job<ChunkCoord>| Pieces(PIECES))
}

pub(crate) fn spawner() -> Spawner<ChunkCoord, Pieces> {
    Spawner::new(|_coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..pieces.0).map(Piece));
    })
}

/// Loads a disc of 3 chunks (29 of them), unloads beyond 4, without limits. What a viewer wanted goes with it.
pub(crate) fn config() -> StreamingConfig {
    StreamingConfig {
        range: Some(ViewRange::disc(3, 4).expect("4 is not less than 3")),
        budget: ApplyBudget::unlimited(),
        scan_budget: Duration::from_secs(60),
        linger: Duration::ZERO,
        ..StreamingConfig::default()
    }
}

/// Two chunks a frame, however long they take.
pub(crate) fn two_chunks_a_frame() -> ApplyBudget {
    ApplyBudget {
        chunks: Some(2),
        ..ApplyBudget::unlimited()
    }
}

pub(crate) struct Rig {
    pub(crate) app: App,
    pub(crate) simulation: Simulation,
    pub(crate) clock: ManualClock,
}

impl Rig {
    /// The usual stream.
    pub(crate) fn new() -> Self {
        Self::with(generator(), spawner(), config())
    }

    pub(crate) fn with(
        generator: Generator<ChunkCoord, Pieces>,
        spawner: Spawner<ChunkCoord, Pieces>,
        config: StreamingConfig,
    ) -> Self {
        Self::on(ManualClock::default(), generator, spawner, config)
    }

    /// The usual stream with more to it.
    pub(crate) fn with_plugin<F: QueryFilter + 'static>(
        change: impl FnOnce(ChunkStreamingPlugin<Pieces>) -> ChunkStreamingPlugin<Pieces, F>,
    ) -> Self {
        Self::build(
            ManualClock::default(),
            change(ChunkStreamingPlugin::new(grid(), generator(), spawner()).with_config(config())),
        )
    }

    /// A stream on a clock that its parts may move.
    pub(crate) fn on(
        clock: ManualClock,
        generator: Generator<ChunkCoord, Pieces>,
        spawner: Spawner<ChunkCoord, Pieces>,
        config: StreamingConfig,
    ) -> Self {
        let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner).with_config(config);
        Self::build(clock, plugin)
    }

    pub(crate) fn build<F: QueryFilter + 'static>(
        clock: ManualClock,
        plugin: ChunkStreamingPlugin<Pieces, F>,
    ) -> Self {
        Self::assemble(Simulation::new(1), clock.clone(), clock, plugin)
    }

    /// A stream that reads `read`, which the rig moves through `clock`.
    pub(crate) fn build_on(
        read: impl Clock,
        clock: ManualClock,
        plugin: ChunkStreamingPlugin<Pieces>,
    ) -> Self {
        Self::assemble(Simulation::new(1), read, clock, plugin)
    }

    /// A stream on a simulation that its generator knows.
    pub(crate) fn simulated(
        simulation: Simulation,
        clock: ManualClock,
        plugin: ChunkStreamingPlugin<Pieces>,
    ) -> Self {
        Self::assemble(simulation, clock.clone(), clock, plugin)
    }

    fn assemble<F: QueryFilter + 'static>(
        simulation: Simulation,
        read: impl Clock,
        clock: ManualClock,
        mut plugin: ChunkStreamingPlugin<Pieces, F>,
    ) -> Self {
        plugin.runtime = simulation.runtime();
        plugin.clock = Arc::new(read);
        let mut app = App::new();
        plugin.build(&mut app);
        Self {
            app,
            simulation,
            clock,
        }
    }

    /// A viewer in the middle of a chunk.
    pub(crate) fn viewer(&mut self, x: i32, z: i32) -> Entity {
        let transform = middle_of(x, z);
        (self.app.world_mut())
            .spawn((ChunkViewer::default(), transform))
            .id()
    }

    pub(crate) fn move_to(&mut self, viewer: Entity, x: i32, z: i32) {
        *(self.app.world_mut().get_mut::<Transform>(viewer)).expect("a viewer") = middle_of(x, z);
    }

    /// Moves the world's origin, and nothing but the chunks with it. Returns by how much.
    pub(crate) fn move_origin(&mut self, origin: ChunkCoord) -> Vec3 {
        let shift = ChunkStream::<Pieces>::move_origin(self.app.world_mut(), origin);
        shift.expect("there is a stream")
    }

    /// One frame of 16 ms, after which the workers do all they can.
    pub(crate) fn frame(&mut self) {
        self.app.update();
        self.simulation.run();
        self.clock.advance(Duration::from_millis(16));
    }

    /// A frame of this length, in which generators do what they can do in it.
    pub(crate) fn timed_frame(&mut self, length: Duration) {
        self.app.update();
        self.simulation.advance(length);
        self.clock.advance(length);
        assert_eq!(self.stream().scheduler().audit(), Ok(()));
    }

    /// Such frames until nothing is left to do.
    pub(crate) fn settle_timed(&mut self, length: Duration) {
        for _ in 0..2_000 {
            self.timed_frame(length);
            if self.stream().is_settled() {
                return;
            }
        }
        panic!("never settles: {:?}", self.stream());
    }

    pub(crate) fn frames(&mut self, count: usize) {
        for _ in 0..count {
            self.frame();
        }
    }

    /// Frames until nothing is left to do.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            self.frame();
            assert_eq!(self.stream().scheduler().audit(), Ok(()));
            if self.stream().is_settled() {
                return;
            }
        }
        panic!("never settles: {:?}", self.stream());
    }

    pub(crate) fn stream(&self) -> &ChunkStream<Pieces> {
        self.app.world().resource()
    }

    pub(crate) fn stream_mut(&mut self) -> Mut<'_, ChunkStream<Pieces>> {
        self.app.world_mut().resource_mut()
    }

    pub(crate) fn index(&self) -> &ChunkIndex<Pieces> {
        self.app.world().resource()
    }

    /// How many pieces there are in the world.
    pub(crate) fn pieces(&mut self) -> usize {
        let world = self.app.world_mut();
        world.query::<&Piece>().iter(world).count()
    }

    pub(crate) fn loaded(&mut self) -> Vec<ChunkLoaded<Pieces>> {
        self.drain()
    }

    pub(crate) fn unloaded(&mut self) -> Vec<ChunkUnloaded<Pieces>> {
        self.drain()
    }

    pub(crate) fn failed(&mut self) -> Vec<ChunkFailed<Pieces>> {
        self.drain()
    }

    fn drain<M: Message>(&mut self) -> Vec<M> {
        (self.app.world_mut().resource_mut::<Messages<M>>())
            .drain()
            .collect()
    }
}

/// How often [`viewers_have_ground`] ran.
#[derive(Resource, Default)]
pub(crate) struct Runs(pub(crate) usize);

/// Asserts that the chunk of each viewer is loaded, where a run condition lets it.
pub(crate) fn viewers_have_ground(
    stream: Res<ChunkStream<Pieces>>,
    index: Res<ChunkIndex<Pieces>>,
    viewers: Query<&Transform, With<ChunkViewer>>,
    mut runs: ResMut<Runs>,
) {
    for place in &viewers {
        let here = stream.grid().coord_at(place.translation);
        assert!(index.contains(here.expect("a position")));
    }
    runs.0 += 1;
}

pub(crate) fn middle_of(x: i32, z: i32) -> Transform {
    let middle = |n: i32| (n as f32 + 0.5) * CHUNK_SIZE;
    Transform::from_xyz(middle(x), 0.0, middle(z))
}
