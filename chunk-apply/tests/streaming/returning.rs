//! Chunks that were given up and are wanted again before they are despawned.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, generator, grid, spawner};
use bevy_ecs::prelude::*;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLevels, ChunkLoaded, ChunkStream, ChunkStreamingPlugin,
    ChunkUnloading, ManualClock, Reset, StreamingConfig,
};
use chunk_coord::{ChunkCoord, ChunkGrid, LevelRings};
use std::{collections::BTreeMap, time::Duration};

/// Nothing is despawned and nothing is spawned.
fn no_chunks() -> ApplyBudget {
    ApplyBudget {
        chunks: Some(0),
        ..ApplyBudget::unlimited()
    }
}

fn roots(rig: &Rig) -> BTreeMap<ChunkCoord, Entity> {
    (rig.index().iter())
        .map(|(coord, chunk)| (coord, chunk.root))
        .collect()
}

/// Everything left and nothing of it is despawned. The viewer is back, and the next scan finds it.
fn away_and_back(rig: &mut Rig, viewer: Entity, meanwhile: impl FnOnce(&mut Rig)) {
    rig.stream_mut().budget = no_chunks();
    rig.move_to(viewer, 100, 0);
    rig.frames(2);
    assert!(rig.index().is_empty());
    meanwhile(rig);
    rig.move_to(viewer, 0, 0);
}

#[test]
fn what_is_still_whole_is_taken_back_with_the_same_roots_and_told() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = roots(&rig);
    let pieces = rig.pieces();
    away_and_back(&mut rig, viewer, |rig| {
        assert_eq!(rig.stream().unloading(), 29);
        rig.loaded();
        rig.unloaded();
    });
    let requested = rig.stream().scheduler().counters().requested;
    rig.frame();
    // Also with a budget that spawns nothing.
    assert_eq!((roots(&rig), rig.pieces()), (before.clone(), pieces));
    assert_eq!(rig.stream().unloading(), 0);
    let loaded = rig.loaded();
    assert_eq!(loaded.len(), 29);
    for chunk in &loaded {
        assert_eq!(Some(&chunk.root), before.get(&chunk.coord));
        assert_eq!((chunk.entities, chunk.replaced), (PIECES, None));
    }
    assert!(rig.unloaded().is_empty());
    assert_eq!(rig.stream().scheduler().counters().requested, requested);
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert_eq!(roots(&rig), before);
    // And it goes as any other.
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!((rig.pieces(), rig.unloaded().len()), (0, 29));
    assert_eq!(rig.stream().totals().unloaded, 29);
}

