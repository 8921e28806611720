//! Chunks that are shown when their gates are open.

use crate::rig::{Piece, Pieces, Rig, config, grid};
#[cfg(feature = "visibility")]
use bevy_camera::visibility::Visibility;
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkCoord, ChunkRoot, ChunkStatus, ChunkStream, ChunkStreamingPlugin,
    ChunkWriter, Generator, Job, LoadedChunks, ManualClock, Reset, Simulation, Spawner,
    StreamingConfig, StreamingDiagnosticsPlugin, Verdict,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const A: ChunkCoord = ChunkCoord::ORIGIN;
const B: ChunkCoord = ChunkCoord::planar(1, 0);
const C: ChunkCoord = ChunkCoord::planar(0, 1);

/// What the gates say, and how often each was asked in this frame.
#[derive(Resource, Default)]
struct Gatehouse {
    closed: BTreeSet<ChunkCoord>,
    /// From which edit on they are closed.
    closed_from: usize,
    panics: bool,
}

/// How often gates were asked, by chunk and edit.
type Asked = Arc<std::sync::Mutex<BTreeMap<(ChunkCoord, usize), usize>>>;

struct Gated {
    rig: Rig,
    edit: Arc<AtomicUsize>,
    asked: Asked,
}

impl Gated {
    fn new(budget: ApplyBudget) -> Self {
        Self::with(budget, |plugin| plugin)
    }

    /// Chunks of one piece that has the number of the edit, each with a gate, of which those of `A`, `B` and `C` are closed for
    /// all but the first edit.
    fn with(
        budget: ApplyBudget,
        change: impl FnOnce(ChunkStreamingPlugin<Pieces>) -> ChunkStreamingPlugin<Pieces>,
    ) -> Self {
        let (edit, asked) = (Arc::new(AtomicUsize::new(0)), Asked::default());
        let (making, asking) = (Arc::clone(&edit), Arc::clone(&asked));
        let generator =
            Generator::new(move |_: &Job<ChunkCoord>| Pieces(making.load(Ordering::Relaxed)));
        let spawner = Spawner::new(
            move |coord: ChunkCoord, made: Pieces, writer: &mut ChunkWriter<'_, '_>| {
                writer.upload(10, |_, _| {});
                let asking = Arc::clone(&asking);
                writer.show_when(move |world, root| {
                    assert_eq!(
                        world.get::<ChunkRoot>(root).map(|root| root.coord),
                        Some(coord)
                    );
                    let children = world.get::<Children>(root).map_or(0, |list| list.len());
                    assert_eq!(children, 1, "all is spawned");
                    *asking
                        .lock()
                        .expect("no panic")
                        .entry((coord, made.0))
                        .or_default() += 1;
                    let Gatehouse {
                        closed,
                        closed_from,
                        panics,
                    } = world.resource();
                    let is_closed = made.0 >= *closed_from && closed.contains(&coord);
                    assert!(!(is_closed && *panics), "the gate broke");
                    !is_closed
                });
                writer.spawn_batch([Piece(made.0)]);
            },
        );
        let plugin = ChunkStreamingPlugin::new(grid(), generator, spawner)
            .with_config(StreamingConfig { budget, ..config() });
        let mut rig = Rig::simulated(Simulation::new(3), ManualClock::default(), change(plugin));
        rig.app.insert_resource(Gatehouse {
            closed: BTreeSet::from([A, B, C]),
            closed_from: 1,
            panics: false,
        });
        rig.viewer(0, 0);
        rig.settle();
        Self { rig, edit, asked }
    }

    fn gatehouse(&mut self) -> Mut<'_, Gatehouse> {
        self.rig.app.world_mut().resource_mut()
    }

    /// The next edit, of these chunks one by one.
    fn edit(&mut self, chunks: &[ChunkCoord]) {
        self.edit.fetch_add(1, Ordering::Relaxed);
        for coord in chunks {
            assert!(self.rig.stream_mut().refresh(*coord));
        }
    }

    fn frames(&mut self, frames: usize) {
        for _ in 0..frames {
            self.asked.lock().expect("no panic").clear();
            self.rig.frame();
            let stream = self.rig.stream();
            assert_eq!(stream.scheduler().audit(), Ok(()));
            // One that was late may have been superseded in this frame.
            assert!(stream.gated() <= stream.scheduler().depths().backlog + 1);
            let asked = self.asked.lock().expect("no panic");
            assert!(asked.values().all(|times| *times <= 1), "{asked:?}");
        }
    }

    fn seen(&self, chunks: &[ChunkCoord]) -> Vec<usize> {
        let world = self.rig.app.world();
        let see = |coord: &ChunkCoord| {
            let root = self.rig.index().root(*coord).expect("a version stands");
            let children = world.get::<Children>(root).expect("it has a piece");
            world.get::<Piece>(children[0]).expect("a piece").0
        };
        chunks.iter().map(see).collect()
    }
}

