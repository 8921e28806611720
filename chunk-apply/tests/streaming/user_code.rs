//! Code of the user that runs while the stream works on the `World`: hooks, observers and spawners. It finds the stream
//! and may do to it what any system may.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, generator, grid, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkLoaded, ChunkRoot, ChunkStream, ChunkStreamingPlugin,
    ChunkUnloading, ChunkWriter, ManualClock, Reset, Spawner, StartError,
};
use chunk_coord::{ChunkCoord, ChunkGrid};
use chunk_scheduler::{Generator, Job, Runtime};
use std::sync::Arc;

/// Where user code is called from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Hook,
    Loaded,
    Unloading,
    PieceAdded,
    PieceRemoved,
    Step,
}

const PLACES: [Place; 6] = [
    Place::Hook,
    Place::Loaded,
    Place::Unloading,
    Place::PieceAdded,
    Place::PieceRemoved,
    Place::Step,
];

/// How often the code may still run.
#[derive(Resource)]
struct Turns(usize);

type Act = Arc<dyn Fn(&mut World) + Send + Sync>;

/// Runs the code of a place with the whole `World`, as often as it may.
fn run(act: &Act, world: &mut World) {
    let mut turns = world.resource_mut::<Turns>();
    if turns.0 > 0 {
        turns.0 -= 1;
        act(world);
    }
}

/// A stream with a save hook that runs the code at the place, so many times.
fn rig(place: Place, turns: usize, act: impl Fn(&mut World) + Send + Sync + 'static) -> Rig {
    let act: Act = Arc::new(act);
    let (in_step, in_hook) = (Arc::clone(&act), Arc::clone(&act));
    let spawner = Spawner::new(move |_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..pieces.0).map(Piece));
        if place == Place::Step {
            let act = Arc::clone(&in_step);
            writer.run(move |world, _| run(&act, world));
        }
    });
    let plugin = ChunkStreamingPlugin::new(grid(), generator(), spawner)
        .with_config(config())
        .with_save_hook(move |world, _| {
            if place == Place::Hook {
                run(&in_hook, world);
            }
            Ok(())
        });
    let mut rig = Rig::build(ManualClock::default(), plugin);
    rig.app.insert_resource(Turns(turns));
    let queue = move |mut commands: Commands| {
        let act = Arc::clone(&act);
        commands.queue(move |world: &mut World| run(&act, world));
    };
    match place {
        Place::Hook | Place::Step => {}
        Place::Loaded => {
            (rig.app).add_observer(move |_: On<ChunkLoaded<Pieces>>, to: Commands| queue(to));
        }
        Place::Unloading => {
            (rig.app).add_observer(move |_: On<ChunkUnloading<Pieces>>, to: Commands| queue(to));
        }
        Place::PieceAdded => {
            (rig.app).add_observer(move |_: On<Add, Piece>, to: Commands| queue(to));
        }
        Place::PieceRemoved => {
            (rig.app).add_observer(move |_: On<Remove, Piece>, to: Commands| queue(to));
        }
    }
    rig
}

/// Loads, goes away and comes back.
fn play(rig: &mut Rig) {
    let viewer = rig.viewer(0, 0);
    rig.frames(10);
    rig.move_to(viewer, 3, 0);
    rig.frames(10);
    rig.move_to(viewer, 100, 0);
    rig.frames(10);
    rig.move_to(viewer, 0, 0);
    rig.frames(10);
}

#[test]
fn all_of_it_finds_the_stream_and_the_index() {
    #[derive(Resource, Default)]
    struct Seen(usize);
    for place in PLACES {
        let mut rig = rig(place, usize::MAX, |world| {
            assert_eq!(*world.resource::<ChunkStream<Pieces>>().grid(), grid());
            assert!(world.resource::<ChunkIndex<Pieces>>().len() <= 29);
            world.resource_mut::<Seen>().0 += 1;
        });
        rig.app.init_resource::<Seen>();
        play(&mut rig);
        rig.settle();
        let seen = rig.app.world().resource::<Seen>().0;
        assert!(seen >= 29, "{place:?}: {seen}");
        assert_eq!(rig.pieces(), 29 * PIECES);
    }
}

#[test]
fn what_is_on_its_way_out_is_counted_while_it_goes() {
    #[derive(Resource, Default)]
    struct Seen(Vec<usize>);
    let mut rig = rig(Place::PieceRemoved, usize::MAX, |world| {
        let unloading = world.resource::<ChunkStream<Pieces>>().unloading();
        world.resource_mut::<Seen>().0.push(unloading);
    });
    rig.app.init_resource::<Seen>();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    let seen = &rig.app.world().resource::<Seen>().0;
    let expected: Vec<usize> = (1..=29).rev().flat_map(|left| [left; PIECES]).collect();
    assert_eq!(seen, &expected);
    assert_eq!(rig.stream().unloading(), 0);
}

