//! The app that the player plays, and the comparison with the reference.

use crate::{
    land::{Land, Place, Things},
    parts::{
        BYTES, Ground, Made, STONES, Stone, TIME_FOR_A_STONE, Thing, carry_over, content, grid,
        level, order, saving,
    },
    step::Step,
};
use bevy_app::App;
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLevels, ChunkStream, ChunkStreamingPlugin, ChunkViewer,
    ChunkWriter, LoadOrder, ManualClock, Reset, SavePolicy, SaveReason, Spawner, StreamingConfig,
};
use chunk_coord::{ChunkCoord, LevelRings, ViewRange};
use chunk_scheduler::{Generator, Job, Simulation};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

const FRAME: Duration = Duration::from_millis(16);
/// More frames than any game needs to come to rest.
const FRAMES_TO_SETTLE: usize = 4_000;

/// What must be seen and saved of a stream.
#[derive(Default)]
struct Reference {
    land: Land,
    /// The things of each chunk, wherever they are now.
    built: BTreeMap<Place, Things>,
    /// The newest edit that was seen of each loaded chunk.
    seen: BTreeMap<Place, u32>,
    /// Chunks whose roots the game despawned; they stay away until they are wanted anew.
    despawned: BTreeSet<ChunkCoord>,
}

pub(crate) struct Game {
    app: App,
    simulation: Simulation,
    clock: ManualClock,
    player: Option<Entity>,
    at: ChunkCoord,
    references: [Reference; 2],
    next_thing: u32,
    times_at_rest: u64,
    times_gated: u64,
    times_held_back: u64,
    times_full: u64,
    built_in_hidden: u64,
    restarts: u64,
    order: LoadOrder,
    saving: SavePolicy,
}

/// Calls a method of the game for the stream with this number.
macro_rules! of_stream {
    ($game:ident, $stream:expr, $method:ident($($argument:expr),*)) => {
        match $stream {
            0 => $game.$method::<0>($($argument),*),
            _ => $game.$method::<1>($($argument),*),
        }
    };
}

impl Game {
    pub(crate) fn new(seed: u64) -> Self {
        let mut game = Self {
            app: App::new(),
            simulation: Simulation::new(seed),
            clock: ManualClock::default(),
            player: None,
            at: ChunkCoord::ORIGIN,
            references: Default::default(),
            next_thing: 0,
            times_at_rest: 0,
            times_gated: 0,
            times_held_back: 0,
            times_full: 0,
            built_in_hidden: 0,
            restarts: 0,
            order: order(seed),
            saving: saving(seed),
        };
        game.add_stream::<0>();
        game.add_stream::<1>();
        game.respawn();
        game
    }

    fn add_stream<const STREAM: usize>(&mut self) {
        let plugin = self.plugin::<STREAM>();
        self.app.add_plugins(plugin);
        self.app.add_observer(carry_over::<STREAM>);
    }

    fn plugin<const STREAM: usize>(&self) -> ChunkStreamingPlugin<Made<STREAM>> {
        let (land, clock) = (&self.references[STREAM].land, self.clock.clone());
        let rings = LevelRings::new([1, 2], 0).expect("2 is more than 1");
        let levels = ChunkLevels::new(rings);
        let (making, saving, asked) = (land.clone(), land.clone(), levels.clone());
        let (gated, room, number) = (land.clone(), land.clone(), land.lock().grid);
        let mut plugin = ChunkStreamingPlugin::new(
            grid(number),
            Generator::fallible(move |job: &Job<ChunkCoord>| making.make::<STREAM>(job, &asked)),
            Spawner::new(
                move |_coord, made: Made<STREAM>, writer: &mut ChunkWriter<'_, '_>| {
                    let Made {
                        place,
                        seed,
                        edit,
                        level,
                        things,
                    } = made;
                    let ground = Ground::<STREAM> {
                        place,
                        seed,
                        edit,
                        level,
                    };
                    writer.spawn_batch([ground]);
                    writer.upload(BYTES, |_, _| {});
                    let gate = gated.clone();
                    writer.show_when(move |_, _| gate.lock().is_gate_open(place));
                    writer.spawn_batch(things.into_iter().map(Thing::<STREAM>));
                    // So that a chunk takes several frames where time is short.
                    let clock = clock.clone();
                    writer.spawn_batch((0..STONES).map(move |_| {
                        clock.advance(TIME_FOR_A_STONE);
                        Stone
                    }));
                },
            ),
        )
        .with_config(StreamingConfig {
            range: Some(ViewRange::disc(3, 4).expect("4 is not less than 3")),
            saving: self.saving,
            ..StreamingConfig::default()
        })
        .with_order(self.order.clone())
        .with_levels(levels)
        .with_save_hook(move |world, chunk| {
            let (ground, things) = content::<STREAM>(world, chunk.root);
            let mut land = saving.lock();
            land.autosaves += u64::from(chunk.reason == SaveReason::Autosave);
            Ok(land.save(ground.seed, ground.place, things)?)
        })
        .with_room_for_saves(move || !room.lock().is_full);
        plugin.runtime = self.simulation.runtime();
        plugin.clock = Arc::new(self.clock.clone());
        plugin
    }

