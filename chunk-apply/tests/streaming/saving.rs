//! What the save hook sees, and when; nothing that was built is lost.

use crate::rig::{PIECES, Pieces, Rig, config, generator, grid, spawner};
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLevels, ChunkLoaded, ChunkRoot, ChunkStream,
    ChunkStreamingPlugin, ChunkToSave, ManualClock, SaveReason, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, LevelRings};
use chunk_scheduler::{Generator, Job, Lane};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// What the players built: pieces by chunk. The hook writes it, the generator reads it.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<BTreeMap<ChunkCoord, usize>>>);

impl Disk {
    fn write(&self, coord: ChunkCoord, pieces: usize) {
        let mut disk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        disk.insert(coord, pieces);
    }

    fn read(&self, coord: ChunkCoord) -> Option<usize> {
        let disk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        disk.get(&coord).copied()
    }
}

#[derive(Resource, Default)]
struct Calls(Vec<ChunkToSave>);

/// A stream that saves each chunk's number of pieces, and makes as many as were saved.
fn rig() -> (Rig, Disk) {
    let disk = Disk::default();
    let (reading, writing) = (disk.clone(), disk.clone());
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        Pieces(reading.read(job.key()).unwrap_or(PIECES))
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config())
        .with_save_hook(move |world, chunk| {
            let pieces = world.get::<Children>(chunk.root);
            writing.write(chunk.coord, pieces.map_or(0, |pieces| pieces.len()));
            world.resource_mut::<Calls>().0.push(chunk);
            Ok(())
        });
    let mut rig = Rig::build(ManualClock::default(), plugin);
    rig.app.init_resource::<Calls>();
    (rig, disk)
}

fn calls(rig: &Rig) -> &[ChunkToSave] {
    &rig.app.world().resource::<Calls>().0
}

/// A player puts one more piece into the chunk.
fn build(rig: &mut Rig, coord: ChunkCoord) {
    let root = rig.index().root(coord).expect("loaded");
    rig.app.world_mut().spawn(ChildOf(root));
}

fn children(rig: &Rig, coord: ChunkCoord) -> usize {
    let root = rig.index().root(coord).expect("loaded");
    let world = rig.app.world();
    world.get::<Children>(root).map_or(0, |pieces| pieces.len())
}

#[test]
fn a_chunk_that_is_wanted_again_and_cannot_return_is_made_from_what_was_saved_of_it() {
    let (mut rig, disk) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let built = [ChunkCoord::ORIGIN, ChunkCoord::planar(2, 1)];
    for (pieces, coord) in built.into_iter().enumerate() {
        (0..=pieces).for_each(|_| build(&mut rig, coord));
    }
    // Nothing can be unloaded while the viewer is away, so nothing is saved before it returns.
    rig.stream_mut().budget = ApplyBudget {
        chunks: Some(0),
        ..ApplyBudget::unlimited()
    };
    rig.move_to(viewer, 100, 0);
    rig.frames(3);
    // Otherwise they would be taken back as they are.
    for coord in built {
        assert!(!rig.stream_mut().refresh(coord), "it is not wanted");
    }
    rig.move_to(viewer, 0, 0);
    rig.frames(3);
    assert_eq!(disk.read(ChunkCoord::ORIGIN), None);
    assert_eq!(rig.index().len(), 27);
    assert!(!rig.stream().is_settled());
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    for (pieces, coord) in built.into_iter().enumerate() {
        assert_eq!(disk.read(coord), Some(PIECES + pieces + 1));
        assert_eq!(children(&rig, coord), PIECES + pieces + 1);
    }
    assert_eq!(calls(&rig).len(), 2, "each is saved once");
}

#[test]
fn what_is_wanted_again_is_saved_before_what_goes_for_good() {
    let (mut rig, _) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(1);
    rig.move_to(viewer, 100, 0);
    rig.frame();
    for x in -3..=0 {
        // So that they cannot be taken back.
        rig.stream_mut().refresh(ChunkCoord::planar(x, 0));
    }
    // The origin is among the nearest of those that go, so that it would be among the last.
    rig.move_to(viewer, -3, 0);
    rig.frames(2);
    let saved: Vec<ChunkCoord> = calls(&rig).iter().map(|chunk| chunk.coord).collect();
    for x in -3..=0 {
        assert!(saved.contains(&ChunkCoord::planar(x, 0)), "{saved:?}");
    }
}