fn budgets() -> [ApplyBudget; 4] {
    [
        ApplyBudget::unlimited(),
        ApplyBudget::unlimited().in_whole_chunks(),
        ApplyBudget::time(Duration::ZERO),
        ApplyBudget {
            chunks: Some(1),
            ..ApplyBudget::unlimited()
        },
    ]
}

#[test]
fn what_stands_stays_until_the_gate_opens_and_other_chunks_go_on() {
    for budget in budgets() {
        let mut gated = Gated::new(budget);
        gated.edit(&[A, B, ChunkCoord::planar(2, 0)]);
        gated.frames(40);
        assert_eq!(gated.seen(&[A, B, ChunkCoord::planar(2, 0)]), [0, 0, 1]);
        assert_eq!(gated.rig.index().len(), 29);
        assert_eq!(gated.rig.stream().gated(), 2, "{budget}");
        assert!(!gated.rig.stream().is_settled());
        // Both versions have uploaded.
        assert_eq!(gated.rig.stream().loaded_bytes(), 31 * 10);
        gated.rig.loaded();
        gated.gatehouse().closed.remove(&A);
        let mut loaded = 0;
        for _ in 0..6 {
            gated.frames(1);
            loaded += gated.rig.loaded().len();
        }
        assert_eq!((gated.seen(&[A, B]), loaded), (vec![1, 0], 1));
        gated.gatehouse().closed.clear();
        gated.rig.settle();
        assert_eq!(gated.seen(&[A, B]), [1, 1]);
        assert_eq!(gated.rig.pieces(), 29);
        assert_eq!(gated.rig.stream().loaded_bytes(), 29 * 10);
    }
}

#[test]
fn a_chunk_that_waits_is_hidden_and_is_no_chunk_that_is_loaded() {
    fn ghosts(pieces: Query<(Entity, &Piece)>, chunks: LoadedChunks<Pieces>) -> Vec<usize> {
        let ghosts = pieces.iter().filter(|(piece, _)| chunks.is_ghost(*piece));
        ghosts.map(|(_, piece)| piece.0).collect()
    }
    let mut gated = Gated::new(ApplyBudget::unlimited());
    gated.edit(&[A]);
    gated.frames(3);
    let world = gated.rig.app.world_mut();
    assert_eq!(world.run_system_cached(ghosts).ok(), Some(vec![1]));
    #[cfg(feature = "visibility")]
    {
        let hidden = |world: &mut World| {
            let mut roots = world.query::<(&ChunkRoot, &Visibility)>();
            let hidden = roots
                .iter(world)
                .filter(|(_, it)| **it == Visibility::Hidden);
            hidden.map(|(root, _)| root.coord).collect::<Vec<_>>()
        };
        assert_eq!(hidden(world), [A]);
        world.resource_mut::<Gatehouse>().closed.clear();
        gated.rig.settle();
        assert_eq!(hidden(gated.rig.app.world_mut()), []);
    }
}

#[test]
fn one_that_stands_for_the_first_time_is_missing_until_its_gate_opens() {
    let mut gated = Gated::new(ApplyBudget::unlimited());
    gated.gatehouse().closed_from = 0;
    let root = gated.rig.index().root(A).expect("loaded");
    gated.rig.app.world_mut().despawn(root);
    gated.frames(1);
    gated.edit(&[A]);
    gated.frames(3);
    assert!(!gated.rig.index().contains(A));
    let stream = gated.rig.stream();
    let status = stream.explain(gated.rig.index(), A);
    assert!(
        matches!(status, ChunkStatus::Gated { is_late: false, .. }),
        "{status}"
    );
    gated.gatehouse().closed.clear();
    gated.rig.settle();
    assert!(gated.rig.index().contains(A));
}

