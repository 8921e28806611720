//! The index against a naive model, over random walks, teleports, edits and vandalism.
#![cfg(feature = "streaming")]

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkRoot, ChunkStreamingPlugin, ChunkViewer, ChunkWriter,
    ManualClock, Spawner, Streaming, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, ViewRange};
use chunk_scheduler::{Generator, Job, Simulation};
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// The content: how many pieces.
struct Pieces(usize);

#[derive(Component)]
struct Piece;

#[derive(Clone, Debug)]
enum Action {
    Move(usize, i32, i32),
    Vanish(usize),
    Refresh(i32, i32),
    DespawnRoot(usize),
    Budget(Option<u32>),
    Frames(usize),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let near = -6..6_i32;
    let action = prop_oneof![
        4 => (0..4_usize, near.clone(), near.clone()).prop_map(|(v, x, z)| Action::Move(v, x, z)),
        1 => (0..4_usize).prop_map(Action::Vanish),
        2 => (near.clone(), near).prop_map(|(x, z)| Action::Refresh(x, z)),
        1 => (0..50_usize).prop_map(Action::DespawnRoot),
        1 => prop::option::of(0..4_u32).prop_map(Action::Budget),
        4 => (1..4_usize).prop_map(Action::Frames),
    ];
    prop::collection::vec(action, 1..60)
}

/// A chunk's size in pieces follows from its coordinate; some fail for good.
fn pieces(coord: ChunkCoord) -> usize {
    (coord.x.rem_euclid(4) + coord.z.rem_euclid(3)) as usize * 20
}

fn is_broken(coord: ChunkCoord) -> bool {
    (coord.x * 7 + coord.z * 3).rem_euclid(23) == 0
}

struct Streamed {
    app: App,
    simulation: Simulation,
    clock: ManualClock,
    viewers: [Option<Entity>; 4],
    /// Chunks whose root somebody despawned, until they are wanted anew or refreshed.
    vandalised: BTreeSet<ChunkCoord>,
}