type Named = (&'static str, fn(&mut World));

/// What any system may do to a stream.
const ACTS: [Named; 8] = [
    ("reset", |world| {
        let reset = ChunkStream::<Pieces>::reset(world, Reset::Save);
        assert!(reset.is_ok());
    }),
    ("skip saves", |world| {
        (world.resource_mut::<ChunkStream<Pieces>>()).skip_saves();
    }),
    ("refresh", |world| {
        let mut stream = world.resource_mut::<ChunkStream<Pieces>>();
        for x in -3..=3 {
            stream.refresh(ChunkCoord::planar(x, 0));
        }
    }),
    ("set the grid", |world| {
        let mut stream = world.resource_mut::<ChunkStream<Pieces>>();
        stream.set_grid(ChunkGrid::planar(20.0).expect("20 is a size"));
    }),
    ("move the origin", |world| {
        ChunkStream::<Pieces>::move_origin(world, ChunkCoord::planar(0, 1));
    }),
    ("retry", |world| {
        (world.resource_mut::<ChunkStream<Pieces>>()).retry_quarantined();
    }),
    ("save everything", |world| {
        assert!(ChunkStream::<Pieces>::save_all(world).failed.is_empty());
    }),
    ("despawn every root", |world| {
        let mut roots = world.query_filtered::<Entity, With<ChunkRoot>>();
        let roots: Vec<Entity> = roots.iter(world).collect();
        for root in roots {
            let _ = world.try_despawn(root);
        }
    }),
];

#[test]
fn all_of_it_may_do_to_the_stream_what_a_system_may() {
    for (name, act) in ACTS {
        for place in PLACES {
            for turns in [1, 3, 40] {
                let mut rig = rig(place, turns, act);
                play(&mut rig);
                rig.settle();
                let left = rig.app.world().resource::<Turns>().0;
                assert!(left < turns, "{name} in {place:?}");
                // Whoever despawned a root has a hole there; another grid or another place fills it.
                rig.stream_mut()
                    .set_grid(ChunkGrid::planar(30.0).expect("30 is a size"));
                rig.app.insert_resource(Turns(0));
                rig.settle();
                assert_eq!(rig.index().len(), 29, "{name} in {place:?}");
                assert_eq!(rig.pieces(), 29 * PIECES, "{name} in {place:?}");
                let world = rig.app.world_mut();
                let roots = world.query::<&ChunkRoot>().iter(world).count();
                assert_eq!(roots, 29, "{name} in {place:?}");
            }
        }
    }
}

#[test]
fn a_stream_that_is_paused_meanwhile_goes_on_when_it_is_resumed() {
    for place in PLACES {
        let mut rig = rig(place, 1, |world| {
            world.resource_mut::<ChunkStream<Pieces>>().pause();
        });
        play(&mut rig);
        assert!(rig.stream().is_paused(), "{place:?}");
        rig.stream_mut().resume();
        rig.settle();
        // The viewer is back where it was, or came by a step that kept a few chunks more.
        assert!(rig.index().len() >= 29, "{place:?}");
        assert_eq!(rig.pieces(), rig.index().entities(), "{place:?}");
    }
}

#[test]
fn a_stream_that_is_removed_or_stopped_meanwhile_leaves_nothing() {
    let removals: [fn(&mut World); 3] = [
        |world| _ = world.remove_resource::<ChunkStream<Pieces>>(),
        |world| _ = ChunkStream::<Pieces>::stop(world, Reset::Discard),
        |world| _ = ChunkStream::<Pieces>::stop(world, Reset::Save),
    ];
    for budget in [
        ApplyBudget::unlimited(),
        ApplyBudget::time(core::time::Duration::ZERO),
    ] {
        for (place, turn) in PLACES
            .into_iter()
            .flat_map(|place| [(place, 1), (place, 7)])
        {
            for remove in removals {
                let mut rig = rig(place, turn, move |world| {
                    if world.resource::<Turns>().0 == 0 {
                        remove(world);
                        // No other stream may meet what the applier has in hand.
                        assert_eq!(next().start(world), Err(StartError::Running));
                    }
                });
                let viewer = rig.viewer(0, 0);
                rig.frames(10);
                if rig.app.world().contains_resource::<ChunkStream<Pieces>>() {
                    rig.stream_mut().budget = budget;
                    rig.move_to(viewer, 100, 0);
                    rig.frames(200);
                }
                let world = rig.app.world_mut();
                // A hook that everything is saved by cannot be saved before it.
                let goes_on = world.contains_resource::<ChunkStream<Pieces>>();
                assert!(!goes_on, "{place:?}");
                assert!(!world.contains_resource::<ChunkIndex<Pieces>>());
                let roots = world.query::<&ChunkRoot>().iter(world).count();
                assert_eq!((roots, rig.pieces()), (0, 0), "{place:?}");
                assert_eq!(next().start(rig.app.world_mut()), Ok(()));
                rig.move_to(viewer, 0, 0);
                rig.settle();
                assert_eq!(rig.pieces(), 29, "{place:?}");
            }
        }
    }
}

/// Another stream, of chunks with one piece, that is generated in the frame.
fn next() -> ChunkStreamingPlugin<Pieces> {
    let generator = Generator::new(|_: &Job<ChunkCoord>| Pieces(1));
    let mut plugin = ChunkStreamingPlugin::new(grid(), generator, spawner()).with_config(config());
    plugin.runtime = Runtime::Inline {
        budget: core::time::Duration::from_secs(1),
    };
    plugin
}

#[test]
fn a_stream_that_is_taken_out_and_put_back_goes_on() {
    for place in PLACES {
        let mut rig = rig(place, 5, |world| {
            world.resource_scope(|_, mut stream: Mut<ChunkStream<Pieces>>| {
                stream.refresh(ChunkCoord::ORIGIN);
            });
        });
        play(&mut rig);
        rig.settle();
        assert_eq!(rig.pieces(), 29 * PIECES, "{place:?}");
    }
}
