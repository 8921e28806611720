//! What an inspector shows, and what it changes.

use crate::rig::{Pieces, Rig};
use bevy_ecs::{component::Component, prelude::*, reflect::ReflectComponent};
use bevy_reflect::GetPath;
use chunk_apply::{ChunkStream, ChunkViewer, ChunkViewerAt};
use chunk_coord::{ChunkCoord, ViewRange};
use core::{any::TypeId, time::Duration};

/// Gives a component to an inspector, which knows of it what the app has registered.
fn inspect<C: Component, T: Clone + bevy_reflect::Reflect>(
    rig: &mut Rig,
    entity: Entity,
    path: &str,
    value: T,
) -> T {
    let world = rig.app.world_mut();
    let registry = world.resource::<AppTypeRegistry>().clone();
    let registry = registry.read();
    let component = registry
        .get_type_data::<ReflectComponent>(TypeId::of::<C>())
        .expect("a registered component");
    let mut shown = component
        .reflect_mut(world.entity_mut(entity))
        .expect("the component");
    let field = shown.path_mut::<T>(path).expect("a field of this type");
    core::mem::replace(field, value)
}

#[test]
fn the_radius_of_a_viewer_is_shown_and_changed() {
    let mut rig = Rig::new();
    let viewer = rig.viewer(0, 0);
    let range = ViewRange::disc(3, 4).expect("4 is not less than 3");
    let viewer_with_range = ChunkViewer::with_range(range);
    rig.app
        .world_mut()
        .entity_mut(viewer)
        .insert(viewer_with_range);
    rig.settle();
    assert_eq!(rig.index().len(), 29);
    for field in ["load", "unload"] {
        let path = format!("range.0.{field}.radius");
        inspect::<ChunkViewer, u32>(&mut rig, viewer, &path, 5);
        // In between, what is loaded reaches farther than what is kept.
        rig.settle();
        assert_eq!(rig.index().len(), 81);
    }
}

#[test]
fn the_limits_of_a_stream_are_shown_and_changed() {
    let mut rig = Rig::new();
    rig.app.register_type::<ChunkStream<Pieces>>();
    let world = rig.app.world();
    let id = world
        .component_id::<ChunkStream<Pieces>>()
        .expect("a stream");
    let stream = world.resource_entities().get(id).expect("a stream");
    let limit = Some(Duration::from_micros(300));
    let before = inspect::<ChunkStream<Pieces>, _>(&mut rig, stream, "budget.time", limit);
    assert_eq!((before, rig.stream().budget.time), (None, limit));
}

#[test]
fn the_chunk_of_a_viewer_is_shown_and_changed() {
    let mut rig = Rig::new();
    let viewer = ChunkViewerAt::new(ChunkCoord::planar(3, 0));
    let viewer = rig.app.world_mut().spawn(viewer).id();
    rig.settle();
    let before = inspect::<ChunkViewerAt, i32>(&mut rig, viewer, "coord.x", 30);
    assert_eq!(before, 3);
    rig.settle();
    assert!(rig.index().contains(ChunkCoord::planar(30, 0)));
}