impl Streamed {
    fn new(seed: u64) -> Self {
        let clock = ManualClock::default();
        let simulation = Simulation::new(seed);
        let generator = Generator::fallible(|job: &Job<ChunkCoord>| {
            if is_broken(job.key()) {
                return Err("broken");
            }
            Ok(Pieces(pieces(job.key())))
        });
        let slow = clock.clone();
        let spawner = Spawner::new(move |_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let slow = slow.clone();
            writer.spawn_batch((0..pieces.0).map(move |_| {
                slow.advance(Duration::from_micros(1));
                Piece
            }));
        });
        let config = StreamingConfig {
            range: ViewRange::disc(2, 3).expect("3 is not less than 2"),
            budget: ApplyBudget::time(Duration::from_micros(70)),
            scan_budget: Duration::from_secs(60),
            ..StreamingConfig::default()
        };
        let grid = ChunkGrid::planar(1.0).expect("1 is a size");
        let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner).with_config(config);
        plugin.runtime = simulation.runtime();
        plugin.clock = Arc::new(clock.clone());
        let mut app = App::new();
        plugin.build(&mut app);
        Self {
            app,
            simulation,
            clock,
            viewers: [None; 4],
            vandalised: BTreeSet::new(),
        }
    }

    fn perform(&mut self, action: &Action) {
        let world = self.app.world_mut();
        match *action {
            Action::Move(viewer, x, z) => {
                let place = Transform::from_xyz(x as f32 + 0.5, 0.0, z as f32 + 0.5);
                match self.viewers[viewer] {
                    Some(entity) => {
                        world.entity_mut(entity).insert(place);
                    }
                    None => {
                        let entity = world.spawn((ChunkViewer::default(), place)).id();
                        self.viewers[viewer] = Some(entity);
                    }
                }
            }
            Action::Vanish(viewer) => {
                if let Some(entity) = self.viewers[viewer].take() {
                    world.despawn(entity);
                }
            }
            Action::Refresh(x, z) => {
                let coord = ChunkCoord::planar(x, z);
                let is_wanted = world.resource_mut::<Streaming<Pieces>>().refresh(coord);
                if is_wanted {
                    self.vandalised.remove(&coord);
                }
            }
            Action::DespawnRoot(nth) => {
                let index = world.resource::<ChunkIndex<Pieces>>();
                let mut loaded: Vec<_> = index.iter().collect();
                loaded.sort_by_key(|(coord, _)| *coord);
                if let Some((coord, chunk)) = loaded.get(nth) {
                    // One that is being made anew at that moment comes back by itself.
                    let stream = world.resource::<Streaming<Pieces>>();
                    if stream.scheduler().live_version(*coord).is_none() {
                        self.vandalised.insert(*coord);
                    }
                    world.despawn(chunk.root);
                }
            }
            Action::Budget(chunks) => {
                world.resource_mut::<Streaming<Pieces>>().budget.chunks = chunks;
            }
            Action::Frames(count) => {
                for _ in 0..count {
                    self.frame();
                }
            }
        }
    }

    fn frame(&mut self) {
        self.app.update();
        self.simulation.run();
        self.clock.advance(Duration::from_millis(16));
        let world = self.app.world_mut();
        let stream = world.resource::<Streaming<Pieces>>();
        // What stopped being wanted is a new chunk when it is wanted again.
        self.vandalised
            .retain(|coord| stream.wanted().contains(*coord));
    }

    /// What must hold in every frame.
    fn check(&mut self) -> Result<(), TestCaseError> {
        let world = self.app.world_mut();
        let mut roots = world.query::<(Entity, &ChunkRoot)>();
        let roots: Vec<_> = roots
            .iter(world)
            .map(|(root, at)| (root, at.coord))
            .collect();
        let stream = world.resource::<Streaming<Pieces>>();
        prop_assert_eq!(stream.scheduler().audit(), Ok(()));
        let index = world.resource::<ChunkIndex<Pieces>>();
        let mut entities = 0;
        for (coord, chunk) in index.iter() {
            prop_assert!(stream.wanted().contains(coord));
            prop_assert!(roots.contains(&(chunk.root, coord)));
            prop_assert_eq!(chunk.entities, pieces(coord));
            entities += chunk.entities;
        }
        prop_assert_eq!(index.entities(), entities);
        Ok(())
    }

    /// What must hold once nothing is left to do.
    fn check_settled(&mut self) -> Result<(), TestCaseError> {
        let world = self.app.world_mut();
        let stream = world.resource::<Streaming<Pieces>>();
        let index = world.resource::<ChunkIndex<Pieces>>();
        let expected: BTreeSet<ChunkCoord> = (stream.wanted().iter())
            .filter(|coord| !is_broken(*coord) && !self.vandalised.contains(coord))
            .collect();
        let loaded: BTreeSet<ChunkCoord> = index.iter().map(|(coord, _)| coord).collect();
        prop_assert_eq!(&loaded, &expected);
        let expected_entities: usize = loaded.iter().map(|coord| pieces(*coord)).sum();
        let entities = world.query::<&Piece>().iter(world).count();
        prop_assert_eq!(entities, expected_entities);
        let roots = world.query::<&ChunkRoot>().iter(world).count();
        prop_assert_eq!(roots, loaded.len());
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_holds_exactly_what_is_wanted_and_whole(seed: u64, script in actions()) {
        let mut world = Streamed::new(seed);
        for action in &script {
            world.perform(action);
            world.check()?;
        }
        world.perform(&Action::Budget(None));
        let mut frames = 0;
        while frames < 2 || !world.app.world().resource::<Streaming<Pieces>>().is_settled() {
            world.frame();
            world.check()?;
            frames += 1;
            prop_assert!(frames < 20_000, "never settles");
        }
        world.check_settled()?;
    }
}
