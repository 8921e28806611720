//! Observers and hooks of components that panic while a chunk is spawned, shown or despawned end nothing but themselves.

use crate::rig::{PIECES, Piece, Pieces, Rig, generator, spawner};
#[cfg(feature = "visibility")]
use bevy_camera::visibility::Visibility;
use bevy_ecs::{lifecycle::HookContext, prelude::*, world::DeferredWorld};
use chunk_apply::{ApplyBudget, ChunkRoot, ChunkStream, ChunkWriter, Spawner, StreamingConfig};
use chunk_coord::ChunkCoord;
use std::time::Duration;

/// How often the code still panics.
#[derive(Resource)]
struct Panics(usize);

fn panic_sometimes(panics: &mut Panics) {
    if panics.0 > 0 {
        panics.0 -= 1;
        panic!("a broken observer");
    }
}

fn totals(rig: &Rig) -> (u64, u64) {
    let totals = rig.stream().totals();
    (totals.panics, totals.unloaded)
}

const BUDGETS: [ApplyBudget; 2] = [
    ApplyBudget::unlimited(),
    // One slice a frame, so that children go before their root.
    ApplyBudget::time(Duration::ZERO),
];

#[test]
fn an_observer_of_removed_pieces_that_panics_once_or_twice_leaves_nothing() {
    for budget in BUDGETS {
        for panics in [1, 2, 7] {
            let mut rig = Rig::new();
            rig.app.insert_resource(Panics(panics));
            rig.app
                .add_observer(|_: On<Remove, Piece>, mut panics: ResMut<Panics>| {
                    panic_sometimes(&mut panics);
                });
            let viewer = rig.viewer(0, 0);
            rig.settle();
            rig.stream_mut().budget = budget;
            let before = rig.app.world().entities().count_spawned();
            rig.app.world_mut().despawn(viewer);
            rig.settle();
            let (caught, unloaded) = totals(&rig);
            assert!(caught > 0 && caught <= panics as u64, "{caught}");
            assert_eq!(unloaded, 29);
            assert_eq!(rig.stream().unloading(), 0);
            // An entity whose observer panics again when it is tried once more stays.
            let stays = rig.pieces();
            assert!(stays <= panics / 2, "{stays} of {panics}");
            let left = rig.app.world().entities().count_spawned();
            assert_eq!(left, before - 1 - 29 * (PIECES as u32 + 1) + stays as u32);
        }
    }
}

#[test]
fn pieces_that_can_never_be_despawned_stay_hidden_and_alone_and_all_else_goes() {
    for budget in BUDGETS {
        let spawner = Spawner::new(|_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
            #[cfg(feature = "visibility")]
            writer.spawn_batch((0..pieces.0).map(|n| (Piece(n), Visibility::Inherited)));
            #[cfg(not(feature = "visibility"))]
            writer.spawn_batch((0..pieces.0).map(Piece));
        });
        let config = StreamingConfig {
            budget,
            ..crate::rig::config()
        };
        let mut rig = Rig::with(generator(), spawner, config);
        rig.app
            .add_observer(|on: On<Remove, Piece>, pieces: Query<&Piece>| {
                let is_last = pieces
                    .get(on.entity)
                    .is_ok_and(|piece| piece.0 == PIECES - 1);
                assert!(!is_last, "it never goes");
            });
        let viewer = rig.viewer(0, 0);
        rig.settle();
        rig.move_to(viewer, 100, 0);
        rig.settle();
        assert_eq!(totals(&rig), (29, 29));
        let world = rig.app.world_mut();
        let roots = world.query::<&ChunkRoot>().iter(world).count();
        assert_eq!(roots, 29, "those around the other place");
        let mut alone = world.query_filtered::<Entity, (With<Piece>, Without<ChildOf>)>();
        let alone: Vec<Entity> = alone.iter(world).collect();
        assert_eq!(alone.len(), 29);
        #[cfg(feature = "visibility")]
        for piece in alone {
            let seen = rig.app.world().get::<Visibility>(piece);
            assert_eq!(seen, Some(&Visibility::Hidden));
        }
        assert_eq!(rig.pieces(), 29 * PIECES + 29);
    }
}

#[test]
fn pieces_that_can_never_leave_their_root_do_not_hold_up_the_stream() {
    for budget in BUDGETS {
        let mut rig = Rig::new();
        rig.app
            .add_observer(|_: On<Discard, ChildOf>| panic!("it never leaves"));
        let viewer = rig.viewer(0, 0);
        rig.settle();
        rig.stream_mut().budget = budget;
        rig.app.world_mut().despawn(viewer);
        rig.settle();
        assert_eq!(totals(&rig), (29, 29));
        assert!(rig.index().is_empty());
    }
}