#[test]
fn a_chunk_that_waits_for_its_save_and_is_left_again_is_never_requested() {
    let (mut rig, _) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = rig.stream().scheduler().counters().requested;
    rig.stream_mut().budget.chunks = Some(0);
    rig.move_to(viewer, 100, 0);
    rig.frame();
    rig.move_to(viewer, 0, 0);
    rig.frame();
    assert!(rig.stream_mut().refresh(ChunkCoord::ORIGIN), "it is wanted");
    rig.app.world_mut().despawn(viewer);
    rig.frame();
    rig.stream_mut().budget.chunks = None;
    rig.settle();
    let requested = rig.stream().scheduler().counters().requested;
    assert_eq!(
        requested,
        before + 29,
        "those around the place it was away at"
    );
    assert_eq!(rig.pieces(), 0);
    assert_eq!(calls(&rig).len(), 29);
}

#[test]
fn a_chunk_is_saved_before_a_version_of_it_is_made_and_told_why() {
    let (mut rig, disk) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let mut roots = Vec::new();
    for pieces in 1..=3 {
        roots.push(rig.index().root(ChunkCoord::ORIGIN).expect("loaded"));
        build(&mut rig, ChunkCoord::ORIGIN);
        rig.loaded();
        rig.stream_mut()
            .refresh_in(ChunkCoord::ORIGIN, Lane::Normal);
        while rig.loaded().is_empty() {
            rig.frame();
        }
        assert_eq!(disk.read(ChunkCoord::ORIGIN), Some(PIECES + pieces));
        assert_eq!(children(&rig, ChunkCoord::ORIGIN), PIECES + pieces);
    }
    roots.push(rig.index().root(ChunkCoord::ORIGIN).expect("loaded"));
    build(&mut rig, ChunkCoord::ORIGIN);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let saved: Vec<(Entity, SaveReason)> = (calls(&rig).iter())
        .filter(|chunk| chunk.coord == ChunkCoord::ORIGIN)
        .map(|chunk| (chunk.root, chunk.reason))
        .collect();
    let reasons = [
        SaveReason::Replaced,
        SaveReason::Replaced,
        SaveReason::Replaced,
        SaveReason::Unloaded,
    ];
    assert!(saved.into_iter().eq(roots.into_iter().zip(reasons)));
    assert_eq!(disk.read(ChunkCoord::ORIGIN), Some(PIECES + 4));
}

#[test]
fn a_chunk_of_the_former_grid_is_saved_under_its_former_coordinate() {
    #[derive(Resource, Default)]
    struct Places(Vec<(ChunkCoord, f32)>);
    let mut rig = Rig::with_plugin(|plugin| {
        plugin.with_save_hook(|world, chunk| {
            let place = world.get::<Transform>(chunk.root).expect("placed");
            let x = place.translation.x;
            world.resource_mut::<Places>().0.push((chunk.coord, x));
            Ok(())
        })
    });
    rig.app.init_resource::<Places>();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(1);
    rig.stream_mut()
        .set_grid(ChunkGrid::planar(40.0).expect("40 is a size"));
    rig.frames(2);
    rig.move_origin(ChunkCoord::planar(1, 0));
    rig.stream_mut().budget.chunks = None;
    rig.frame();
    let places = &rig.app.world().resource::<Places>().0;
    assert_eq!(places.len(), 29);
    for (coord, x) in places {
        let former = coord.x as f32 * 10.0;
        assert!([former, former - 40.0].contains(x), "{coord:?} at {x}");
    }
}