/// Gates that are never open, of which each takes 100 µs of the 1 ms that a frame has for them, and which were asked.
fn asked_slowly() -> (Rig, Arc<std::sync::Mutex<Vec<ChunkCoord>>>) {
    let clock = ManualClock::default();
    let order = Arc::new(std::sync::Mutex::new(Vec::new()));
    let (noting, slow) = (Arc::clone(&order), clock.clone());
    let spawner = Spawner::new(
        move |coord: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            let (noting, slow) = (Arc::clone(&noting), slow.clone());
            writer.show_when(move |_, _| {
                slow.advance(Duration::from_micros(100));
                noting.lock().expect("no panic").push(coord);
                false
            });
        },
    );
    let config = StreamingConfig {
        budget: ApplyBudget::time(Duration::from_millis(4)),
        ..config()
    };
    let rig = Rig::on(clock, crate::rig::generator(), spawner, config);
    (rig, order)
}

#[test]
fn the_nearest_are_asked_first_and_all_in_turn_where_time_is_short() {
    let (mut rig, order) = asked_slowly();
    rig.viewer(0, 0);
    while rig.stream().gated() < 29 {
        rig.frame();
    }
    // Until a round begins.
    order.lock().expect("no panic").clear();
    let mut rounds = Vec::new();
    for _ in 0..40 {
        rig.frame();
        let mut order = order.lock().expect("no panic");
        // A quarter of the time, or one where the cost was not known.
        assert!((1..=10).contains(&order.len()), "{}", order.len());
        rounds.append(&mut order);
        assert!(rig.stream().last_frame().main_thread() <= Duration::from_millis(4));
    }
    let first = rounds
        .iter()
        .position(|coord| *coord == A)
        .expect("it is asked");
    for round in rounds[first..].chunks_exact(29) {
        let distances: Vec<u64> = round.iter().map(|coord| coord.distance_sq(A)).collect();
        assert!(distances.is_sorted(), "{distances:?}");
        assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), 29);
    }
}

#[test]
fn none_misses_its_turn_when_others_leave_before_it() {
    let (mut rig, order) = asked_slowly();
    let (leaving, staying) = (rig.viewer(0, 0), ChunkCoord::planar(20, 0));
    rig.viewer(20, 0);
    while rig.stream().gated() < 58 {
        rig.frame();
    }
    // Until a round begins, with the nearest of both.
    let mut asked = BTreeSet::new();
    while !asked.contains(&A) {
        order.lock().expect("no panic").clear();
        rig.frame();
        asked = order.lock().expect("no panic").iter().copied().collect();
    }
    assert!(asked.contains(&staying) && asked.len() < 29);
    order.lock().expect("no panic").clear();
    rig.app.world_mut().despawn(leaving);
    rig.frames(8);
    assert_eq!(rig.stream().gated(), 29);
    let waiting = rig.stream().wanted().iter();
    let waiting: BTreeSet<ChunkCoord> = waiting.filter(|coord| !asked.contains(coord)).collect();
    let order = order.lock().expect("no panic");
    let again = order.iter().position(|coord| *coord == staying);
    let turn = order[..again.expect("the next round begins")].iter();
    assert!(waiting.is_subset(&turn.copied().collect()), "{order:?}");
}

#[test]
fn a_chunk_that_is_edited_faster_than_its_gate_opens_is_seen_all_the_same() {
    let mut gated = Gated::new(ApplyBudget::unlimited());
    let mut seen = BTreeSet::new();
    for frame in 0..100 {
        gated.edit(&[A]);
        // Open in every tenth frame.
        gated.gatehouse().closed = BTreeSet::from_iter((frame % 10 != 0).then_some(A));
        let before = gated.seen(&[A]);
        gated.frames(1);
        assert!(
            before <= gated.seen(&[A]),
            "nothing older replaces something newer"
        );
        seen.extend(gated.seen(&[A]));
        assert!(gated.rig.stream().gated() <= 1);
    }
    assert!(seen.len() >= 9, "{seen:?}");
    gated.gatehouse().closed.clear();
    gated.rig.settle();
    assert_eq!(gated.seen(&[A]), [100]);
}

