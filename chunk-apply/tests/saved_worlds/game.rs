//! An app whose stream saves into an archive, and what players do in it.

use crate::scripted::{ScriptedStore, Things};
use bevy_app::{App, AppExit};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkCoord, ChunkGrid, ChunkIndex, ChunkLoaded, ChunkStream, ChunkStreamingPlugin,
    ChunkViewer, GenerateError, Job, ManualClock, SavePolicy, Spawner, StreamingConfig, ViewRange,
    store::Archive,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

const SIZE: f32 = 10.0;
pub(crate) const FRAME: Duration = Duration::from_millis(16);

/// What the generator makes: what was saved.
pub(crate) struct Made(Things);

/// What a player built.
#[derive(Component)]
struct Thing(u32);

/// Each snapshot that was taken of a chunk, the newest last.
pub(crate) type Taken = BTreeMap<ChunkCoord, Vec<Things>>;

/// What an app is made with.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) saving: SavePolicy,
    pub(crate) max_waiting_bytes: usize,
    pub(crate) budget: ApplyBudget,
    /// Whether the game carries over what is in the chunk that is replaced.
    pub(crate) does_carry_over: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            saving: SavePolicy::default(),
            max_waiting_bytes: usize::MAX,
            budget: ApplyBudget::unlimited(),
            does_carry_over: true,
        }
    }
}

pub(crate) struct Game {
    pub(crate) app: App,
    pub(crate) store: ScriptedStore,
    pub(crate) archive: Archive<ChunkCoord, Things>,
    pub(crate) taken: Arc<Mutex<Taken>>,
    /// Whether every third snapshot fails.
    pub(crate) do_snapshots_fail: Arc<Mutex<bool>>,
    plugin: Arc<dyn Fn() -> ChunkStreamingPlugin<Made>>,
    clock: ManualClock,
    pub(crate) player: Entity,
    next_thing: u32,
}

impl Game {
    /// An app that has just begun, with a player at a place.
    pub(crate) fn new(store: &ScriptedStore, settings: Settings, at: ChunkCoord) -> Self {
        let archive = store.archive(settings.max_waiting_bytes);
        let (clock, taken) = (ManualClock::default(), Arc::<Mutex<Taken>>::default());
        let do_snapshots_fail = Arc::new(Mutex::new(false));
        let (fail, list) = (do_snapshots_fail.clone(), taken.clone());
        let attempts = Arc::new(Mutex::new(0_u32));
        let (handle, runtime, time) = (archive.clone(), store.simulation.runtime(), clock.clone());
        let plugin = move || {
            let generator = handle.generator(|_: &Job<ChunkCoord>, saved: Option<Arc<Things>>| {
                Ok::<_, GenerateError>(Made(saved.map_or_else(Things::new, |it| (*it).clone())))
            });
            let spawner = Spawner::new(|_, made: Made, writer| {
                writer.spawn_batch(made.0.into_iter().map(Thing));
            });
            let grid = ChunkGrid::planar(SIZE).expect("10 is a size");
            let (fail, list, attempts) = (fail.clone(), list.clone(), attempts.clone());
            let mut plugin = ChunkStreamingPlugin::new(grid, generator, spawner)
                .with_config(StreamingConfig {
                    range: ViewRange::disc(2, 3).ok(),
                    saving: settings.saving,
                    budget: settings.budget,
                    ..StreamingConfig::default()
                })
                .with_archive(handle.clone(), move |world, chunk| {
                    let mut attempts = attempts.lock().unwrap_or_else(PoisonError::into_inner);
                    *attempts += 1;
                    if *fail.lock().expect("no panic") && attempts.is_multiple_of(3) {
                        return Err("as the test says".into());
                    }
                    let things = things(world, chunk.root);
                    let mut list = list.lock().unwrap_or_else(PoisonError::into_inner);
                    list.entry(chunk.coord).or_default().push(things.clone());
                    Ok(things)
                });
            plugin.runtime = runtime.clone();
            plugin.clock = Arc::new(time.clone());
            plugin
        };
        let mut app = App::new();
        app.add_plugins(plugin());
        if settings.does_carry_over {
            app.add_observer(carry_over);
        }
        let player = (ChunkViewer::default(), standing_at(at));
        let player = app.world_mut().spawn(player).id();
        Self {
            app,
            store: store.clone(),
            archive,
            taken,
            do_snapshots_fail,
            plugin: Arc::new(plugin),
            clock,
            player,
            next_thing: 0,
        }
    }

