//! The plugin in an app without a renderer.

use core::any::TypeId;
use std::sync::{Arc, Mutex};

use bevy_app::{App, PostUpdate, TaskPoolPlugin};
use bevy_asset::{Asset, AssetApp, AssetId, AssetPlugin, Assets, Handle, uuid_handle};
use bevy_color::Color;
use bevy_ecs::schedule::SingleThreadedExecutor;
use bevy_ecs::{component::Component, reflect::AppTypeRegistry};
use bevy_math::Vec3;
use bevy_mesh::{Mesh, Mesh3d, MeshPlugin, MeshTag, SphereMeshBuilder};
use bevy_reflect::{GetTypeRegistration, Reflect};
use bevy_transform::components::Transform;
use chunk_assets::{
    ChunkAssetsPlugin, ChunkMaterial, Instance, MeshMaterial3d, SharedAssets, StandardMaterial,
    Tint, TintExtension, asset_count,
};

fn app() -> App {
    let mut app = App::new();
    app.add_plugins((
        TaskPoolPlugin::default(),
        AssetPlugin::default(),
        ChunkAssetsPlugin,
    ));
    app
}

fn has_all_four(app: &App) -> bool {
    let shared = app.world().resource::<SharedAssets>();
    let meshes = app.world().resource::<Assets<Mesh>>();
    let materials = app.world().resource::<Assets<ChunkMaterial>>();
    meshes.contains(&shared.cube)
        && meshes.contains(&shared.cylinder)
        && materials.contains(&shared.building)
        && materials.contains(&shared.tree)
}

#[test]
fn there_are_exactly_four_assets_however_many_entities() {
    let mut app = app();
    let shared = app.world().resource::<SharedAssets>().clone();
    app.world_mut().spawn_batch((0..5_000_u32).map(move |i| {
        let transform = Transform::from_xyz(i as f32, 0.0, 0.0).with_scale(Vec3::splat(2.0));
        if i % 2 == 0 {
            shared.building_at(transform, Tint::from_bits(i))
        } else {
            shared.tree_at(transform, Tint::from_bits(i))
        }
    }));
    app.update();

    assert!(has_all_four(&app));
    assert_eq!(asset_count(app.world()), SharedAssets::COUNT);
    let mut instances = app.world_mut().query::<(
        &Mesh3d,
        &MeshMaterial3d<ChunkMaterial>,
        &MeshTag,
        &Transform,
    )>();
    assert_eq!(instances.iter(app.world()).count(), 5_000);
    for (_, _, tag, transform) in instances.iter(app.world()) {
        assert_eq!(transform.translation.x, **tag as f32);
        assert_eq!(transform.scale, Vec3::splat(2.0));
    }
}

#[test]
fn it_needs_no_other_plugin() {
    let mut app = App::new();
    app.add_plugins(ChunkAssetsPlugin);
    app.update();
    assert!(has_all_four(&app));
}

#[test]
fn adding_it_again_changes_nothing() {
    let mut app = app();
    let before = app.world().resource::<SharedAssets>().clone();
    app.world_mut()
        .resource_mut::<Assets<ChunkMaterial>>()
        .get_mut(&before.building)
        .expect("the plugin put it there")
        .base
        .base_color = Color::BLACK;

    app.add_plugins(ChunkAssetsPlugin);
    app.update();

    assert_eq!(*app.world().resource::<SharedAssets>(), before);
    assert_eq!(asset_count(app.world()), SharedAssets::COUNT);
    let materials = app.world().resource::<Assets<ChunkMaterial>>();
    assert_eq!(
        materials
            .get(&before.building)
            .map(|material| material.base.base_color),
        Some(Color::BLACK)
    );
}

