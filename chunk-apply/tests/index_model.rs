//! The index against a naive model, over random walks, teleports, edits, vandalism and changes of
//! everything that can be changed.
#![cfg(feature = "streaming")]

use bevy_app::{App, Plugin};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLevels, ChunkRoot, ChunkStream, ChunkStreamingPlugin,
    ChunkViewer, ChunkWriter, ManualClock, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, LevelRings, ViewRange};
use chunk_scheduler::{Generator, Job, SchedulerConfig, Simulation};
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
    DespawnChild(usize),
    FreeChild(usize),
    Budget(Option<u32>),
    Range(u32),
    Grid(bool),
    Origin(i32, i32),
    Pause(bool),
    Retry,
    Frames(usize),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let near = -6..6_i32;
    let origin = -3..3_i32;
    let action = prop_oneof![
        4 => (0..4_usize, near.clone(), near.clone()).prop_map(|(v, x, z)| Action::Move(v, x, z)),
        1 => (0..4_usize).prop_map(Action::Vanish),
        2 => (near.clone(), near).prop_map(|(x, z)| Action::Refresh(x, z)),
        1 => (0..50_usize).prop_map(Action::DespawnRoot),
        1 => (0..500_usize).prop_map(Action::DespawnChild),
        1 => (0..500_usize).prop_map(Action::FreeChild),
        1 => prop::option::of(0..4_u32).prop_map(Action::Budget),
        1 => (0..4_u32).prop_map(Action::Range),
        1 => any::<bool>().prop_map(Action::Grid),
        1 => (origin.clone(), origin).prop_map(|(x, z)| Action::Origin(x, z)),
        1 => any::<bool>().prop_map(Action::Pause),
        1 => Just(Action::Retry),
        8 => (1..4_usize).prop_map(Action::Frames),
    ];
    prop::collection::vec(action, 1..60)
}

/// A chunk's size in pieces follows from its coordinate, and one for its level; some fail for good, in
/// the generator or in the spawner.
fn pieces(coord: ChunkCoord) -> usize {
    (coord.x.rem_euclid(4) + coord.z.rem_euclid(3)) as usize * 20
}

fn is_broken(coord: ChunkCoord) -> bool {
    (coord.x * 7 + coord.z * 3).rem_euclid(23) == 0
}

fn is_cursed(coord: ChunkCoord) -> bool {
    (coord.x * 5 + coord.z * 11).rem_euclid(29) == 0
}

struct Streamed {
    app: App,
    simulation: Simulation,
    clock: ManualClock,
    viewers: [Option<Entity>; 4],
    /// Chunks whose root somebody despawned, until they are wanted anew or refreshed.
    vandalised: BTreeSet<ChunkCoord>,
    /// Roots whose children somebody took, and pieces that were taken.
    edited: BTreeSet<Entity>,
    freed: BTreeSet<Entity>,
    levels: ChunkLevels,
}