#[test]
fn its_events_come_in_the_order_of_what_happened() {
    #[derive(Resource, Default)]
    struct Seen(Vec<(&'static str, Entity)>);
    let mut rig = Rig::new();
    rig.app
        .init_resource::<Seen>()
        .add_observer(|on: On<ChunkLoaded<Pieces>>, mut seen: ResMut<Seen>| {
            seen.0.push(("loaded", on.root));
        })
        .add_observer(|on: On<ChunkUnloading<Pieces>>, mut seen: ResMut<Seen>| {
            seen.0.push(("unloading", on.root));
        });
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    away_and_back(&mut rig, viewer, |_| ());
    rig.frame();
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let seen = &rig.app.world().resource::<Seen>().0;
    let of_it: Vec<_> = (seen.iter())
        .filter(|(_, of)| *of == root)
        .map(|(what, _)| *what)
        .collect();
    assert_eq!(of_it, ["loaded", "unloading", "loaded", "unloading"]);
}

#[test]
fn a_chunk_of_which_something_is_despawned_is_made_anew() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = roots(&rig);
    // A slice a frame.
    rig.stream_mut().budget = ApplyBudget::time(Duration::ZERO);
    rig.move_to(viewer, 100, 0);
    rig.frame();
    assert!(rig.pieces() < 29 * PIECES);
    rig.move_to(viewer, 0, 0);
    rig.frame();
    let back = roots(&rig);
    assert!((1..29).contains(&back.len()), "{}", back.len());
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert_eq!((rig.index().len(), rig.pieces()), (29, 29 * PIECES));
    for (coord, root) in roots(&rig) {
        let is_old = before[&coord] == root;
        assert_eq!(is_old, back.contains_key(&coord), "{coord}");
    }
}

#[test]
fn what_is_out_of_date_is_made_anew() {
    // A refresh while it is away.
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let old = rig.index().root(ChunkCoord::ORIGIN);
    away_and_back(&mut rig, viewer, |rig| {
        assert!(!rig.stream_mut().refresh(ChunkCoord::ORIGIN));
    });
    rig.frame();
    assert_eq!(rig.index().len(), 28);
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert_ne!(rig.index().root(ChunkCoord::ORIGIN), old);
    assert_eq!((rig.index().len(), rig.pieces()), (29, 29 * PIECES));
    // A newer version that was under way when it left.
    let old = rig.index().root(ChunkCoord::ORIGIN);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    away_and_back(&mut rig, viewer, |_| ());
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert_ne!(rig.index().root(ChunkCoord::ORIGIN), old);
    // Its root was despawned by the game.
    let old = rig.index().root(ChunkCoord::ORIGIN);
    away_and_back(&mut rig, viewer, |rig| {
        rig.app.world_mut().despawn(old.expect("loaded"));
    });
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert_eq!((rig.index().len(), rig.pieces()), (29, 29 * PIECES));
}

#[test]
fn nothing_of_another_grid_or_from_before_a_reset_is_taken_back() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let old = roots(&rig);
    rig.stream_mut().budget = no_chunks();
    rig.stream_mut()
        .set_grid(ChunkGrid::planar(20.0).expect("20 is a size"));
    rig.frames(3);
    assert!(rig.index().is_empty());
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    let new = roots(&rig);
    assert!(new.iter().all(|(coord, root)| old[coord] != *root));
    // What left before that is of the other grid as well.
    let old = new;
    away_and_back(&mut rig, viewer, |rig| {
        rig.stream_mut()
            .set_grid(ChunkGrid::planar(10.0).expect("10 is a size"));
    });
    rig.frames(3);
    assert!(rig.index().is_empty());
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    let new = roots(&rig);
    assert!(new.iter().all(|(coord, root)| old[coord] != *root));
    away_and_back(&mut rig, viewer, |rig| {
        let _ = ChunkStream::<Pieces>::reset(rig.app.world_mut(), Reset::Discard);
    });
    rig.frames(3);
    assert!(rig.index().is_empty());
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert!(roots(&rig).iter().all(|(coord, root)| new[coord] != *root));
    assert_eq!(rig.pieces(), 29 * PIECES);
}

#[test]
fn what_was_not_saved_is_taken_back_unsaved_and_saved_when_it_goes() {
    #[derive(Resource, Default)]
    struct Saved(BTreeMap<ChunkCoord, usize>);
    let mut rig = Rig::with_plugin(|plugin| {
        plugin.with_save_hook(|world, chunk| {
            *(world.resource_mut::<Saved>().0)
                .entry(chunk.coord)
                .or_default() += 1;
            Ok(())
        })
    });
    rig.app.init_resource::<Saved>();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = roots(&rig);
    away_and_back(&mut rig, viewer, |_| ());
    rig.frame();
    assert_eq!(roots(&rig), before);
    assert!(rig.app.world().resource::<Saved>().0.is_empty());
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let saved = &rig.app.world().resource::<Saved>().0;
    assert_eq!(saved.len(), 29);
    assert!(saved.values().all(|times| *times == 1));
}

#[test]
fn it_stands_where_a_moved_origin_puts_it() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget = no_chunks();
    rig.move_to(viewer, 100, 0);
    rig.frames(2);
    rig.move_origin(ChunkCoord::planar(5, 0));
    rig.move_to(viewer, -5, 0);
    rig.frames(2);
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("taken back");
    let place = rig.app.world().get::<Transform>(root).expect("a root");
    assert_eq!(place.translation, Vec3::new(-50.0, 0.0, 0.0));
}

#[test]
fn it_is_made_anew_if_its_level_changed_and_else_kept() {
    let levels = ChunkLevels::new(LevelRings::new([1, 3], 0).expect("3 is more than 1"));
    let asked = levels.clone();
    let generator =
        chunk_scheduler::Generator::new(move |job: &chunk_scheduler::Job<ChunkCoord>| {
            Pieces(usize::from(asked.around(job).own()) + 1)
        });
    let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner())
        .with_config(config())
        .with_levels(levels.clone());
    let mut rig = Rig::build(ManualClock::default(), plugin);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = roots(&rig);
    let requested = rig.stream().scheduler().counters().requested;
    away_and_back(&mut rig, viewer, |_| ());
    rig.frame();
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.settle();
    assert_eq!(roots(&rig), before);
    let far = rig.stream().scheduler().counters().requested - requested;
    assert_eq!(far, 29, "those of the other place alone");
    for to in [2, 0, 3, 1, 0] {
        rig.stream_mut().budget = no_chunks();
        rig.move_to(viewer, 100, 0);
        rig.frames(2);
        rig.move_to(viewer, to, 0);
        rig.frames(2);
        rig.stream_mut().budget = ApplyBudget::unlimited();
        rig.settle();
        for (coord, chunk) in rig.index().iter() {
            assert_eq!(chunk.entities, usize::from(levels.of(coord)) + 1, "{coord}");
        }
    }
}

