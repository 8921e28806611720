//! Users reach into the world while it streams.

use crate::rig::{PIECES, Piece, Rig, config, generator, spawner};
use bevy_ecs::prelude::*;
use chunk_apply::{ApplyBudget, ChunkIndex, ManualClock, StreamingConfig};
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
    // What was taken out of the chunks belongs to whoever took it.
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
        .query_filtered::<Entity, With<chunk_apply::ChunkRoot>>()
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

/// One chunk of 100 pieces of 10 µs each under a budget of 300 µs.
fn heavy_rig() -> Rig {
    let clock = ManualClock::default();
    let slow = clock.clone();
    let spawner = chunk_apply::Spawner::new(
        move |_coord, _pieces, writer: &mut chunk_apply::ChunkWriter<'_, '_>| {
            let slow = slow.clone();
            writer.spawn_batch((0..100).map(move |piece| {
                slow.advance(Duration::from_micros(10));
                Piece(piece)
            }));
        },
    );
    let config = StreamingConfig {
        range: chunk_coord::ViewRange::disc(0, 0).expect("equal radii"),
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
            With<chunk_apply::ChunkRoot>,
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
        .remove_resource::<chunk_apply::Streaming<crate::rig::Pieces>>();
    rig.app
        .world_mut()
        .remove_resource::<ChunkIndex<crate::rig::Pieces>>();
    rig.app.update();
    rig.app.update();
}