    /// Takes a step, and checks what must hold at any moment.
    pub(crate) fn take(&mut self, step: &Step) {
        match *step {
            Step::Frames { frames, polls } => (0..frames).for_each(|_| self.frame(polls)),
            Step::Settle => self.settle(),
            Step::Walk { x, z } => self.go_to(ChunkCoord::planar(
                self.at.x + i32::from(x),
                self.at.z + i32::from(z),
            )),
            Step::Teleport { x, z } => self.go_to(ChunkCoord::planar(x.into(), z.into())),
            Step::Respawn => match self.player.take() {
                Some(player) => drop(self.app.world_mut().despawn(player)),
                None => self.respawn(),
            },
            Step::Edit { stream, chunk } => of_stream!(self, stream, edit(chunk)),
            Step::EditAround { stream, chunk } => of_stream!(self, stream, edit_around(chunk)),
            Step::KeepEditing {
                stream,
                chunk,
                frames,
            } => {
                of_stream!(self, stream, keep_editing(chunk, frames));
            }
            Step::Build { stream, chunk } => of_stream!(self, stream, build(chunk)),
            Step::Demolish { stream, thing } => of_stream!(self, stream, demolish(thing)),
            Step::BuildInHidden { stream, chunk } => {
                of_stream!(self, stream, build_in_hidden(chunk));
            }
            Step::FillDisk(fill) => self.each_land(|land| land.lock().is_full = fill),
            Step::DespawnRoot { stream, chunk } => of_stream!(self, stream, despawn_root(chunk)),
            Step::FailSaves(fail) => self.each_land(|land| land.lock().do_saves_fail = fail),
            Step::FailGenerators(fail) => {
                self.each_land(|land| land.lock().do_generators_fail = fail)
            }
            Step::Budget {
                chunks,
                millis,
                bytes,
                whole_chunks,
            } => self.set_budget(ApplyBudget {
                chunks,
                bytes,
                whole_chunks,
                time: millis.map(Duration::from_millis),
                ..ApplyBudget::default()
            }),
            Step::CloseGates(close) => self.each_land(|land| land.lock().are_gates_closed = close),
            Step::Ceiling(limit) => self.set_ceiling(limit),
            Step::Linger { millis } => {
                let linger = Duration::from_millis(millis);
                self.stream_mut::<0>().linger = linger;
                self.stream_mut::<1>().linger = linger;
            }
            Step::DespawnedRoots(policy) => self.stream_mut::<0>().despawned_roots = policy,
            Step::SaveAll => self.save_all(),
            Step::Pause(pause) => self.pause(pause),
            Step::Origin { x, z } => self.move_origin(ChunkCoord::planar(x.into(), z.into())),
            Step::Grid => self.switch_grid(),
            Step::Reset { is_saved } => self.reset(is_saved),
            Step::Restart { is_saved } => self.restart(is_saved),
        }
    }
}

/// What the player does.
impl Game {
    fn respawn(&mut self) {
        let player = (ChunkViewer::default(), self.standing_at(self.at));
        self.player = Some(self.app.world_mut().spawn(player).id());
    }