#[test]
fn before_exit_everything_that_is_there_or_on_its_way_out_can_be_saved() {
    let (mut rig, disk) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(0);
    rig.move_to(viewer, 4, 0);
    rig.frame();
    assert!(rig.stream().unloading() > 0 && !rig.index().is_empty());
    build(&mut rig, ChunkCoord::planar(3, 0));
    let report = ChunkStream::<Pieces>::save_all(rig.app.world_mut());
    assert_eq!((report.saved, report.failed), (29, Vec::new()));
    assert_eq!(calls(&rig).len(), 29);
    assert_eq!(disk.read(ChunkCoord::planar(3, 0)), Some(PIECES + 1));
    let index = rig.app.world().resource::<ChunkIndex<Pieces>>();
    assert!(!index.is_empty(), "nothing is unloaded by it");
    // What was on its way out is not saved again, what is there is.
    let loaded = index.len();
    let report = ChunkStream::<Pieces>::save_all(rig.app.world_mut());
    assert_eq!(report.saved, loaded);
    assert_eq!(calls(&rig).len(), 29 + loaded);
    let reasons = |reason| {
        calls(&rig)
            .iter()
            .filter(move |chunk| chunk.reason == reason)
    };
    assert_eq!(reasons(SaveReason::Unloaded).count(), 29 - loaded);
    assert_eq!(reasons(SaveReason::SaveAll).count(), 2 * loaded);
}

/// On what a player built and the hook has not seen.
#[derive(Component)]
struct Unsaved;

/// What a game does to lose nothing: the hook notes what it has seen, and an observer of the swap moves the rest.
fn carrying_rig(
    disk: &Disk,
    levels: ChunkLevels,
    config: StreamingConfig,
    may_save: impl Fn() -> bool + Send + Sync + 'static,
) -> Rig {
    let (reading, writing) = (disk.clone(), disk.clone());
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        Pieces(reading.read(job.key()).unwrap_or(PIECES))
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config)
        .with_levels(levels)
        .with_save_hook(move |world, chunk| {
            if !may_save() {
                return Err("the disk is full".into());
            }
            let pieces: Vec<Entity> = (world.get::<Children>(chunk.root).into_iter())
                .flatten()
                .copied()
                .collect();
            writing.write(chunk.coord, pieces.len());
            for piece in pieces {
                world.entity_mut(piece).remove::<Unsaved>();
            }
            Ok(())
        });
    let mut rig = Rig::build(ManualClock::default(), plugin);
    rig.app.add_observer(
        |loaded: On<ChunkLoaded<Pieces>>,
         pieces: Query<&Children>,
         unsaved: Query<(), With<Unsaved>>,
         mut commands: Commands| {
            let old = loaded.replaced.and_then(|old| pieces.get(old).ok());
            for piece in old.into_iter().flatten() {
                if unsaved.contains(*piece) {
                    commands.entity(*piece).insert(ChildOf(loaded.root));
                }
            }
        },
    );
    rig
}

fn levels() -> ChunkLevels {
    ChunkLevels::new(LevelRings::new([1, 2], 0).expect("rings"))
}

