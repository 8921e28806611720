//! Entity events on the roots of chunks: when they are triggered, and what an observer finds.

use crate::rig::{CHUNK_SIZE, PIECES, Pieces, Rig, config, spawner};
use bevy_app::Update;
use bevy_ecs::prelude::*;
use bevy_transform::components::Transform;
use chunk_apply::{
    ApplyBudget, ChunkFailed, ChunkIndex, ChunkLoaded, ChunkStream, ChunkUnloading,
    StreamingSystems,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::{Generator, Job, Lane, Verdict};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::channel,
    },
    time::Duration,
};

/// What observers saw, in order.
#[derive(Resource, Default)]
struct Seen(Vec<(&'static str, ChunkCoord, Entity)>);

/// Whether the stream is there, and how many entities lie under the root.
fn assert_whole(root: Entity, stream: Option<Res<ChunkStream<Pieces>>>, lists: Query<&Children>) {
    assert!(stream.is_some(), "the stream is in the world");
    assert_eq!(lists.get(root).map(|list| list.len()), Ok(PIECES));
}

/// Notes every event, and asserts that the chunk is there.
fn observe(rig: &mut Rig) {
    rig.app
        .init_resource::<Seen>()
        .add_observer(
            |on: On<ChunkLoaded<Pieces>>,
             stream: Option<Res<ChunkStream<Pieces>>>,
             index: Res<ChunkIndex<Pieces>>,
             lists: Query<&Children>,
             mut seen: ResMut<Seen>| {
                assert_eq!(index.root(on.coord), Some(on.root));
                assert_whole(on.root, stream, lists);
                seen.0.push(("loaded", on.coord, on.root));
            },
        )
        .add_observer(
            |on: On<ChunkUnloading<Pieces>>,
             stream: Option<Res<ChunkStream<Pieces>>>,
             index: Res<ChunkIndex<Pieces>>,
             lists: Query<&Children>,
             mut seen: ResMut<Seen>| {
                assert_ne!(index.root(on.coord), Some(on.root));
                assert_whole(on.root, stream, lists);
                seen.0.push(("unloading", on.coord, on.root));
            },
        )
        .add_observer(
            |on: On<ChunkFailed<Pieces>>,
             stream: Option<Res<ChunkStream<Pieces>>>,
             index: Res<ChunkIndex<Pieces>>,
             lists: Query<&Children>,
             mut seen: ResMut<Seen>| {
                let root = on.root.expect("an event has a root");
                assert_eq!(on.verdict, Verdict::GaveUp);
                assert_eq!(index.root(on.coord), Some(root));
                assert_whole(root, stream, lists);
                seen.0.push(("failed", on.coord, root));
            },
        );
}

fn seen(rig: &mut Rig) -> Vec<(&'static str, ChunkCoord, Entity)> {
    core::mem::take(&mut rig.app.world_mut().resource_mut::<Seen>().0)
}

#[test]
fn every_chunk_is_loaded_and_unloading_once() {
    let mut rig = Rig::new();
    observe(&mut rig);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let loaded = seen(&mut rig);
    assert_eq!(loaded.len(), 29);
    for (chunk, (what, coord, root)) in rig.loaded().iter().zip(&loaded) {
        assert_eq!((*what, *coord, *root), ("loaded", chunk.coord, chunk.root));
    }
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let unloading = seen(&mut rig);
    assert_eq!(unloading.len(), 29);
    assert!(unloading.iter().all(|(what, ..)| *what == "unloading"));
    assert!(
        unloading
            .iter()
            .all(|(_, coord, root)| { loaded.iter().any(|(_, of, at)| (of, at) == (coord, root)) })
    );
}

#[test]
fn a_chunk_that_is_replaced_is_unloading_before_the_new_one_is_loaded() {
    for budget in [ApplyBudget::unlimited(), ApplyBudget::time(Duration::ZERO)] {
        let mut rig = Rig::new();
        observe(&mut rig);
        rig.viewer(0, 0);
        rig.settle();
        seen(&mut rig);
        rig.stream_mut().budget = budget;
        let old = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
        rig.stream_mut().refresh(ChunkCoord::ORIGIN);
        rig.settle();
        let new = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
        let expected = [
            ("unloading", ChunkCoord::ORIGIN, old),
            ("loaded", ChunkCoord::ORIGIN, new),
        ];
        assert_eq!(seen(&mut rig), expected);
    }
}

#[test]
fn an_observer_of_one_root_hears_of_that_root_alone() {
    let mut rig = Rig::new();
    rig.app.init_resource::<Seen>();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    (rig.app.world_mut().entity_mut(root)).observe(
        |on: On<ChunkUnloading<Pieces>>, mut seen: ResMut<Seen>| {
            seen.0.push(("unloading", on.coord, on.root));
        },
    );
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(seen(&mut rig), [("unloading", ChunkCoord::ORIGIN, root)]);
}

/// A stream whose generator fails while the switch is on.
fn breakable() -> (Rig, Arc<AtomicBool>) {
    let is_broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&is_broken);
    let generator = Generator::fallible(move |_: &Job<ChunkCoord>| {
        if switch.load(Ordering::Relaxed) {
            Err("broken")
        } else {
            Ok(Pieces(PIECES))
        }
    });
    (Rig::with(generator, spawner(), config()), is_broken)
}

#[test]
fn a_newer_version_that_failed_for_good_is_told_to_the_root_that_stands() {
    let (mut rig, is_broken) = breakable();
    observe(&mut rig);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    seen(&mut rig);
    is_broken.store(true, Ordering::Relaxed);
    rig.stream_mut()
        .refresh_in(ChunkCoord::ORIGIN, Lane::Normal);
    let mut failed = Vec::new();
    for _ in 0..2_000 {
        rig.frame();
        failed.append(&mut rig.failed());
    }
    let root = rig.index().root(ChunkCoord::ORIGIN);
    assert_eq!(failed.len(), 3, "every attempt is a message");
    assert!(failed.iter().all(|failure| failure.root == root));
    let root = root.expect("the old version stands");
    assert_eq!(seen(&mut rig), [("failed", ChunkCoord::ORIGIN, root)]);
    // Chunks that were never there have no root, so that their failures are messages alone.
    rig.move_to(viewer, 100, 0);
    for _ in 0..2_000 {
        rig.frame();
        failed.append(&mut rig.failed());
    }
    assert_eq!(failed.len(), 3 + 3 * 29);
    assert!(failed[3..].iter().all(|failure| failure.root.is_none()));
    assert!(seen(&mut rig).iter().all(|(what, ..)| *what == "unloading"));
}

#[test]
fn a_root_that_another_observer_despawned_has_no_event() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let roots: Vec<Entity> = rig.index().iter().map(|(_, chunk)| chunk.root).collect();
    rig.app.init_resource::<Seen>().add_observer(
        move |on: On<ChunkUnloading<Pieces>>, mut seen: ResMut<Seen>, mut commands: Commands| {
            seen.0.push(("unloading", on.coord, on.root));
            for root in roots.iter().filter(|root| **root != on.root) {
                commands.entity(*root).despawn();
            }
        },
    );
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(seen(&mut rig).len(), 1);
    assert_eq!((rig.index().len(), rig.pieces()), (0, 0));
    assert_eq!(rig.unloaded().len(), 29);
}