#[test]
fn a_gate_that_never_opens_is_reported_once_and_gives_way_to_a_newer_version() {
    for has_hook in [false, true] {
        let mut gated = Gated::with(ApplyBudget::unlimited(), |plugin| {
            if has_hook {
                plugin.with_save_hook(|_, _| Ok(()))
            } else {
                plugin
            }
        });
        gated
            .rig
            .app
            .add_plugins(StreamingDiagnosticsPlugin::<Pieces>::default());
        gated.edit(&[A, B]);
        gated.frames(300);
        assert_eq!(gated.rig.stream().late_gates().count(), 0, "4.8 s");
        gated.edit(&[A]);
        gated.frames(5);
        assert_eq!(gated.rig.stream().gated(), 2, "it waits for the one before");
        gated.frames(20);
        // The newer version of A waits by now.
        assert_eq!(gated.rig.stream().late_gates().collect::<Vec<_>>(), [B]);
        let snapshot = gated.rig.stream().snapshot(gated.rig.index());
        assert_eq!((snapshot.gated_chunks, snapshot.totals.late_gates), (2, 2));
        let status = gated.rig.stream().explain(gated.rig.index(), B);
        assert!(
            matches!(status, ChunkStatus::Gated { is_late: true, .. }),
            "{status}"
        );
        assert!(status.to_string().contains("too long"));
        gated.frames(20);
        assert_eq!(gated.rig.stream().totals().late_gates, 2, "once each");
        gated.gatehouse().closed.clear();
        gated.rig.settle();
        assert_eq!(gated.seen(&[A, B]), [2, 1]);
        assert_eq!(gated.rig.stream().late_gates().count(), 0);
    }
}

#[test]
fn a_panic_in_a_gate_is_a_failure_of_its_chunk_alone() {
    let mut gated = Gated::new(ApplyBudget::unlimited());
    gated.edit(&[A, B]);
    gated.frames(3);
    gated.rig.failed();
    gated.gatehouse().closed.remove(&B);
    gated.gatehouse().panics = true;
    gated.frames(1);
    assert_eq!(gated.rig.stream().gated(), 0);
    gated.frames(1);
    let failed = gated.rig.failed();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].coord, A);
    assert!(failed[0].message.contains("the gate broke"));
    assert_eq!(failed[0].verdict, Verdict::Retry);
    assert_eq!(gated.seen(&[A, B]), [0, 1]);
    gated.gatehouse().panics = false;
    gated.gatehouse().closed.clear();
    gated.rig.settle();
    assert_eq!(gated.seen(&[A]), [1]);
    assert_eq!(gated.rig.pieces(), 29);
}

#[test]
fn one_that_is_not_wanted_any_more_or_whose_root_is_despawned_leaves_nothing() {
    let mut gated = Gated::new(ApplyBudget::unlimited());
    gated.edit(&[A, B]);
    gated.frames(3);
    let standing = gated.rig.index().root(B);
    let world = gated.rig.app.world_mut();
    let mut roots = world.query::<(Entity, &ChunkRoot)>();
    let waiting = roots
        .iter(world)
        .find(|(root, it)| it.coord == B && Some(*root) != standing);
    let (waiting, _) = waiting.expect("it waits");
    world.despawn(waiting);
    gated.frames(2);
    assert!(gated.rig.failed().iter().all(|failed| failed.coord == B));
    let world = gated.rig.app.world_mut();
    let mut viewers = world.query_filtered::<Entity, With<chunk_apply::ChunkViewer>>();
    let viewer = viewers.single(world).expect("one");
    gated.rig.move_to(viewer, 100, 0);
    gated.rig.settle();
    assert_eq!((gated.rig.stream().gated(), gated.rig.pieces()), (0, 29));
    assert_eq!(gated.rig.stream().loaded_bytes(), 29 * 10);
}