#[test]
fn eight_things_built_between_changes_of_level_refreshes_and_returns_are_all_there() {
    let (disk, levels) = (Disk::default(), levels());
    // Without the observer: nothing is built while a version is under way.
    let (reading, writing) = (disk.clone(), disk.clone());
    let generator = Generator::new(move |job: &Job<ChunkCoord>| {
        Pieces(reading.read(job.key()).unwrap_or(PIECES))
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config())
        .with_levels(levels)
        .with_save_hook(move |world, chunk| {
            let pieces = world.get::<Children>(chunk.root);
            writing.write(chunk.coord, pieces.map_or(0, |pieces| pieces.len()));
            Ok(())
        });
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    for built in 1..=8 {
        build(&mut rig, ChunkCoord::ORIGIN);
        match built % 4 {
            // Another level, and another one.
            1 => rig.move_to(viewer, 2, 0),
            2 => rig.move_to(viewer, 0, 0),
            3 => _ = rig.stream_mut().refresh(ChunkCoord::ORIGIN),
            _ => {
                rig.move_to(viewer, 50, 0);
                rig.settle();
                assert_eq!(disk.read(ChunkCoord::ORIGIN), Some(PIECES + built));
                rig.move_to(viewer, 0, 0);
            }
        }
        rig.settle();
        assert_eq!(children(&rig, ChunkCoord::ORIGIN), PIECES + built);
    }
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(disk.read(ChunkCoord::ORIGIN), Some(PIECES + 8));
}

/// Numbers that repeat: xorshift.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

#[test]
fn what_a_player_builds_at_any_moment_is_there_whatever_happens_to_the_chunk() {
    for seed in 1..=40_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let is_full = Arc::new(AtomicBool::new(false));
        let (disk, broken) = (Disk::default(), Arc::clone(&is_full));
        let config = StreamingConfig {
            budget: ApplyBudget {
                chunks: [None, Some(1), Some(3)][seed as usize % 3],
                ..ApplyBudget::unlimited()
            },
            scan_budget: Duration::from_secs(60 * (seed % 2)),
            ..config()
        };
        let mut rig = carrying_rig(&disk, levels(), config, move || {
            !broken.load(Ordering::Relaxed)
        });
        let viewer = rig.viewer(0, 0);
        let mut built = BTreeMap::<ChunkCoord, usize>::new();
        for _ in 0..400 {
            match dice.roll(8) {
                0 => {
                    let at = |dice: &mut Dice| dice.roll(12) as i32 - 6;
                    let (x, z) = (at(&mut dice), at(&mut dice));
                    rig.move_to(viewer, x, z);
                }
                1 => is_full.store(dice.roll(3) == 0, Ordering::Relaxed),
                2..=4 => {
                    let (x, z) = (dice.roll(7) as i32 - 3, dice.roll(7) as i32 - 3);
                    rig.stream_mut().refresh(ChunkCoord::planar(x, z));
                }
                _ => {
                    let mut chunks: Vec<_> = rig.index().iter().collect();
                    chunks.sort_unstable_by_key(|(coord, _)| *coord);
                    if !chunks.is_empty() {
                        let (coord, chunk) = chunks[dice.roll(chunks.len() as u64) as usize];
                        rig.app.world_mut().spawn((Unsaved, ChildOf(chunk.root)));
                        *built.entry(coord).or_default() += 1;
                    }
                }
            }
            rig.app.update();
            if dice.roll(3) > 0 {
                rig.simulation.run();
            }
            rig.clock.advance(Duration::from_millis(16));
            assert_eq!(rig.stream().scheduler().audit(), Ok(()), "seed {seed}");
        }
        is_full.store(false, Ordering::Relaxed);
        rig.settle();
        for (coord, built) in &built {
            if rig.index().contains(*coord) {
                assert_eq!(
                    children(&rig, *coord),
                    PIECES + built,
                    "seed {seed}, {coord}"
                );
            } else {
                assert_eq!(
                    disk.read(*coord),
                    Some(PIECES + built),
                    "seed {seed}, {coord}"
                );
            }
        }
        rig.app.world_mut().despawn(viewer);
        rig.settle();
        for (coord, built) in &built {
            assert_eq!(
                disk.read(*coord),
                Some(PIECES + built),
                "seed {seed}, {coord}"
            );
        }
        let world = rig.app.world_mut();
        let left = world.query::<&ChunkRoot>().iter(world).count();
        assert_eq!(left, 0, "seed {seed}");
    }
}

#[test]
fn a_refresh_of_a_chunk_that_is_wanted_again_and_not_yet_asked_for_waits_for_its_save() {
    let (mut rig, disk) = rig();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    build(&mut rig, ChunkCoord::ORIGIN);
    rig.stream_mut().budget.chunks = Some(0);
    rig.move_to(viewer, 100, 0);
    rig.frames(3);
    // It is wanted again, and requesting takes longer than the scan may.
    let requested = rig.stream().scheduler().counters().requested;
    rig.stream_mut().scan_budget = Duration::ZERO;
    rig.move_to(viewer, 0, 0);
    while !rig.stream().wanted().contains(ChunkCoord::ORIGIN) {
        rig.frame();
        if rig.stream().wanted().contains(ChunkCoord::ORIGIN) {
            rig.stream_mut().refresh(ChunkCoord::ORIGIN);
        }
    }
    rig.frames(3);
    assert_eq!(disk.read(ChunkCoord::ORIGIN), None);
    assert_eq!(
        rig.stream().scheduler().state(ChunkCoord::ORIGIN),
        None,
        "{requested} were requested before"
    );
    rig.stream_mut().budget.chunks = None;
    rig.settle();
    assert_eq!(children(&rig, ChunkCoord::ORIGIN), PIECES + 1);
}