#[test]
fn an_observer_may_despawn_what_was_loaded_before() {
    let mut rig = Rig::new();
    rig.app.init_resource::<Seen>().add_observer(
        |on: On<ChunkLoaded<Pieces>>,
         index: Res<ChunkIndex<Pieces>>,
         mut seen: ResMut<Seen>,
         mut commands: Commands| {
            seen.0.push(("loaded", on.coord, on.root));
            for (_, chunk) in index.iter() {
                if chunk.root != on.root {
                    commands.entity(chunk.root).despawn();
                }
            }
        },
    );
    rig.viewer(0, 0);
    rig.settle();
    rig.frame();
    assert_eq!(seen(&mut rig).len(), 29);
    assert_eq!((rig.index().len(), rig.pieces()), (1, PIECES));
    assert_eq!(rig.loaded().len(), 29);
    assert_eq!(rig.unloaded().len(), 28);
}

#[test]
fn an_observer_that_panics_ends_neither_the_app_nor_takes_the_event_of_another_root() {
    let mut rig = Rig::new();
    rig.app.init_resource::<Seen>();
    rig.app
        .add_observer(|on: On<ChunkLoaded<Pieces>>, mut seen: ResMut<Seen>| {
            seen.0.push(("loaded", on.coord, on.root));
            assert!(on.coord.x != 1, "a broken observer");
        });
    rig.app
        .add_observer(|on: On<ChunkUnloading<Pieces>>, mut seen: ResMut<Seen>| {
            seen.0.push(("unloading", on.coord, on.root));
            assert!(on.coord.x != 2, "a broken observer");
        });
    let viewer = rig.viewer(0, 0);
    rig.settle();
    assert_eq!((rig.index().len(), seen(&mut rig).len()), (29, 29));
    assert_eq!(rig.loaded().len(), 29);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!((rig.index().len(), seen(&mut rig).len()), (0, 29));
    assert_eq!(rig.pieces(), 0);
    // Frames in which an observer panicked are counted as all others.
    let totals = rig.stream().totals();
    assert_eq!((totals.spawned, totals.unloaded), (29 * PIECES as u64, 29));
}