    fn go_to(&mut self, coord: ChunkCoord) {
        self.at = coord;
        let standing = self.standing_at(coord);
        if let Some(player) = self.player {
            self.app.world_mut().entity_mut(player).insert(standing);
        }
    }

    /// The middle of a chunk, from the moved origin.
    fn standing_at(&self, coord: ChunkCoord) -> Transform {
        let stream = self.stream::<0>();
        let (origin, size) = (stream.origin(), stream.grid().size());
        let middle = |at: i32, from: i32, size: f32| ((at - from) as f32 + 0.5) * size;
        Transform::from_xyz(
            middle(coord.x, origin.x, size.x),
            0.0,
            middle(coord.z, origin.z, size.z),
        )
    }

    /// One of the chunks around the player, wanted or not.
    fn near(&self, chunk: usize) -> ChunkCoord {
        let (x, z) = (chunk as i32 % 11, chunk as i32 / 11 % 11);
        ChunkCoord::planar(self.at.x + x - 5, self.at.z + z - 5)
    }

    fn edit<const STREAM: usize>(&mut self, chunk: usize) {
        let coord = self.near(chunk);
        let mut land = self.references[STREAM].land.lock();
        let place = (land.grid, coord);
        *land.edits.entry(place).or_default() += 1;
        drop(land);
        self.stream_mut::<STREAM>().refresh(coord);
    }

    fn edit_around<const STREAM: usize>(&mut self, chunk: usize) {
        let centre = self.near(chunk);
        let mut land = self.references[STREAM].land.lock();
        let grid = land.grid;
        for (x, z) in (-1..=1).flat_map(|x| (-1..=1).map(move |z| (x, z))) {
            let place = (grid, ChunkCoord::planar(centre.x + x, centre.z + z));
            *land.edits.entry(place).or_default() += 1;
        }
        drop(land);
        self.stream_mut::<STREAM>().refresh_around(centre, 1);
    }

    fn keep_editing<const STREAM: usize>(&mut self, chunk: usize, frames: u8) {
        for _ in 0..frames {
            self.edit::<STREAM>(chunk);
            self.frame(u16::MAX);
        }
    }

    /// The root of one of the loaded chunks, if there are any.
    fn any_root<const STREAM: usize>(&self, chunk: usize) -> Option<Entity> {
        let index = self.index::<STREAM>();
        let mut loaded: Vec<_> = index.iter().collect();
        loaded.sort_unstable_by_key(|(coord, _)| *coord);
        (!loaded.is_empty()).then(|| loaded[chunk % loaded.len()].1.root)
    }

    /// What one of the loaded chunks contains, if it is of the world that is made now.
    fn any_content<const STREAM: usize>(
        &mut self,
        chunk: usize,
    ) -> Option<(Entity, Ground<STREAM>, Things)> {
        let root = self.any_root::<STREAM>(chunk)?;
        let (ground, things) = content::<STREAM>(self.app.world_mut(), root);
        let is_of_this_world = ground.seed == self.references[STREAM].land.lock().seed;
        is_of_this_world.then_some((root, ground, things))
    }

    fn build<const STREAM: usize>(&mut self, chunk: usize) {
        let Some((root, ground, _)) = self.any_content::<STREAM>(chunk) else {
            return;
        };
        self.put_thing::<STREAM>(root, ground.place);
        assert!(self.mark::<STREAM>(ground.place.1), "it stands");
    }

    fn put_thing<const STREAM: usize>(&mut self, root: Entity, place: Place) {
        self.next_thing += 1;
        let thing = self.next_thing;
        let world = self.app.world_mut();
        world.spawn((Thing::<STREAM>(thing), ChildOf(root)));
        let built = &mut self.references[STREAM].built;
        built.entry(place).or_default().insert(thing);
    }

    fn mark<const STREAM: usize>(&mut self, coord: ChunkCoord) -> bool {
        let world = self.app.world_mut();
        world.resource_scope(|world, index: Mut<ChunkIndex<Made<STREAM>>>| {
            let mut stream = world.resource_mut::<ChunkStream<Made<STREAM>>>();
            stream.mark_dirty(&index, coord)
        })
    }

