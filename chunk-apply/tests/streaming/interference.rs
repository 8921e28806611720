//! Users reach into the world while it streams.

use crate::rig::{PIECES, Piece, Pieces, Rig, config, generator, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{
    ApplyBudget, ChunkIndex, ChunkRoot, ChunkWriter, ManualClock, Spawner, StreamingConfig,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::Lane;
use std::time::Duration;

fn first_child(rig: &Rig, coord: ChunkCoord) -> Entity {
    let root = rig.index().root(coord).expect("loaded");
    rig.app.world().get::<Children>(root).expect("has children")[0]
}

#[test]
fn a_root_despawned_by_somebody_leaves_the_index_at_once_and_is_reported() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    rig.app.world_mut().despawn(root);
    assert!(!rig.index().contains(ChunkCoord::ORIGIN));
    assert_eq!(rig.index().entities(), 28 * PIECES);
    rig.frame();
    let unloaded = rig.unloaded();
    assert_eq!(unloaded.len(), 1);
    assert_eq!(unloaded[0].coord, ChunkCoord::ORIGIN);
    rig.stream_mut()
        .refresh_in(ChunkCoord::ORIGIN, Lane::Normal);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
}

#[test]
fn despawned_and_reparented_children_do_not_disturb_unloading() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let despawned = first_child(&rig, ChunkCoord::planar(1, 0));
    let adopted = first_child(&rig, ChunkCoord::planar(0, 1));
    let freed = first_child(&rig, ChunkCoord::planar(0, -1));
    let world = rig.app.world_mut();
    world.despawn(despawned);
    let garage = world.spawn_empty().id();
    world.entity_mut(adopted).insert(ChildOf(garage));
    world.entity_mut(freed).remove::<ChildOf>();
    world.despawn(viewer);
    rig.settle();
    assert!(rig.index().is_empty());
    // Entities that a user took out of chunks are not despawned.
    assert_eq!(rig.pieces(), 2);
    assert!(rig.app.world().get::<Piece>(adopted).is_some());
    assert!(rig.app.world().get::<Piece>(freed).is_some());
}

#[test]
fn a_root_despawned_while_its_chunk_is_spawned_over_frames_is_made_again() {
    let mut rig = heavy_rig();
    rig.viewer(0, 0);
    let mut guard = 0;
    while rig.stream().partial().is_none() {
        rig.frame();
        guard += 1;
        assert!(guard < 100, "no chunk took several frames");
    }
    let world = rig.app.world_mut();
    let root = world
        .query_filtered::<Entity, With<ChunkRoot>>()
        .iter(world)
        .next()
        .expect("a root");
    world.despawn(root);
    rig.frame();
    rig.frame();
    let failed = rig.failed();
    assert!(
        failed
            .iter()
            .any(|failure| failure.message.contains("despawned")),
        "{failed:?}"
    );
    rig.settle();
    assert_eq!(rig.index().len(), 1);
    assert_eq!(rig.pieces(), 100);
}

#[test]
fn a_chunk_left_behind_while_it_is_spawned_over_frames_goes_completely() {
    let mut rig = heavy_rig();
    let viewer = rig.viewer(0, 0);
    while rig.stream().partial().is_none() {
        rig.frame();
    }
    assert!(rig.pieces() > 0);
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(rig.pieces(), 0);
    assert_eq!(rig.stream().scheduler().counters().cancelled, 1);
}

#[test]
fn a_root_despawned_by_a_step_of_its_own_spawner_is_no_chunk_and_leaves_nothing() {
    let spawner = Spawner::new(|coord, pieces: Pieces, writer: &mut ChunkWriter<'_, '_>| {
        writer.spawn_batch((0..pieces.0).map(Piece));
        writer.run(move |world, root| {
            if coord == ChunkCoord::ORIGIN {
                world.despawn(root);
            }
        });
        writer.spawn_batch((0..pieces.0).map(Piece));
    });
    let mut rig = Rig::with(generator(), spawner, config());
    rig.viewer(0, 0);
    let mut failures = Vec::new();
    for _ in 0..2_000 {
        rig.frame();
        failures.append(&mut rig.failed());
    }
    assert!(rig.stream().is_settled());
    assert_eq!(failures.len(), 3);
    assert!(failures[0].message.contains("despawned"), "{failures:?}");
    assert_eq!(rig.index().len(), 28);
    assert_eq!(rig.pieces(), 28 * 2 * PIECES);
}

#[test]
fn a_root_despawned_by_an_observer_of_its_last_piece_is_no_chunk() {
    let mut rig = Rig::new();
    rig.app.add_observer(
        |added: On<Add, Piece>, pieces: Query<(&Piece, &ChildOf)>, mut commands: Commands| {
            if let Ok((piece, parent)) = pieces.get(added.entity)
                && piece.0 == PIECES - 1
            {
                commands.entity(parent.parent()).despawn();
            }
        },
    );
    rig.viewer(0, 0);
    for _ in 0..2_000 {
        rig.frame();
        for (_, chunk) in rig.index().iter() {
            assert!(
                rig.app.world().get_entity(chunk.root).is_ok(),
                "a dead root"
            );
        }
    }
    assert!(rig.stream().is_settled());
    assert!(rig.index().is_empty());
    assert_eq!(rig.pieces(), 0);
}