#[test]
fn the_old_root_is_readable_when_the_new_one_is_whole() {
    #[derive(Resource, Default)]
    struct Seen(Vec<(Option<Entity>, usize)>);
    let (mut rig, _) = rig();
    rig.app.init_resource::<Seen>().add_observer(
        |loaded: On<ChunkLoaded<Pieces>>, lists: Query<&Children>, mut seen: ResMut<Seen>| {
            let old = loaded.replaced.and_then(|old| lists.get(old).ok());
            let pieces = old.map_or(0, |pieces| pieces.len());
            seen.0.push((loaded.replaced, pieces));
        },
    );
    rig.viewer(0, 0);
    rig.settle();
    let old = rig.index().root(ChunkCoord::ORIGIN);
    build(&mut rig, ChunkCoord::ORIGIN);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.settle();
    let seen = &rig.app.world().resource::<Seen>().0;
    assert!(seen[..29].iter().all(|chunk| *chunk == (None, 0)));
    assert_eq!(seen[29..], [(old, PIECES + 1)]);
    assert!(rig.app.world().get_entity(old.expect("loaded")).is_err());
}

#[test]
fn chunks_to_be_made_anew_are_saved_nearest_first_within_the_budget() {
    let clock = ManualClock::default();
    let slow = clock.clone();
    let plugin = ChunkStreamingPlugin::new(grid(), crate::rig::generator(), spawner())
        .with_config(config())
        .with_save_hook(move |world, chunk| {
            slow.advance(Duration::from_micros(300));
            world.resource_mut::<Calls>().0.push(chunk);
            Ok(())
        });
    let mut rig = Rig::build(clock, plugin);
    rig.app.init_resource::<Calls>();
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = ApplyBudget::time(Duration::from_millis(1));
    let coords: Vec<ChunkCoord> = rig.index().iter().map(|(coord, _)| coord).collect();
    for coord in &coords {
        rig.stream_mut().refresh(*coord);
    }
    let mut frames = 0;
    while !rig.stream().is_settled() {
        rig.frame();
        frames += 1;
        let spent = rig.stream().last_frame().main_thread();
        assert!(spent <= Duration::from_micros(1_300), "{spent:?}");
    }
    assert!(frames >= 29 / 4, "{frames}");
    let saved: Vec<u64> = (calls(&rig).iter())
        .map(|chunk| chunk.coord.distance_sq(ChunkCoord::ORIGIN))
        .collect();
    assert_eq!(saved.len(), 29);
    assert!(saved.is_sorted(), "{saved:?}");
    assert_eq!(rig.stream().scheduler().counters().applied, 2 * 29);
}

#[test]
fn a_chunk_is_not_saved_while_a_version_of_it_is_under_way() {
    let (mut rig, disk) = rig();
    rig.viewer(0, 0);
    rig.settle();
    build(&mut rig, ChunkCoord::ORIGIN);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.app.update();
    assert_eq!(calls(&rig).len(), 1);
    // Each frame another edit, and the workers are slow.
    for _ in 0..10 {
        rig.stream_mut().refresh(ChunkCoord::ORIGIN);
        rig.app.update();
    }
    assert_eq!(calls(&rig).len(), 1);
    rig.settle();
    assert_eq!(calls(&rig).len(), 2, "one more version is made");
    assert_eq!(rig.stream().scheduler().counters().applied, 29 + 2);
    assert_eq!(disk.read(ChunkCoord::ORIGIN), Some(PIECES + 1));
    assert_eq!(children(&rig, ChunkCoord::ORIGIN), PIECES + 1);
}