    /// A chunk that left and is not saved, or not despawned, can still be built in, if the stream says so.
    fn build_in_hidden<const STREAM: usize>(&mut self, chunk: usize) {
        let (seed, grid) = {
            let land = self.references[STREAM].land.lock();
            (land.seed, land.grid)
        };
        let world = self.app.world_mut();
        let mut query = world.query::<(&Ground<STREAM>, &ChildOf)>();
        let mut roots: BTreeMap<ChunkCoord, Vec<Entity>> = BTreeMap::new();
        for (ground, parent) in query.iter(world) {
            if (ground.seed, ground.place.0) == (seed, grid) {
                let roots = roots.entry(ground.place.1).or_default();
                roots.push(parent.parent());
            }
        }
        // Of two versions of one chunk nobody can say which it is.
        let index = self.index::<STREAM>();
        roots.retain(|coord, roots| roots.len() == 1 && !index.contains(*coord));
        let Some((coord, roots)) = roots.iter().nth(chunk % roots.len().max(1)) else {
            return;
        };
        if self.mark::<STREAM>(*coord) {
            self.put_thing::<STREAM>(roots[0], (grid, *coord));
            self.built_in_hidden += 1;
        }
    }

    fn demolish<const STREAM: usize>(&mut self, chunk: usize) {
        let Some((root, ground, things)) = self.any_content::<STREAM>(chunk) else {
            return;
        };
        let Some(thing) = things.first() else { return };
        let world = self.app.world_mut();
        let mut query = world.query::<(Entity, &Thing<STREAM>, &ChildOf)>();
        let found = (query.iter(world))
            .find(|(_, found, parent)| found.0 == *thing && parent.parent() == root);
        let (entity, ..) = found.expect("the root has this child");
        world.despawn(entity);
        let built = &mut self.references[STREAM].built;
        built.entry(ground.place).or_default().remove(thing);
        assert!(self.mark::<STREAM>(ground.place.1), "it stands");
    }

    fn despawn_root<const STREAM: usize>(&mut self, chunk: usize) {
        let Some((root, ground, _)) = self.any_content::<STREAM>(chunk) else {
            return;
        };
        // A version under way was made from what was saved before it was requested. What changed since is to be carried over
        // from this root, so that nobody can say what the reference should have.
        let scheduler = self.stream::<STREAM>().scheduler();
        if scheduler.live_version(ground.place.1).is_some() {
            return;
        }
        self.app.world_mut().despawn(root);
        let reference = &mut self.references[STREAM];
        // What was not saved went with the root.
        let saved = reference.land.lock().saved(ground.place);
        reference.built.insert(ground.place, saved);
        reference.despawned.insert(ground.place.1);
    }

    fn set_budget(&mut self, budget: ApplyBudget) {
        self.stream_mut::<0>().budget = budget;
        self.stream_mut::<1>().budget = budget;
    }

    fn set_ceiling(&mut self, limit: Option<usize>) {
        self.stream_mut::<0>().max_loaded_bytes = limit;
        self.stream_mut::<1>().max_loaded_bytes = limit;
    }

    fn pause(&mut self, pause: bool) {
        // One stream goes on.
        match pause {
            true => self.stream_mut::<1>().pause(),
            false => self.stream_mut::<1>().resume(),
        }
    }

    fn save_all(&mut self) {
        let world = self.app.world_mut();
        world.resource_scope(|world, index: Mut<ChunkIndex<Made<0>>>| {
            let mut stream = world.resource_mut::<ChunkStream<Made<0>>>();
            stream.start_saving_all(&index);
        });
    }

    fn move_origin(&mut self, origin: ChunkCoord) {
        let world = self.app.world_mut();
        let first = ChunkStream::<Made<0>>::move_origin(world, origin);
        assert_eq!(ChunkStream::<Made<1>>::move_origin(world, origin), first);
        self.go_to(self.at);
    }

    fn switch_grid(&mut self) {
        let number = self.references[0].land.lock().grid + 1;
        self.each_land(|land| land.lock().grid = number);
        self.stream_mut::<0>().set_grid(grid(number));
        self.stream_mut::<1>().set_grid(grid(number));
        for reference in &mut self.references {
            reference.despawned.clear();
        }
        self.go_to(self.at);
    }