impl Streamed {
    fn new(seed: u64) -> Self {
        let clock = ManualClock::default();
        let simulation = Simulation::new(seed);
        let levels = ChunkLevels::new(LevelRings::new([1], 0).expect("one ring"));
        let asked = levels.clone();
        let generator = Generator::fallible(move |job: &Job<ChunkCoord>| {
            if is_broken(job.key()) {
                return Err("broken");
            }
            Ok(Pieces(pieces(job.key()) + usize::from(asked.of_job(job))))
        });
        let slow = clock.clone();
        let spawner = Spawner::fallible(
            move |coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
                let slow = slow.clone();
                writer.spawn_batch((0..pieces.0).map(move |_| {
                    slow.advance(Duration::from_micros(1));
                    Piece
                }));
                if is_cursed(coord) {
                    Err("cursed")
                } else {
                    Ok(())
                }
            },
        );
        let config = StreamingConfig {
            range: Some(ViewRange::disc(2, 3).expect("3 is not less than 2")),
            budget: ApplyBudget::time(Duration::from_micros(70)),
            scan_budget: Duration::from_secs(60),
            scheduler: SchedulerConfig {
                quarantine_capacity: 1,
                ..SchedulerConfig::default()
            },
            ..StreamingConfig::default()
        };
        let grid = ChunkGrid::planar(1.0).expect("1 is a size");
        let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner)
            .with_config(config)
            .with_levels(levels.clone());
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
            edited: BTreeSet::new(),
            freed: BTreeSet::new(),
            levels,
        }
    }

    /// The nth piece that belongs to a loaded chunk, and that chunk's root.
    fn child(&mut self, nth: usize) -> Option<(Entity, Entity)> {
        let world = self.app.world_mut();
        let mut pieces = world.query_filtered::<(Entity, &ChildOf), With<Piece>>();
        let index = world.resource::<ChunkIndex<Pieces>>();
        let roots: BTreeSet<Entity> = index.iter().map(|(_, chunk)| chunk.root).collect();
        let mut owned: Vec<_> = (pieces.iter(world))
            .map(|(piece, parent)| (piece, parent.parent()))
            .filter(|(_, root)| roots.contains(root))
            .collect();
        owned.sort_unstable();
        owned.get(nth).copied()
    }

    fn perform(&mut self, action: &Action) {
        if let Action::DespawnChild(nth) | Action::FreeChild(nth) = *action {
            if let Some((piece, root)) = self.child(nth) {
                self.edited.insert(root);
                if matches!(action, Action::FreeChild(_)) {
                    self.freed.insert(piece);
                    (self.app.world_mut().entity_mut(piece)).remove::<ChildOf>();
                } else {
                    self.app.world_mut().despawn(piece);
                }
            }
            return;
        }
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
                let is_wanted = world.resource_mut::<ChunkStream<Pieces>>().refresh(coord);
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
                    let stream = world.resource::<ChunkStream<Pieces>>();
                    if stream.scheduler().live_version(*coord).is_none() {
                        self.vandalised.insert(*coord);
                    }
                    world.despawn(chunk.root);
                }
            }
            Action::DespawnChild(_) | Action::FreeChild(_) => {}
            Action::Range(radius) => {
                world.resource_mut::<ChunkStream<Pieces>>().range =
                    Some(ViewRange::disc(radius, radius + 1).expect("one more"));
            }
            Action::Grid(is_coarse) => {
                let size = if is_coarse { 2.0 } else { 1.0 };
                let grid = ChunkGrid::planar(size).expect("a size");
                let mut stream = world.resource_mut::<ChunkStream<Pieces>>();
                if *stream.grid() != grid {
                    self.vandalised.clear();
                }
                stream.set_grid(grid);
            }
            Action::Origin(x, z) => {
                let origin = ChunkCoord::planar(x, z);
                assert!(ChunkStream::<Pieces>::move_origin(world, origin).is_some());
            }
            Action::Pause(true) => world.resource_mut::<ChunkStream<Pieces>>().pause(),
            Action::Pause(false) => world.resource_mut::<ChunkStream<Pieces>>().resume(),
            Action::Retry => {
                (world.resource_mut::<ChunkStream<Pieces>>()).retry_quarantined();
            }
            Action::Budget(chunks) => {
                world.resource_mut::<ChunkStream<Pieces>>().budget.chunks = chunks;
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
        let stream = world.resource::<ChunkStream<Pieces>>();
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
        let stream = world.resource::<ChunkStream<Pieces>>();
        prop_assert_eq!(stream.scheduler().audit(), Ok(()));
        let index = world.resource::<ChunkIndex<Pieces>>();
        let mut entities = 0;
        for (coord, chunk) in index.iter() {
            prop_assert!(stream.wanted().contains(coord));
            prop_assert!(roots.contains(&(chunk.root, coord)));
            let level = chunk.entities - pieces(coord);
            prop_assert!(level <= 1, "{} of {:?}", chunk.entities, coord);
            entities += chunk.entities;
        }
        prop_assert_eq!(index.entities(), entities);
        Ok(())
    }

    /// What must hold once nothing is left to do.
    fn check_settled(&mut self) -> Result<(), TestCaseError> {
        let world = self.app.world_mut();
        let stream = world.resource::<ChunkStream<Pieces>>();
        let index = world.resource::<ChunkIndex<Pieces>>();
        let is_hopeless = |coord: &ChunkCoord| is_broken(*coord) || is_cursed(*coord);
        // However few of them the scheduler lists.
        let given_up: Vec<_> = stream.wanted().iter().filter(is_hopeless).collect();
        prop_assert_eq!(Vec::from_iter(stream.quarantined()), given_up);
        for coord in stream.wanted().iter() {
            let is_hopeless = is_hopeless(&coord);
            let may_be_missing = is_hopeless || self.vandalised.contains(&coord);
            prop_assert!(
                index.contains(coord) || may_be_missing,
                "{:?} is missing",
                coord
            );
            prop_assert!(!(index.contains(coord) && is_hopeless));
        }
        let mut owners = BTreeSet::new();
        for (coord, chunk) in index.iter() {
            prop_assert!(stream.wanted().contains(coord));
            prop_assert_eq!(
                chunk.entities,
                pieces(coord) + usize::from(self.levels.of(coord))
            );
            let children = world.get::<Children>(chunk.root);
            let children = children.map_or(0, |children| children.len());
            prop_assert!(children == chunk.entities || self.edited.contains(&chunk.root));
            let at = world
                .get::<Transform>(chunk.root)
                .expect("a root")
                .translation;
            let (size, origin) = (stream.grid().size().x, stream.origin());
            prop_assert_eq!(at.x, (coord.x - origin.x) as f32 * size);
            owners.insert(chunk.root);
        }
        let mut all = world.query_filtered::<(Entity, Option<&ChildOf>), With<Piece>>();
        for (piece, parent) in all.iter(world) {
            let is_owned = parent.is_some_and(|parent| owners.contains(&parent.parent()));
            prop_assert!(
                is_owned || self.freed.contains(&piece),
                "a piece was left behind"
            );
        }
        let roots = world.query::<&ChunkRoot>().iter(world).count();
        prop_assert_eq!(roots, owners.len());
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
        world.perform(&Action::Pause(false));
        let mut frames = 0;
        while frames < 2 || !world.app.world().resource::<ChunkStream<Pieces>>().is_settled() {
            world.frame();
            world.check()?;
            frames += 1;
            prop_assert!(frames < 20_000, "never settles");
        }
        world.check_settled()?;
    }
}