#[test]
fn a_version_that_fails_for_good_does_not_hold_up_the_next() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_broken);
    let generator = Generator::fallible(move |_: &Job<ChunkCoord>| {
        if switch.load(Ordering::Relaxed) {
            Err("broken")
        } else {
            Ok(Pieces(PIECES + 1))
        }
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config())
        .with_save_hook(|_, _| Ok(()));
    let mut rig = Rig::build(ManualClock::default(), plugin);
    rig.viewer(0, 0);
    rig.settle();
    is_broken.store(true, Ordering::Relaxed);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.frames(2);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.settle();
    is_broken.store(false, Ordering::Relaxed);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.settle();
    assert_eq!(rig.stream().scheduler().counters().applied, 30);
}

#[test]
fn nothing_of_another_grid_is_asked_for_before_the_old_one_is_saved() {
    let is_full = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_full);
    let mut rig = Rig::with_plugin(|plugin| {
        plugin.with_save_hook(move |_, chunk| {
            if chunk.coord == ChunkCoord::planar(1, 1) && broken.load(Ordering::Relaxed) {
                return Err("the disk is full".into());
            }
            Ok(())
        })
    });
    rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut()
        .set_grid(ChunkGrid::planar(40.0).expect("40 is a size"));
    for _ in 0..100 {
        rig.frame();
        rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    }
    assert_eq!(rig.stream().scheduler().counters().requested, 29);
    assert_eq!(rig.stream().unloading(), 1);
    is_full.store(false, Ordering::Relaxed);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
}

#[test]
fn all_that_stands_is_saved_within_the_budget_while_the_game_goes_on() {
    let clock = ManualClock::default();
    let (slow, budget) = (clock.clone(), Duration::from_millis(1));
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner())
        .with_config(StreamingConfig {
            budget: ApplyBudget::time(budget),
            ..config()
        })
        .with_save_hook(move |world, chunk| {
            slow.advance(Duration::from_micros(300));
            world.resource_mut::<Calls>().0.push(chunk);
            match chunk.coord == ChunkCoord::ORIGIN {
                true => Err("a full disk".into()),
                false => Ok(()),
            }
        });
    let mut rig = Rig::build(clock, plugin);
    rig.app.init_resource::<Calls>();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let world = rig.app.world_mut();
    let asked = world.resource_scope(|world, index: Mut<ChunkIndex<Pieces>>| {
        let mut stream = world.resource_mut::<ChunkStream<Pieces>>();
        stream.start_saving_all(&index)
    });
    assert_eq!((asked, rig.stream().saving_all()), (29, 29));
    let mut frames = 0;
    while rig.stream().saving_all() > 0 {
        if frames == 3 {
            rig.move_to(viewer, 4, 0);
        }
        rig.frame();
        frames += 1;
        let spent = rig.stream().last_frame().main_thread();
        assert!(spent <= budget, "{spent:?} in frame {frames}");
        assert!(frames < 100, "it goes on beside loading");
    }
    rig.frames(50);
    let calls = calls(&rig);
    let of = |reason| calls.iter().filter(move |chunk| chunk.reason == reason);
    let all: Vec<ChunkCoord> = of(SaveReason::SaveAll).map(|chunk| chunk.coord).collect();
    assert!(all.is_sorted());
    let left: Vec<ChunkCoord> = of(SaveReason::Unloaded).map(|chunk| chunk.coord).collect();
    assert!(left.iter().all(|coord| coord.x < 1), "{left:?}");
    // Each of the 29 that stood, those that left before their turn because they left.
    let mut saved: Vec<ChunkCoord> = all.iter().chain(&left).copied().collect();
    saved.sort_unstable();
    saved.dedup();
    assert_eq!(saved.len(), 29);
    assert!(frames >= 29 / 3, "three in a frame at most: {frames}");
    assert_eq!(
        rig.stream().totals().save_failures,
        1,
        "not tried again while it stands"
    );
}