    fn reset(&mut self, is_saved: bool) {
        let how = if is_saved {
            Reset::Save
        } else {
            Reset::Discard
        };
        let world = self.app.world_mut();
        // A stream whose saves fail is not reset.
        let reset = [
            ChunkStream::<Made<0>>::reset(world, how).is_ok(),
            ChunkStream::<Made<1>>::reset(world, how).is_ok(),
        ];
        for (reference, is_reset) in self.references.iter_mut().zip(reset) {
            if !is_saved {
                reference.land.lock().begin_another_world();
                reference.built.clear();
                reference.seen.clear();
            }
            if is_reset {
                reference.despawned.clear();
            }
        }
    }

    fn restart(&mut self, is_saved: bool) {
        let how = if is_saved {
            Reset::Save
        } else {
            Reset::Discard
        };
        let origin = self.stream::<1>().origin();
        // A stream whose saves fail goes on.
        if ChunkStream::<Made<1>>::stop(self.app.world_mut(), how).is_err() {
            return;
        }
        let reference = &mut self.references[1];
        reference.despawned.clear();
        if !is_saved {
            reference.land.lock().begin_another_world();
            reference.built.clear();
            reference.seen.clear();
        }
        let (plugin, world) = (self.plugin::<1>(), self.app.world_mut());
        assert_eq!(plugin.start(world), Ok(()));
        ChunkStream::<Made<1>>::move_origin(world, origin);
        self.restarts += 1;
    }

    fn each_land(&self, change: impl Fn(&Land)) {
        for reference in &self.references {
            change(&reference.land);
        }
    }
}

/// How the game goes on, and what must hold.
impl Game {
    /// One frame, and so many polls of workers at most.
    fn frame(&mut self, polls: u16) {
        self.app.update();
        self.check::<0>();
        self.check::<1>();
        self.times_full += u64::from(self.references[0].land.lock().is_full);
        for _ in 0..polls {
            if !self.simulation.step() {
                break;
            }
        }
        self.clock.advance(FRAME);
        self.simulation.advance(FRAME);
    }

    /// Mends what fails, and waits until all is done.
    fn settle(&mut self) {
        self.each_land(|land| {
            let mut land = land.lock();
            (land.do_saves_fail, land.do_generators_fail) = (false, false);
            (land.are_gates_closed, land.is_full) = (false, false);
        });
        self.set_budget(ApplyBudget::unlimited());
        self.set_ceiling(None);
        self.pause(false);
        self.frame(u16::MAX);
        for _ in 0..FRAMES_TO_SETTLE {
            self.stream_mut::<0>().retry_quarantined();
            self.stream_mut::<1>().retry_quarantined();
            self.frame(u16::MAX);
            if self.stream::<0>().is_settled() && self.stream::<1>().is_settled() {
                self.check_settled::<0>();
                self.check_settled::<1>();
                self.times_at_rest += 1;
                return;
            }
        }
        let streams = (self.stream::<0>(), self.stream::<1>());
        panic!("never settles: {streams:#?}");
    }

    /// What must hold after every frame.
    fn check<const STREAM: usize>(&mut self) {
        let stream = self.stream::<STREAM>();
        assert_eq!(stream.scheduler().audit(), Ok(()));
        let (is_gated, is_full) = (stream.gated() > 0, stream.held_back().len() > 0);
        self.times_gated += u64::from(is_gated);
        self.times_held_back += u64::from(is_full);
        let stream = self.stream::<STREAM>();
        let is_paused = stream.is_paused();
        let wanted = stream.wanted().clone();
        let index = self.index::<STREAM>();
        let loaded: BTreeMap<_, _> = index.iter().collect();
        let reference = &mut self.references[STREAM];
        let land = reference.land.lock();
        assert_eq!(land.violations, [""; 0]);
        for (coord, chunk) in &loaded {
            let (ground, things) = content::<STREAM>(self.app.world_mut(), chunk.root);
            if is_paused && (ground.seed, ground.place.0) != (land.seed, land.grid) {
                continue;
            }
            assert_eq!(
                ground.place,
                (land.grid, *coord),
                "{ground:?} stands at {coord}"
            );
            assert_eq!(ground.seed, land.seed, "{ground:?} is of another world");
            let seen = reference.seen.entry(ground.place).or_default();
            assert!(ground.edit >= *seen, "{ground:?} is older than edit {seen}");
            *seen = ground.edit;
            let built = reference.built.get(&ground.place).cloned();
            assert_eq!(
                things,
                built.unwrap_or_default(),
                "the things in {ground:?}"
            );
        }
        (reference.despawned)
            .retain(|coord| wanted.contains(*coord) && !loaded.contains_key(coord));
    }

