//! Digging and building: what a voxel touches is shown together, and is what brute force makes of it.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bevy_app::{App, TaskPoolPlugin};
use bevy_asset::{AssetPlugin, Assets};
use bevy_ecs::message::{MessageCursor, Messages};
use bevy_math::{IVec3, Vec3};
use bevy_mesh::{Mesh, Mesh3d};
use bevy_transform::TransformPlugin;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLoaded, ChunkStream, ChunkStreamingPlugin, ChunkViewer,
    ManualClock, StreamingConfig,
};
use chunk_assets::ChunkAssetsPlugin;
use chunk_coord::{ChunkCoord, ChunkGrid, Footprint, ViewRange};
use chunk_demo::voxels::{Block, SIZE, Surroundings, VoxelChunk, VoxelWorld, mesh, voxel_spawner};
use chunk_scheduler::{Generator, Job, Simulation};

const FRAME: Duration = Duration::from_millis(16);

struct Game {
    app: App,
    simulation: Simulation,
    clock: ManualClock,
    world: VoxelWorld,
    loaded: MessageCursor<ChunkLoaded<VoxelChunk>>,
}

impl Game {
    fn new(seed: u64) -> Self {
        Self::of(VoxelWorld::new(seed), seed)
    }

    fn of(world: VoxelWorld, seed: u64) -> Self {
        let simulation = Simulation::with_threads(seed, 2);
        let clock = ManualClock::default();
        let (made, empty) = (world.clone(), world.clone());
        let generator = Generator::fallible(move |job: &Job<ChunkCoord>| made.make(job));
        let generator = generator.with_known_empty(move |coord| empty.known_empty(*coord));
        let load = Footprint::Cylinder {
            radius: 2,
            half_height: 2,
        };
        let config = StreamingConfig {
            range: Some(ViewRange::with_band(load, 1)),
            budget: ApplyBudget::DEFAULT,
            ..StreamingConfig::default()
        };
        let grid = ChunkGrid::volumetric(Vec3::splat(SIZE as f32)).expect("it is a size");
        let mut plugin = ChunkStreamingPlugin::new(grid, generator, voxel_spawner());
        plugin.config = config;
        (plugin.runtime, plugin.clock) = (simulation.runtime(), Arc::new(clock.clone()));
        let mut app = App::new();
        app.add_plugins((
            TaskPoolPlugin::default(),
            AssetPlugin::default(),
            TransformPlugin,
            ChunkAssetsPlugin,
            plugin,
        ));
        // In the chunk 0, 1, 0.
        let eye = Transform::from_xyz(16.0, 48.0, 16.0);
        app.world_mut().spawn((ChunkViewer::default(), eye));
        let mut game = Self {
            app,
            simulation,
            clock,
            world,
            loaded: MessageCursor::default(),
        };
        while game.index().len() < 13 * 5 {
            game.frame();
        }
        game
    }

    /// Runs a frame, and returns what was loaded in it.
    fn frame(&mut self) -> BTreeSet<ChunkCoord> {
        self.app.update();
        self.simulation.advance(FRAME);
        self.clock.advance(FRAME);
        let messages = self
            .app
            .world()
            .resource::<Messages<ChunkLoaded<VoxelChunk>>>();
        self.loaded
            .read(messages)
            .map(|loaded| loaded.coord)
            .collect()
    }

    fn index(&self) -> &ChunkIndex<VoxelChunk> {
        self.app.world().resource::<ChunkIndex<VoxelChunk>>()
    }

    /// Makes a voxel into something else, and returns how many chunks the stream made anew for that.
    fn set(&mut self, voxel: IVec3, block: Block) -> usize {
        let stream = self
            .app
            .world_mut()
            .resource_mut::<ChunkStream<VoxelChunk>>();
        self.world.set(voxel, block, stream.into_inner())
    }

    /// Makes solid what is air, and air what is solid.
    fn turn(&mut self, voxel: IVec3) -> usize {
        let block = match self.world.block_at(voxel) {
            Block::Air => Block::Brick,
            _ => Block::Air,
        };
        self.set(voxel, block)
    }