#[test]
fn a_version_that_fails_after_it_was_superseded_is_no_event() {
    let is_broken = Arc::new(AtomicBool::new(false));
    let (switch, (began, has_begun), (go_on, wait)) =
        (Arc::clone(&is_broken), channel(), channel::<()>());
    let wait = Mutex::new(wait);
    let generator = Generator::fallible(move |job: &Job<ChunkCoord>| {
        if job.key() == ChunkCoord::ORIGIN && switch.swap(false, Ordering::Relaxed) {
            began.send(()).expect("the test listens");
            let _ = wait.lock().expect("no thread panicked").recv();
            return Err("superseded");
        }
        Ok(Pieces(PIECES))
    });
    let mut rig = Rig::with(generator, spawner(), config());
    observe(&mut rig);
    rig.viewer(0, 0);
    rig.settle();
    seen(&mut rig);
    let old = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    is_broken.store(true, Ordering::Relaxed);
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.app.update();
    let simulation = rig.simulation.clone();
    let worker = std::thread::spawn(move || simulation.run());
    has_begun.recv().expect("the generator runs");
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    go_on.send(()).expect("the generator waits");
    worker.join().expect("a worker does not panic");
    rig.settle();
    assert_eq!(rig.failed().len(), 1, "it is a message");
    let new = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    let expected = [
        ("unloading", ChunkCoord::ORIGIN, old),
        ("loaded", ChunkCoord::ORIGIN, new),
    ];
    assert_eq!(seen(&mut rig), expected);
}

#[test]
fn an_origin_that_an_observer_moves_moves_every_root_in_the_same_frame() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app
        .add_observer(|_: On<ChunkLoaded<Pieces>>, mut commands: Commands| {
            commands.queue(|world: &mut World| {
                ChunkStream::<Pieces>::move_origin(world, ChunkCoord::planar(1, 0));
            });
        });
    rig.move_to(viewer, 1, 0);
    while rig.stream().origin() == ChunkCoord::ORIGIN {
        rig.frame();
    }
    let world = rig.app.world();
    for (coord, chunk) in rig.index().iter() {
        let place = world.get::<Transform>(chunk.root);
        let x = place.expect("a root has one").translation.x;
        assert_eq!(x, (coord.x - 1) as f32 * CHUNK_SIZE, "{coord}");
    }
}

#[test]
fn an_observer_that_removes_the_stream_stops_it() {
    let mut rig = Rig::new();
    rig.app
        .add_observer(|_: On<ChunkLoaded<Pieces>>, mut commands: Commands| {
            commands.remove_resource::<ChunkStream<Pieces>>();
            commands.remove_resource::<ChunkIndex<Pieces>>();
        });
    rig.viewer(0, 0);
    rig.frames(4);
    assert!(!rig.app.world().contains_resource::<ChunkStream<Pieces>>());
}

#[test]
fn saving_everything_before_exit_tells_of_what_is_given_up_first() {
    let mut rig = Rig::with_plugin(|plugin| {
        plugin.with_save_hook(|world, chunk| {
            let seen = ("saved", chunk.coord, chunk.root);
            world.resource_mut::<Seen>().0.push(seen);
            Ok(())
        })
    });
    observe(&mut rig);
    let viewer = rig.viewer(0, 0);
    rig.settle();
    seen(&mut rig);
    rig.app.world_mut().despawn(viewer);
    // What was given up waits as long as applying does not run.
    (rig.app).configure_sets(Update, StreamingSystems::Apply.run_if(|| false));
    rig.frame();
    assert_eq!(
        ChunkStream::<Pieces>::save_all(rig.app.world_mut()).saved,
        29
    );
    let seen = seen(&mut rig);
    assert_eq!(seen.len(), 29 * 2);
    assert!(seen[..29].iter().all(|(what, ..)| *what == "unloading"));
    assert!(seen[29..].iter().all(|(what, ..)| *what == "saved"));
}