#[test]
fn assets_that_others_put_there_first_stay_and_are_not_counted() {
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), AssetPlugin::default()))
        .init_asset::<Mesh>();
    let sphere = app
        .world_mut()
        .resource_mut::<Assets<Mesh>>()
        .add(SphereMeshBuilder::default());
    app.add_plugins(ChunkAssetsPlugin);
    app.update();

    assert!(app.world().resource::<Assets<Mesh>>().contains(&sphere));
    assert_eq!(asset_count(app.world()), SharedAssets::COUNT);
}

#[test]
fn an_asset_made_for_one_entity_shows_in_the_count() {
    let mut app = app();
    let _sphere = app
        .world_mut()
        .resource_mut::<Assets<Mesh>>()
        .add(SphereMeshBuilder::default());
    assert_eq!(asset_count(app.world()), SharedAssets::COUNT + 1);
    let _material = app
        .world_mut()
        .resource_mut::<Assets<ChunkMaterial>>()
        .add(ChunkMaterial::default());
    assert_eq!(asset_count(app.world()), SharedAssets::COUNT + 2);
}

#[test]
fn handles_of_the_user_are_kept_and_left_alone() {
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), AssetPlugin::default()))
        .init_asset::<Mesh>();
    let sphere: Handle<Mesh> = app
        .world_mut()
        .resource_mut::<Assets<Mesh>>()
        .add(SphereMeshBuilder::default());
    let chosen = SharedAssets {
        cylinder: sphere,
        ..SharedAssets::default()
    };
    app.insert_resource(chosen.clone())
        .add_plugins(ChunkAssetsPlugin);
    app.update();

    assert_eq!(*app.world().resource::<SharedAssets>(), chosen);
    assert!(has_all_four(&app));
    assert_eq!(asset_count(app.world()), SharedAssets::COUNT);
}

#[test]
fn what_the_user_removes_behind_a_handle_of_its_own_stays_away() {
    let own: Handle<Mesh> = uuid_handle!("5f2f3c52-5a3f-4d33-8b56-0b8b3b0a7d11");
    let mut app = App::new();
    app.add_plugins((TaskPoolPlugin::default(), AssetPlugin::default()))
        .init_asset::<Mesh>();
    app.world_mut()
        .resource_mut::<Assets<Mesh>>()
        .insert(&own, SphereMeshBuilder::default().into())
        .expect("the id is a UUID");
    app.insert_resource(SharedAssets {
        cube: own.clone(),
        ..SharedAssets::default()
    })
    .add_plugins(ChunkAssetsPlugin);
    app.update();

    app.world_mut().resource_mut::<Assets<Mesh>>().remove(&own);
    app.update();
    app.update();
    let meshes = app.world().resource::<Assets<Mesh>>();
    assert!(
        !meshes.contains(&own),
        "a cube took the place of the sphere"
    );
}

#[test]
fn meshes_that_a_later_plugin_throws_away_are_back_with_a_warning() {
    let warnings = warnings_of(|| {
        let mut app = app();
        app.add_plugins(MeshPlugin);
        assert!(
            !has_all_four(&app),
            "the plugin has changed: is this test needed?"
        );
        app.finish();
        app.cleanup();
        assert!(has_all_four(&app));
        assert_eq!(asset_count(app.world()), SharedAssets::COUNT);
    });
    assert!(
        warnings.contains("2 of the shared assets") && warnings.contains("MeshPlugin"),
        "{warnings}"
    );
}

#[test]
fn a_removed_asset_is_reported_and_nothing_else_is() {
    let quiet = warnings_of(|| {
        let mut app = app();
        app.finish();
        app.cleanup();
        app.update();
    });
    assert!(!quiet.contains("shared"), "{quiet}");
    let loud = warnings_of(|| {
        let mut app = app();
        // On this thread, where somebody listens.
        app.edit_schedule(PostUpdate, |schedule| {
            schedule.set_executor(SingleThreadedExecutor::new());
        });
        app.update();
        let tree = app.world().resource::<SharedAssets>().tree.clone();
        app.world_mut()
            .resource_mut::<Assets<ChunkMaterial>>()
            .remove(&tree);
        app.update();
    });
    assert!(
        loud.contains("the shared tree material was removed"),
        "{loud}"
    );
}