    /// The positions and colours of the mesh that is shown of a chunk.
    fn shown(&self, coord: ChunkCoord) -> Option<Mesh> {
        let root = self.index().root(coord).expect("it is loaded");
        let handle = self.app.world().get::<Mesh3d>(root)?;
        let meshes = self.app.world().resource::<Assets<Mesh>>();
        Some(
            meshes
                .get(&handle.0)
                .expect("it is there with its chunk")
                .clone(),
        )
    }

    /// That every chunk is shown as the world is now.
    fn assert_is_shown(&self) {
        for (coord, _) in self.index().iter() {
            let read = |coord| Ok::<_, Infallible>(self.world.voxels(coord));
            let Ok(surroundings) = Surroundings::read(coord, read);
            let expected = surroundings
                .map(|it| mesh(&it))
                .filter(|it| it.count_vertices() > 0);
            let shown = self.shown(coord);
            assert_eq!(shown.is_some(), expected.is_some(), "{coord}");
            let (Some(shown), Some(expected)) = (shown, expected) else {
                continue;
            };
            for attribute in [Mesh::ATTRIBUTE_POSITION, Mesh::ATTRIBUTE_COLOR] {
                let [shown, expected] =
                    [&shown, &expected].map(|it| it.attribute(attribute).map(|it| it.get_bytes()));
                assert!(shown == expected, "{coord} is shown as it was");
            }
        }
    }
}

#[test]
fn a_voxel_touches_as_many_chunks_as_meet_there() {
    for (voxel, chunks) in [
        (IVec3::new(16, 16, 16), 1),
        (IVec3::new(31, 16, 16), 2),
        (IVec3::new(0, 16, 16), 2),
        (IVec3::new(0, 31, 16), 4),
        (IVec3::new(0, 31, -1), 8),
        (IVec3::new(-32, 64, 32), 8),
    ] {
        let touched: BTreeSet<_> = VoxelWorld::touched_by(voxel).collect();
        assert_eq!(touched.len(), chunks, "{voxel}");
        // Each of them has a voxel beside it, or is its own.
        let beside = (0..27).map(|n| voxel + IVec3::new(n % 3, n / 3 % 3, n / 9) - IVec3::ONE);
        let expected = beside.map(|voxel| chunk_demo::voxels::chunk_of(voxel).0);
        assert_eq!(touched, expected.collect());
    }
}

#[test]
fn an_edit_at_a_corner_is_shown_in_all_eight_chunks_in_one_frame_soon() {
    let mut game = Game::new(1);
    game.assert_is_shown();
    for voxel in [
        IVec3::new(0, 32, 0),
        IVec3::new(31, 31, 31),
        IVec3::new(0, 31, 31),
    ] {
        let touched: BTreeSet<_> = VoxelWorld::touched_by(voxel).collect();
        assert_eq!(touched.len(), 8);
        assert_eq!(game.turn(voxel), 8, "all of them are loaded");
        // In the frame of the edit the jobs begin, in the next their results are there.
        let frames: Vec<_> = (0..4).map(|_| game.frame()).collect();
        let first = frames.iter().position(|loaded| !loaded.is_empty());
        let first = first.expect("the edit is shown");
        assert!(first <= 2, "after {first} frames");
        assert_eq!(frames[first], touched, "all in one frame, and no other");
        assert!(frames[first + 1..].iter().all(BTreeSet::is_empty));
        game.assert_is_shown();
    }
}

#[test]
fn only_the_edited_voxels_are_made_again_and_none_for_want_of_room() {
    let mut game = Game::new(2);
    let before = game.world.layers();
    game.turn(IVec3::new(0, 32, 0));
    for _ in 0..4 {
        game.frame();
    }
    let after = game.world.layers();
    let made = |n: usize| after[n].made - before[n].made;
    assert_eq!([made(0), made(1)], [0, 1], "{after:?}");
    assert!(after.iter().all(|layer| layer.repeats == 0), "{after:?}");
}