    pub(crate) fn go_to(&mut self, at: ChunkCoord) {
        let player = self.player;
        self.app
            .world_mut()
            .entity_mut(player)
            .insert(standing_at(at));
    }

    /// Starts a stream as the first one, with the same archive.
    pub(crate) fn start(&mut self) {
        let plugin = (self.plugin)();
        assert_eq!(plugin.start(self.app.world_mut()), Ok(()));
    }

    /// One frame, and so many steps of workers at most.
    pub(crate) fn frame(&mut self, steps: usize) {
        self.app.update();
        for _ in 0..steps {
            if !self.store.simulation.step() {
                break;
            }
        }
        self.clock.advance(FRAME);
        self.store.simulation.advance(FRAME);
    }

    pub(crate) fn settle(&mut self) {
        for _ in 0..10_000 {
            self.frame(usize::MAX);
            if self.stream().is_settled() {
                return;
            }
        }
        panic!("never settles: {:?}", self.stream());
    }

    /// A thing is put into a chunk that stands.
    pub(crate) fn build(&mut self, coord: ChunkCoord) -> u32 {
        self.next_thing += 1;
        let (thing, root) = (self.next_thing, self.index().root(coord).expect("loaded"));
        let world = self.app.world_mut();
        world.spawn((Thing(thing), ChildOf(root)));
        world.resource_scope(|world, index: Mut<ChunkIndex<Made>>| {
            let mut stream = world.resource_mut::<ChunkStream<Made>>();
            assert!(stream.mark_dirty(&index, coord));
        });
        thing
    }

    /// The things of each loaded chunk.
    pub(crate) fn loaded(&self) -> BTreeMap<ChunkCoord, Things> {
        let world = self.app.world();
        let loaded = self.index().iter();
        loaded
            .map(|(coord, chunk)| (coord, things(world, chunk.root)))
            .collect()
    }

    /// The app ends as Bevy's runners end it.
    pub(crate) fn exit(mut self) {
        self.app.world_mut().write_message(AppExit::Success);
        self.app.update();
        assert_eq!(self.app.should_exit(), Some(AppExit::Success));
    }

    pub(crate) fn stream(&self) -> &ChunkStream<Made> {
        self.app.world().resource()
    }

    pub(crate) fn stream_mut(&mut self) -> Mut<'_, ChunkStream<Made>> {
        self.app.world_mut().resource_mut()
    }

    pub(crate) fn index(&self) -> &ChunkIndex<Made> {
        self.app.world().resource()
    }
}

fn standing_at(coord: ChunkCoord) -> Transform {
    let middle = |at: i32| (at as f32 + 0.5) * SIZE;
    Transform::from_xyz(middle(coord.x), 0.0, middle(coord.z))
}

fn things(world: &World, root: Entity) -> Things {
    let children = world.get::<Children>(root).into_iter().flatten();
    let things = children.filter_map(|child| world.get::<Thing>(*child));
    things.map(|thing| thing.0).collect()
}

/// What was built in the chunk that is replaced, after it was saved, stays.
fn carry_over(
    loaded: On<ChunkLoaded<Made>>,
    lists: Query<&Children>,
    things: Query<&Thing>,
    mut commands: Commands,
) {
    let Some(old) = loaded.replaced else {
        return;
    };
    let things_of = |root| {
        let children = lists.get(root).into_iter().flatten().copied();
        children
            .filter(|child| things.contains(*child))
            .collect::<Vec<_>>()
    };
    for thing in things_of(loaded.root) {
        commands.entity(thing).despawn();
    }
    commands.entity(loaded.root).add_children(&things_of(old));
}