/// What is warned of on this thread meanwhile.
fn warnings_of(during: impl FnOnce()) -> String {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no panic").extend(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, during);
    let text = log.0.lock().expect("no panic").clone();
    String::from_utf8(text).expect("a log is text")
}

/// The same code compiles with the `render` feature and without.
#[test]
fn every_type_can_do_the_same_with_and_without_a_renderer() {
    fn asset<T: Asset + Clone + core::fmt::Debug + Default + Reflect + GetTypeRegistration>() {}
    fn value<T: Clone + core::fmt::Debug + Default + Reflect>() {}
    fn component<T: Component + Clone + core::fmt::Debug + Default + Eq + Reflect>() {}
    asset::<ChunkMaterial>();
    value::<StandardMaterial>();
    value::<TintExtension>();
    value::<Tint>();
    value::<SharedAssets>();
    component::<MeshMaterial3d<ChunkMaterial>>();

    let mut material = ChunkMaterial::default();
    material.base.unlit = true;
    material.base.reflectance = 0.3;
    let StandardMaterial { base_color, .. } = material.base;
    assert_eq!(base_color, Color::WHITE);
    let handle = SharedAssets::default().tree;
    let component = MeshMaterial3d::from(handle.clone());
    assert_eq!(AssetId::from(&component), handle.id());
}

#[test]
fn the_shared_assets_are_known_to_reflection() {
    let app = app();
    let registry = app.world().resource::<AppTypeRegistry>().read();
    for type_id in [TypeId::of::<SharedAssets>(), TypeId::of::<Tint>()] {
        assert!(registry.get(type_id).is_some());
    }
}

#[test]
fn removed_assets_come_back_under_the_same_handles() {
    let mut app = app();
    app.update();
    let shared = app.world().resource::<SharedAssets>().clone();

    app.world_mut()
        .resource_mut::<Assets<Mesh>>()
        .remove(&shared.cube);
    app.world_mut()
        .resource_mut::<Assets<ChunkMaterial>>()
        .remove(&shared.tree);
    assert!(!has_all_four(&app));
    app.update();
    assert!(has_all_four(&app), "restored within the frame");

    app.world_mut()
        .resource_mut::<Assets<Mesh>>()
        .remove(&shared.cylinder);
    app.world_mut()
        .resource_mut::<Assets<ChunkMaterial>>()
        .remove(&shared.building);
    app.update();
    assert!(has_all_four(&app), "and again");
    assert_eq!(asset_count(app.world()), SharedAssets::COUNT);
}

#[test]
fn an_asset_removed_and_replaced_by_the_user_is_not_overwritten() {
    let mut app = app();
    app.update();
    let cube = app.world().resource::<SharedAssets>().cube.clone();
    let mut meshes = app.world_mut().resource_mut::<Assets<Mesh>>();
    meshes.remove(&cube);
    meshes
        .insert(&cube, SphereMeshBuilder::default().into())
        .expect("the id is a UUID");
    let vertices = meshes.get(&cube).map(Mesh::count_vertices);

    app.update();
    let meshes = app.world().resource::<Assets<Mesh>>();
    let after = meshes.get(&cube).map(Mesh::count_vertices);
    assert_eq!(after, vertices);
}

#[test]
fn a_palette_beside_the_four_needs_nothing_special() {
    let mut app = app();
    let gold = app
        .world_mut()
        .resource_mut::<Assets<ChunkMaterial>>()
        .add(ChunkMaterial::default());
    let cube = app.world().resource::<SharedAssets>().cube.clone();
    let statue = Instance::new(cube, gold.clone(), Transform::default(), Tint::OWN);
    let entity = app.world_mut().spawn(statue).id();
    app.update();
    let material = app.world().get::<MeshMaterial3d<ChunkMaterial>>(entity);
    assert_eq!(material, Some(&MeshMaterial3d(gold)));
}