#[test]
fn one_can_build_in_the_sky_and_take_it_away_again() {
    let mut game = Game::new(1);
    let voxel = IVec3::new(20, 100, 7);
    let coord = ChunkCoord::new(0, 3, 0);
    assert!(game.world.known_empty(coord).is_some() && game.shown(coord).is_none());
    game.set(voxel, Block::Brick);
    (0..4).for_each(|_| _ = game.frame());
    assert_eq!(
        game.shown(coord).map(|mesh| mesh.count_vertices()),
        Some(24)
    );
    game.assert_is_shown();
    game.set(voxel, Block::Air);
    (0..4).for_each(|_| _ = game.frame());
    assert!(game.shown(coord).is_none());
}

#[test]
fn a_look_meets_the_first_solid_voxel_from_any_side() {
    let world = VoxelWorld::new(4);
    for (from, direction) in [
        (Vec3::new(3.2, 95.0, 8.7), Vec3::NEG_Y),
        (Vec3::new(-31.37, 90.21, 40.13), Vec3::new(1.0, -1.0, 0.5)),
        (Vec3::new(64.0, 94.0, -64.0), Vec3::new(-0.31, -0.83, 0.57)),
        (Vec3::new(5.0, 93.0, 5.0), Vec3::new(0.0, -0.9, 1.0)),
    ] {
        let hit = world.look(from, direction, 300.0).expect("there is ground");
        assert!(world.block_at(hit.voxel).is_solid() && !world.block_at(hit.before).is_solid());
        assert_eq!(
            (hit.voxel - hit.before).abs().element_sum(),
            1,
            "they share a face"
        );
        // In small steps there is nothing solid before it.
        let direction = direction.normalize();
        let steps = (0..).map(|n| (from + direction * (n as f32 * 0.001)).floor().as_ivec3());
        let first = steps
            .into_iter()
            .find(|voxel| world.block_at(*voxel).is_solid());
        assert_eq!(first, Some(hit.voxel), "from {from} towards {direction}");
    }
    let up = world.look(Vec3::new(0.0, 100.0, 0.0), Vec3::Y, 50.0);
    assert_eq!((up, world.look(Vec3::ZERO, Vec3::ZERO, 9.0)), (None, None));
    let nowhere = world.look(Vec3::new(0.0, 100.0, 0.0), Vec3::NEG_Y, f32::NAN);
    assert_eq!(nowhere, None);
}

#[cfg(feature = "saves")]
#[test]
fn what_was_changed_is_there_in_the_next_game() {
    use bevy_tasks::block_on;
    use chunk_demo::voxels::{Edits, chunk_of};
    use chunk_scheduler::Runtime;
    use chunk_scheduler::store::{Archive, ArchiveConfig, MemoryStore, Postcard};

    let store = MemoryStore::default();
    let saved = || {
        let archive = Archive::new(
            store.clone(),
            Postcard::new(),
            ArchiveConfig::default(),
            Runtime::default(),
        );
        let edits = block_on(Edits::saved_in(archive)).expect("it is in memory");
        VoxelWorld::with(1, edits)
    };
    let places = [
        IVec3::new(16, 48, 16),
        IVec3::new(31, 40, 0),
        IVec3::new(32, 40, 0),
    ];
    let mut game = Game::of(saved(), 1);
    let before = places.map(|place| game.world.block_at(place));
    for place in places {
        game.turn(place);
        // Twice, so that a chunk is saved again while it waits to be written.
        game.turn(place);
        game.turn(place);
    }
    let archive = game.world.edits().archive().expect("it is saved");
    archive
        .flush_within(Duration::from_secs(10))
        .expect("it is in memory");
    let next = saved();
    for (place, before) in places.into_iter().zip(before) {
        assert_ne!(next.block_at(place), before, "{place}");
        let (chunk, _) = chunk_of(place);
        assert_eq!(next.voxels(chunk), game.world.voxels(chunk));
    }
    // Chunks of sky that nobody built in still need no generator.
    assert!(next.known_empty(ChunkCoord::new(0, 99, 0)).is_some());
}