#[test]
fn a_group_is_shown_in_one_frame_when_all_of_its_gates_are_open() {
    for budget in budgets() {
        let mut gated = Gated::new(budget);
        let d = ChunkCoord::planar(0, -1);
        gated.edit(&[]);
        assert_eq!(gated.rig.stream_mut().refresh_together([A, B, d]), 3);
        gated.frames(20);
        assert_eq!(gated.seen(&[A, B, d]), [0, 0, 0]);
        assert_eq!(gated.rig.stream().gated(), 3);
        gated.gatehouse().closed.remove(&A);
        gated.frames(3);
        assert_eq!(gated.seen(&[A, B, d]), [0, 0, 0]);
        // One that opened once is not asked again.
        gated.gatehouse().closed = BTreeSet::from([A]);
        for _ in 0..10 {
            gated.frames(1);
            let seen = gated.seen(&[A, B, d]);
            assert!(seen == [0; 3] || seen == [1; 3], "{seen:?}");
        }
        assert_eq!(gated.seen(&[A]), [1]);
        gated.rig.settle();
    }
}

#[test]
fn groups_that_are_edited_faster_than_their_gates_open_are_seen_all_the_same() {
    let mut gated = Gated::new(ApplyBudget::unlimited());
    let mut seen = BTreeSet::new();
    for frame in 0..200 {
        gated.edit(&[]);
        gated.rig.stream_mut().refresh_together([A, B]);
        let is_open = frame % 10 < 2;
        gated.gatehouse().closed = BTreeSet::from_iter((!is_open).then_some(B));
        gated.frames(1);
        seen.extend(gated.seen(&[B]));
    }
    assert!(seen.len() >= 8, "{seen:?}");
    gated.gatehouse().closed.clear();
    gated.rig.settle();
    assert_eq!(gated.seen(&[A, B]), [200, 200]);
}

#[test]
fn a_member_of_a_group_whose_gate_breaks_or_that_leaves_is_not_waited_for() {
    let mut gated = Gated::new(ApplyBudget::unlimited());
    let edge = ChunkCoord::planar(-3, 0);
    gated.gatehouse().closed = BTreeSet::from([A, edge]);
    gated.edit(&[]);
    gated.rig.stream_mut().refresh_together([A, B, edge]);
    gated.frames(3);
    assert_eq!(gated.rig.stream().gated(), 3);
    let world = gated.rig.app.world_mut();
    let mut viewers = world.query_filtered::<Entity, With<chunk_apply::ChunkViewer>>();
    let viewer = viewers.single(world).expect("one");
    gated.rig.move_to(viewer, 3, 0);
    gated.frames(3);
    assert_eq!(gated.rig.stream().gated(), 2);
    gated.gatehouse().panics = true;
    gated.frames(1);
    assert_eq!(gated.seen(&[A, B]), [0, 1]);
    gated.gatehouse().closed.clear();
    gated.rig.settle();
    assert_eq!(gated.seen(&[A, B]), [1, 1]);
}

#[test]
fn as_many_wait_as_the_backlog_has_room_for_and_then_nothing_more_is_taken_over() {
    let spawner = Spawner::new(
        |_: ChunkCoord, _: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            writer.show_when(|world, _| world.contains_resource::<Gatehouse>());
        },
    );
    let mut config = config();
    config.scheduler.backlog_capacity = 6;
    config.scheduler.urgent_reserve = 2;
    let mut rig = Rig::with(crate::rig::generator(), spawner, config);
    rig.viewer(0, 0);
    rig.frames(50);
    assert_eq!(rig.stream().gated(), 6);
    assert_eq!(rig.stream().scheduler().audit(), Ok(()));
    rig.app.init_resource::<Gatehouse>();
    rig.settle();
    assert_eq!(rig.index().len(), 29);
}

#[test]
fn a_stream_ends_with_chunks_that_wait() {
    for how in [Reset::Save, Reset::Discard] {
        let mut gated = Gated::new(ApplyBudget::unlimited());
        gated.edit(&[A, B]);
        gated.frames(3);
        let world = gated.rig.app.world_mut();
        assert!(ChunkStream::<Pieces>::reset(world, how).is_ok());
        gated.gatehouse().closed.clear();
        gated.rig.settle();
        assert_eq!(gated.rig.pieces(), 29);
        gated.gatehouse().closed = BTreeSet::from([A, B]);
        gated.edit(&[A, B]);
        gated.frames(3);
        assert_eq!(gated.rig.stream().gated(), 2);
        let world = gated.rig.app.world_mut();
        assert!(ChunkStream::<Pieces>::stop(world, how).is_ok());
        assert_eq!(gated.rig.pieces(), 0);
    }
}