    /// What must hold when nothing is left to do.
    fn check_settled<const STREAM: usize>(&mut self) {
        let stream = self.stream::<STREAM>();
        let wanted: Vec<ChunkCoord> = stream.wanted().iter().collect();
        let must_be_wanted = |coord: ChunkCoord| coord.distance_sq(self.at) <= 9;
        if self.player.is_some() {
            assert!(
                wanted
                    .iter()
                    .filter(|coord| must_be_wanted(**coord))
                    .count()
                    == 29
            );
        } else {
            assert_eq!(wanted, []);
        }
        let loaded: BTreeMap<_, _> = self.index::<STREAM>().iter().collect();
        for coord in &wanted {
            let is_there = loaded.contains_key(coord);
            let may_be_gone = self.references[STREAM].despawned.contains(coord);
            assert!(is_there || may_be_gone, "{coord} is missing");
        }
        let at = self.at;
        for (coord, chunk) in &loaded {
            assert!(wanted.contains(coord), "{coord} is not wanted");
            let (ground, _) = content::<STREAM>(self.app.world_mut(), chunk.root);
            let newest = self.references[STREAM].land.lock().edit(ground.place);
            assert_eq!(ground.edit, newest, "the newest edit of {ground:?}");
            assert_eq!(
                ground.level,
                level(coord.distance_sq(at)),
                "the level of {ground:?}"
            );
        }
        let world = self.app.world_mut();
        let grounds = world.query::<&Ground<STREAM>>().iter(world).count();
        assert_eq!(grounds, loaded.len(), "chunks in the world");
        let bytes = self.stream::<STREAM>().loaded_bytes();
        assert_eq!(bytes, loaded.len() * BYTES);
        let reference = &self.references[STREAM];
        let land = reference.land.lock();
        for (place, built) in &reference.built {
            let is_loaded = place.0 == land.grid && loaded.contains_key(&place.1);
            assert!(
                is_loaded || land.saved(*place) == *built,
                "{place:?} was not saved"
            );
        }
    }

    /// How often what is tested happened in the first stream.
    pub(crate) fn happened(&self) -> [(&'static str, u64); 15] {
        let stream = self.stream::<0>();
        let (counters, totals) = (stream.scheduler().counters(), stream.totals());
        [
            ("chunks", counters.applied),
            ("cancelled jobs", counters.cancelled),
            ("superseded jobs", counters.stale),
            ("retries", counters.retried),
            ("failed chunks", counters.failed),
            ("attempts that came too early", counters.not_yet),
            ("saves", totals.saved),
            ("failed saves", totals.save_failures),
            ("times at rest", self.times_at_rest),
            ("frames with closed gates", self.times_gated),
            ("frames without room for all", self.times_held_back),
            ("restarts", self.restarts),
            ("things built in hidden chunks", self.built_in_hidden),
            ("frames without room for saves", self.times_full),
            (
                "saves after a time",
                self.references[0].land.lock().autosaves,
            ),
        ]
    }

    fn stream<const STREAM: usize>(&self) -> &ChunkStream<Made<STREAM>> {
        self.app.world().resource()
    }

    fn stream_mut<const STREAM: usize>(&mut self) -> Mut<'_, ChunkStream<Made<STREAM>>> {
        self.app.world_mut().resource_mut()
    }

    fn index<const STREAM: usize>(&self) -> &ChunkIndex<Made<STREAM>> {
        self.app.world().resource()
    }
}
