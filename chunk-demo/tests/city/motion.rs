//! What moves keeps to its street and its chunk, and costs nothing where no viewer is near.

use bevy_app::App;
use bevy_ecs::entity::Entity;
use bevy_ecs::hierarchy::ChildOf;
use bevy_math::Vec3;
use bevy_transform::components::Transform;
use chunk_apply::{ChunkIndex, ChunkRoot, ChunkStream, ChunkViewer};
use chunk_demo::city::CityChunk;
use chunk_demo::city::spawn::{Npc, Vehicle};
use chunk_demo::motion::{AtEnd, Course, MotionReport};
use chunk_demo::{Settings, city_app};

const SIZE: f32 = 200.0;

/// A city around a viewer, completely loaded.
fn settled(height: f32) -> (App, Entity) {
    let settings = Settings {
        radius: 2,
        unload_radius: 2,
        ..Settings::default()
    };
    let mut app = city_app(&settings).expect("the settings make sense");
    let place = Transform::from_xyz(100.0, height, 100.0);
    let viewer = app.world_mut().spawn((ChunkViewer::default(), place)).id();
    app.update();
    while !app
        .world()
        .resource::<ChunkStream<CityChunk>>()
        .is_settled()
    {
        app.update();
    }
    (app, viewer)
}

fn moved(app: &App) -> usize {
    app.world().resource::<MotionReport>().moved
}

#[test]
fn vehicles_drive_on_and_people_walk_without_leaving_their_chunk() {
    let (mut app, _viewer) = settled(50.0);
    let mut moving = app
        .world_mut()
        .query::<(Entity, &Transform, &Course, &ChildOf)>();
    let before: Vec<_> = moving
        .iter(app.world())
        .map(|(entity, transform, ..)| (entity, transform.translation))
        .collect();
    assert!(before.len() > 200, "{}", before.len());
    // 20 seconds: every car on a main street has left it and begun anew.
    for _ in 0..1_200 {
        app.update();
    }
    assert_eq!(moved(&app), before.len());
    for (entity, was) in before {
        let (_, transform, course, parent) =
            moving.get(app.world(), entity).expect("it is still there");
        let is = transform.translation;
        let along = is - was;
        assert_ne!(is, was, "{course:?} stands still");
        assert_eq!(along.y, 0.0);
        assert!(along.x == 0.0 || along.z == 0.0, "{course:?}: {along}");
        assert!((0.0..=SIZE).contains(&is.x) && (0.0..=SIZE).contains(&is.z));
        assert!(app.world().get::<ChunkRoot>(parent.parent()).is_some());
    }
}

#[test]
fn a_vehicle_looks_where_it_goes() {
    let (mut app, _viewer) = settled(50.0);
    let mut vehicles = app
        .world_mut()
        .query_filtered::<(&Transform, &Course), bevy_ecs::query::With<Vehicle>>();
    for (transform, course) in vehicles.iter(app.world()) {
        let mut next = transform.translation;
        course.clone().advance(&mut next, 1e-3);
        let went = next - transform.translation;
        // Unless it has just begun anew.
        if went.length() < 1.0 {
            let looks = transform.rotation * Vec3::NEG_Z;
            assert!(looks.dot(went.normalize()) > 0.99, "{course:?} {looks}");
        }
        assert_eq!(course.at_end, AtEnd::BeginAnew);
    }
    let mut people = app
        .world_mut()
        .query_filtered::<&Course, bevy_ecs::query::With<Npc>>();
    for course in people.iter(app.world()) {
        assert_eq!(course.at_end, AtEnd::Turn);
        assert!((0.5..2.0).contains(&course.speed.abs()), "{course:?}");
    }
}

#[test]
fn without_a_near_viewer_nothing_moves_and_what_moves_is_unloaded_with_its_chunk() {
    let (mut app, viewer) = settled(5_000.0);
    app.update();
    assert_eq!(moved(&app), 0);
    app.world_mut()
        .entity_mut(viewer)
        .insert(Transform::from_xyz(100.0, 50.0, 100.0));
    app.update();
    assert!(moved(&app) > 200);

    app.world_mut().despawn(viewer);
    while !app.world().resource::<ChunkIndex<CityChunk>>().is_empty()
        || app.world().resource::<ChunkStream<CityChunk>>().unloading() > 0
    {
        app.update();
    }
    app.update();
    assert_eq!(moved(&app), 0);
    let mut left = app.world_mut().query::<&Course>();
    assert_eq!(left.iter(app.world()).count(), 0);
}