#[cfg(feature = "visibility")]
#[test]
fn it_is_seen_again_as_its_spawner_left_it() {
    use bevy_camera::visibility::Visibility;
    use chunk_apply::{ChunkWriter, Spawner};
    let spawner = Spawner::new(
        |coord: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            if coord == ChunkCoord::ORIGIN {
                writer.insert_on_root(Visibility::Visible);
            }
        },
    );
    let mut rig = Rig::with(generator(), spawner, config());
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let seen = |rig: &Rig, root| *rig.app.world().get::<Visibility>(root).expect("a root");
    let before = roots(&rig);
    away_and_back(&mut rig, viewer, |rig| {
        assert!(
            before
                .values()
                .all(|root| seen(rig, *root) == Visibility::Hidden)
        );
    });
    rig.frame();
    for (coord, root) in roots(&rig) {
        let expected = match coord {
            ChunkCoord::ORIGIN => Visibility::Visible,
            _ => Visibility::Inherited,
        };
        assert_eq!((seen(&rig, root), before[&coord]), (expected, root));
    }
}

#[test]
fn going_to_and_fro_all_the_time_loses_nothing_and_keeps_nothing() {
    let config = StreamingConfig {
        budget: ApplyBudget {
            chunks: Some(3),
            ..ApplyBudget::unlimited()
        },
        ..config()
    };
    let mut rig = Rig::with(generator(), spawner(), config);
    let viewer = rig.viewer(0, 0);
    for step in 0..300 {
        rig.move_to(viewer, [0, 100, 3, 50][step % 4], (step / 40) as i32);
        rig.frame();
        assert_eq!(rig.stream().scheduler().audit(), Ok(()));
        let world = rig.app.world_mut();
        let index = world.resource::<ChunkIndex<Pieces>>();
        let loaded: Vec<Entity> = index.iter().map(|(_, chunk)| chunk.root).collect();
        for root in loaded {
            let children = world.get::<Children>(root).map(|list| list.len());
            assert_eq!(children, Some(PIECES), "a loaded chunk is whole");
        }
    }
    rig.settle();
    assert_eq!(rig.pieces(), rig.index().len() * PIECES);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let world = rig.app.world_mut();
    assert_eq!(world.query::<&Piece>().iter(world).count(), 0);
    assert_eq!(
        world.query::<&chunk_apply::ChunkRoot>().iter(world).count(),
        0
    );
}

#[test]
fn a_refresh_of_a_chunk_that_is_about_to_leave_is_not_lost() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let before = roots(&rig);
    // The scan finds that chunks left, and has no time to give them all up.
    rig.stream_mut().scan_budget = Duration::ZERO;
    rig.stream_mut().budget = ApplyBudget {
        time: Some(Duration::ZERO),
        ..no_chunks()
    };
    rig.move_to(viewer, 100, 0);
    let is_leaving = |rig: &Rig| {
        let mut loaded = rig.index().iter().map(|(coord, _)| coord);
        loaded.find(|coord| !rig.stream().wanted().contains(*coord))
    };
    let mut leaving = None;
    for _ in 0..1_000 {
        rig.frame();
        leaving = leaving.or_else(|| is_leaving(&rig));
        if leaving.is_some() {
            break;
        }
    }
    let leaving = leaving.expect("some are given up later than others");
    assert!(!rig.stream_mut().refresh(leaving), "it is not wanted");
    for _ in 0..1_000 {
        rig.frame();
        if rig.index().is_empty() {
            break;
        }
    }
    rig.stream_mut().scan_budget = Duration::from_secs(60);
    rig.stream_mut().budget = ApplyBudget::unlimited();
    rig.move_to(viewer, 0, 0);
    rig.settle();
    let after = roots(&rig);
    assert_ne!(after[&leaving], before[&leaving], "it is made anew");
    assert!(
        after
            .iter()
            .any(|(coord, root)| before.get(coord) == Some(root))
    );
}
