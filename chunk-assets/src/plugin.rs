//! Puts the four assets in the world and keeps them there.

use bevy_app::{App, Plugin, PostUpdate};
use bevy_asset::{
    Asset, AssetApp, AssetEvent, AssetEventSystems, AssetPlugin, AssetServer, Assets, Handle,
};
use bevy_ecs::prelude::{
    IntoScheduleConfigs, MessageReader, Mut, Res, ResMut, SystemCondition, World, on_message,
};
use bevy_mesh::Mesh;
use tracing::warn;

use crate::insert::insert_if_absent;
use crate::material::{add_drawing, warn_if_not_drawn};
use crate::per_chunk::add_prepared_meshes;
use crate::shared::{OtherMeshes, building_material, tree_material, unit_cube, unit_cylinder};
use crate::{ChunkMaterial, SharedAssets, Tint};

/// Puts the four shared assets in the world and inserts [`SharedAssets`] and [`PreparedMeshes`](crate::PreparedMeshes).
///
/// Add it after Bevy's own plugins. With the `render` feature and a renderer it also adds what draws a
/// [`ChunkMaterial`]; otherwise it only stores the assets, so that the same code runs on a server or in a test. It
/// adds [`AssetPlugin`] if nobody did.
///
/// Adding it again does nothing: assets that were changed since, and a [`SharedAssets`] that was inserted before, stay
/// as they are. If one of the four assets is removed, also by a plugin of Bevy's that is added later, it is restored in
/// the same frame and a warning is logged. Assets behind handles of your own in [`SharedAssets`] are neither made nor
/// restored.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChunkAssetsPlugin;

impl Plugin for ChunkAssetsPlugin {
    fn build(&self, app: &mut App) {
        if !app.world().contains_resource::<AssetServer>() {
            app.add_plugins(AssetPlugin::default());
        }
        add_drawing(app);
        add_prepared_meshes(app);
        init_asset_if_absent::<Mesh>(app);
        init_asset_if_absent::<ChunkMaterial>(app);

        app.register_type::<SharedAssets>()
            .register_type::<Tint>()
            .init_resource::<SharedAssets>();
        app.world_mut()
            .resource_scope(|world, shared: Mut<SharedAssets>| insert_stock(world, &shared));
        if !app.is_plugin_added::<RestorePlugin>() {
            app.add_plugins(RestorePlugin);
        }
    }

    fn finish(&self, app: &mut App) {
        warn_if_not_drawn(app);
        let lost = app
            .world_mut()
            .resource_scope(|world, shared: Mut<SharedAssets>| insert_stock(world, &shared));
        if lost > 0 {
            warn!(
                "{lost} of the shared assets were removed by a plugin that was added after ChunkAssetsPlugin, such as \
                 Bevy's MeshPlugin; they are restored, but add ChunkAssetsPlugin after Bevy's own plugins"
            );
        }
    }

    fn is_unique(&self) -> bool {
        false
    }
}

/// `init_asset` would empty a collection that exists.
fn init_asset_if_absent<A: Asset>(app: &mut App) {
    if !app.world().contains_resource::<Assets<A>>() {
        app.init_asset::<A>();
    }
}

/// Inserts the missing assets of those handles that are this crate's own; returns how many. An asset behind a user's
/// handle is the user's, and may still be loading.
fn insert_stock(world: &mut World, shared: &SharedAssets) -> usize {
    let own = SharedAssets::default();
    let mut inserted = 0;

    let mut meshes = world.resource_mut::<Assets<Mesh>>();
    let ours =
        usize::from(meshes.contains(&shared.cube)) + usize::from(meshes.contains(&shared.cylinder));
    let others = OtherMeshes(meshes.len() - ours);
    let mut put = |handle: &Handle<Mesh>, own: &Handle<Mesh>, stock: fn() -> Mesh| {
        inserted += usize::from(handle == own && insert_if_absent(&mut meshes, own, stock));
    };
    put(&shared.cube, &own.cube, unit_cube);
    put(&shared.cylinder, &own.cylinder, unit_cylinder);

    let mut materials = world.resource_mut::<Assets<ChunkMaterial>>();
    let mut put =
        |handle: &Handle<ChunkMaterial>, own: &Handle<_>, stock: fn() -> ChunkMaterial| {
            inserted += usize::from(handle == own && insert_if_absent(&mut materials, own, stock));
        };
    put(&shared.building, &own.building, building_material);
    put(&shared.tree, &own.tree, tree_material);

    // Counted when this crate's assets are inserted: meshes that appear later are not Bevy's.
    if inserted > 0 || !world.contains_resource::<OtherMeshes>() {
        world.insert_resource(others);
    }
    inserted
}

/// The part that must be added once only.
#[derive(Debug)]
struct RestorePlugin;

impl Plugin for RestorePlugin {
    fn build(&self, app: &mut App) {
        app.add_systems(
            PostUpdate,
            restore_removed.after(AssetEventSystems).run_if(
                on_message::<AssetEvent<Mesh>>.or_eager(on_message::<AssetEvent<ChunkMaterial>>),
            ),
        );
    }
}

fn restore_removed(
    shared: Res<SharedAssets>,
    mut mesh_events: MessageReader<AssetEvent<Mesh>>,
    mut material_events: MessageReader<AssetEvent<ChunkMaterial>>,
    mut meshes: ResMut<Assets<Mesh>>,
    mut materials: ResMut<Assets<ChunkMaterial>>,
) {
    let own = SharedAssets::default();
    let (cubes, cylinders) = ([&shared.cube, &own.cube], [&shared.cylinder, &own.cylinder]);
    for event in mesh_events.read() {
        restore(event, &mut meshes, cubes, "cube mesh", unit_cube);
        restore(
            event,
            &mut meshes,
            cylinders,
            "cylinder mesh",
            unit_cylinder,
        );
    }
    let (buildings, trees) = ([&shared.building, &own.building], [&shared.tree, &own.tree]);
    for event in material_events.read() {
        restore(
            event,
            &mut materials,
            buildings,
            "building material",
            building_material,
        );
        restore(event, &mut materials, trees, "tree material", tree_material);
    }
}

/// Puts an asset back that was removed, if the handle in use is this crate's own.
fn restore<A: Asset>(
    event: &AssetEvent<A>,
    assets: &mut Assets<A>,
    [handle, own]: [&Handle<A>; 2],
    name: &str,
    stock: fn() -> A,
) {
    if handle == own && event.is_removed(own) && insert_if_absent(assets, own, stock) {
        warn!("the shared {name} was removed; it is restored as chunk-assets makes it");
    }
}