#[test]
fn a_root_that_can_never_be_despawned_stays_empty() {
    for budget in BUDGETS {
        let mut rig = Rig::new();
        rig.app
            .add_observer(|on: On<Remove, ChunkRoot>, roots: Query<&ChunkRoot>| {
                let coord = roots.get(on.entity).map(|root| root.coord);
                assert!(coord != Ok(ChunkCoord::ORIGIN), "it never goes");
            });
        let viewer = rig.viewer(0, 0);
        rig.settle();
        rig.stream_mut().budget = budget;
        rig.app.world_mut().despawn(viewer);
        rig.settle();
        assert_eq!(totals(&rig), (1, 29));
        assert_eq!(rig.pieces(), 0);
        let world = rig.app.world_mut();
        let roots: Vec<_> = world.query::<&ChunkRoot>().iter(world).collect();
        assert_eq!(
            roots,
            [&ChunkRoot {
                coord: ChunkCoord::ORIGIN
            }]
        );
        // Its place can be loaded again.
        rig.viewer(0, 0);
        rig.settle();
        assert_eq!((rig.index().len(), rig.pieces()), (29, 29 * PIECES));
    }
}

#[test]
fn a_hook_of_a_component_further_down_that_panics_keeps_nothing_else() {
    #[derive(Component)]
    #[component(on_remove = broken)]
    struct Nail;
    fn broken(mut world: DeferredWorld<'_>, _: HookContext) {
        panic_sometimes(&mut world.resource_mut::<Panics>());
    }
    let spawner = Spawner::new(|_, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..pieces.0).map(Piece));
        writer.run(|world, root| {
            let pieces = world.get::<Children>(root).map(|list| list.to_vec());
            for piece in pieces.into_iter().flatten() {
                let plank = world.spawn(ChildOf(piece)).id();
                world.spawn((Nail, ChildOf(plank)));
            }
        });
    });
    for budget in BUDGETS {
        let mut rig = Rig::with(generator(), spawner.clone(), crate::rig::config());
        rig.app.insert_resource(Panics(1));
        let viewer = rig.viewer(0, 0);
        rig.settle();
        rig.stream_mut().budget = budget;
        rig.app.world_mut().despawn(viewer);
        rig.settle();
        assert_eq!(totals(&rig), (1, 29));
        assert_eq!(rig.pieces(), 0);
        let world = rig.app.world_mut();
        let nails = world.query::<&Nail>().iter(world).count();
        assert!(nails <= 1, "that of the panic alone: {nails}");
    }
}

#[test]
fn an_observer_of_new_roots_that_panics_does_not_keep_a_chunk_away() {
    let mut rig = Rig::new();
    rig.app.insert_resource(Panics(3));
    rig.app
        .add_observer(|_: On<Add, ChunkRoot>, mut panics: ResMut<Panics>| {
            panic_sometimes(&mut panics);
        });
    rig.viewer(0, 0);
    rig.settle();
    assert_eq!(totals(&rig), (3, 0));
    assert_eq!((rig.index().len(), rig.pieces()), (29, 29 * PIECES));
    assert_eq!(rig.stream().scheduler().counters().failed, 0);
}

#[test]
fn commands_that_a_panic_left_behind_panic_nowhere_else() {
    let mut rig = Rig::new();
    rig.app.insert_resource(Panics(5));
    rig.app
        .add_observer(|_: On<Add, Piece>, mut commands: Commands| {
            for _ in 0..3 {
                commands.queue(|world: &mut World| {
                    panic_sometimes(&mut world.resource_mut::<Panics>());
                });
            }
        });
    rig.viewer(0, 0);
    let mut failures = 0;
    for _ in 0..1_000 {
        rig.frame();
        failures += rig.failed().len();
    }
    assert!(rig.stream().is_settled());
    assert!((1..=5).contains(&failures), "{failures}");
    assert_eq!((rig.index().len(), rig.pieces()), (29, 29 * PIECES));
}

#[test]
fn panics_while_a_removed_stream_is_cleared_are_contained() {
    let mut rig = Rig::with(generator(), spawner(), crate::rig::config());
    rig.app.insert_resource(Panics(1));
    rig.app
        .add_observer(|_: On<Remove, Piece>, mut panics: ResMut<Panics>| {
            panic_sometimes(&mut panics);
        });
    let viewer = rig.viewer(0, 0);
    rig.settle();
    rig.stream_mut().budget.chunks = Some(0);
    rig.app.world_mut().despawn(viewer);
    rig.frame();
    rig.app.world_mut().remove_resource::<ChunkStream<Pieces>>();
    rig.frame();
    assert_eq!(rig.pieces(), 0);
}