#[test]
fn the_index_relies_on_no_component_that_others_can_take() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let taken = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    let swapped = rig.index().root(ChunkCoord::planar(1, 0)).expect("loaded");
    let world = rig.app.world_mut();
    world.entity_mut(taken).remove::<ChunkRoot>();
    let coord = ChunkCoord::planar(0, 1);
    world.entity_mut(swapped).insert(ChunkRoot { coord });
    world.despawn(taken);
    world.despawn(swapped);
    assert_eq!(rig.index().len(), 27);
    assert!(!rig.index().contains(ChunkCoord::ORIGIN));
    assert!(!rig.index().contains(ChunkCoord::planar(1, 0)));
    assert!(rig.index().contains(coord));
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(rig.pieces(), 0);
}

#[test]
fn a_root_may_be_the_child_of_another_entity() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    let root = rig.index().root(ChunkCoord::ORIGIN).expect("loaded");
    let ship = rig.app.world_mut().spawn_empty().id();
    rig.app.world_mut().entity_mut(root).insert(ChildOf(ship));
    rig.stream_mut().refresh(ChunkCoord::ORIGIN);
    rig.settle();
    assert!(rig.app.world().get_entity(root).is_err(), "it was replaced");
    rig.app.world_mut().despawn(viewer);
    rig.settle();
    assert_eq!(rig.pieces(), 0);
    assert!(rig.app.world().get::<Children>(ship).is_none());
}

#[test]
fn children_changed_between_slices_disturb_neither_loading_nor_unloading() {
    let mut rig = heavy_rig();
    let viewer = rig.viewer(0, 0);
    while rig.stream().partial().is_none() {
        rig.frame();
    }
    let mut freed = Vec::new();
    for is_loading in [true, false] {
        for _ in 0..2 {
            let world = rig.app.world_mut();
            let children: Vec<Entity> = (world.query::<(Entity, &ChildOf)>().iter(world))
                .map(|(child, _)| child)
                .collect();
            world.despawn(children[0]);
            world.entity_mut(children[1]).remove::<ChildOf>();
            freed.push(children[1]);
            rig.frame();
        }
        if is_loading {
            rig.settle();
            assert_eq!(rig.index().len(), 1);
            assert_eq!(rig.pieces(), 100 - 2);
            rig.app.world_mut().despawn(viewer);
            rig.stream_mut().budget.time = Some(Duration::ZERO);
            rig.frame();
        }
    }
    rig.settle();
    assert_eq!(rig.pieces(), freed.len());
    assert_eq!(freed.len(), 4);
}

/// One chunk of 100 pieces of 10 µs each under a budget of 300 µs.
fn heavy_rig() -> Rig {
    let clock = ManualClock::default();
    let slow = clock.clone();
    let spawner = Spawner::new(move |_coord, _pieces, writer: &mut ChunkWriter<'_, '_>| {
        let slow = slow.clone();
        writer.spawn_batch((0..100).map(move |piece| {
            slow.advance(Duration::from_micros(10));
            Piece(piece)
        }));
    });
    let config = StreamingConfig {
        range: Some(chunk_coord::ViewRange::disc(0, 0).expect("equal radii")),
        budget: ApplyBudget::time(Duration::from_micros(300)),
        ..config()
    };
    Rig::on(clock, generator(), spawner, config)
}

#[test]
fn removing_the_component_makes_a_viewer_an_ordinary_entity() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    rig.settle();
    (rig.app.world_mut().entity_mut(viewer)).remove::<chunk_apply::ChunkViewer>();
    rig.settle();
    assert!(rig.index().is_empty());
    assert_eq!(rig.pieces(), 0);
}

#[test]
fn clearing_all_entities_while_streaming_leaves_a_stream_that_works() {
    let mut rig = Rig::new();
    rig.viewer(0, 0);
    rig.settle();
    let world = rig.app.world_mut();
    let all: Vec<Entity> = world
        .query_filtered::<Entity, Or<(
            With<Piece>,
            With<ChunkRoot>,
            With<chunk_apply::ChunkViewer>,
        )>>()
        .iter(world)
        .collect();
    for entity in all {
        let _ = world.try_despawn(entity);
    }
    rig.settle();
    assert!(rig.index().is_empty());
    rig.viewer(9, 9);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    assert_eq!(rig.pieces(), 29 * PIECES);
}

#[test]
fn a_stream_whose_resources_are_removed_stops_quietly() {
    let mut rig = Rig::with(generator(), spawner(), config());
    rig.viewer(0, 0);
    rig.frame();
    rig.app
        .world_mut()
        .remove_resource::<chunk_apply::ChunkStream<crate::rig::Pieces>>();
    rig.app
        .world_mut()
        .remove_resource::<ChunkIndex<crate::rig::Pieces>>();
    rig.app.update();
    rig.app.update();
}
