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

use crate::material::{add_drawing, warn_if_not_drawn};
use crate::shared::{OtherMeshes, building_material, tree_material, unit_cube, unit_cylinder};
use crate::{ChunkMaterial, SharedAssets};

/// Puts the four shared assets in the world and inserts [`SharedAssets`].
///
/// Add it after Bevy's own plugins. With the `render` feature and a renderer it also adds what draws a
/// [`ChunkMaterial`]; otherwise it only stores the assets, so that the same code runs on a server or in a test. It
/// adds [`AssetPlugin`] if nobody did.
///
/// Adding it again does nothing: assets that were changed since, and a [`SharedAssets`] that was inserted before, stay
/// as they are. An asset of the four that is removed is reported with a warning and put back in the same frame.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChunkAssetsPlugin;

impl Plugin for ChunkAssetsPlugin {
    fn build(&self, app: &mut App) {
        if !app.world().contains_resource::<AssetServer>() {
            app.add_plugins(AssetPlugin::default());
        }
        add_drawing(app);
        init_asset_if_absent::<Mesh>(app);
        init_asset_if_absent::<ChunkMaterial>(app);

        app.init_resource::<SharedAssets>();
        app.world_mut()
            .resource_scope(|world, shared: Mut<SharedAssets>| insert_stock(world, &shared));
        if !app.is_plugin_added::<RestorePlugin>() {
            app.add_plugins(RestorePlugin);
        }
    }

    fn finish(&self, app: &mut App) {
        warn_if_not_drawn(app);
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

/// Inserts the assets of the handles that are this crate's own and have none. What lies behind a handle of the user's
/// is the user's, and may still be loading.
fn insert_stock(world: &mut World, shared: &SharedAssets) {
    let own = SharedAssets::default();

    let mut meshes = world.resource_mut::<Assets<Mesh>>();
    let ours =
        usize::from(meshes.contains(&shared.cube)) + usize::from(meshes.contains(&shared.cylinder));
    let others = OtherMeshes(meshes.len() - ours);
    if shared.cube == own.cube {
        insert_if_absent(&mut meshes, &own.cube, unit_cube);
    }
    if shared.cylinder == own.cylinder {
        insert_if_absent(&mut meshes, &own.cylinder, unit_cylinder);
    }

    let mut materials = world.resource_mut::<Assets<ChunkMaterial>>();
    if shared.building == own.building {
        insert_if_absent(&mut materials, &own.building, building_material);
    }
    if shared.tree == own.tree {
        insert_if_absent(&mut materials, &own.tree, tree_material);
    }

    // Counted once: meshes that appear between two set-ups are not Bevy's.
    if !world.contains_resource::<OtherMeshes>() {
        world.insert_resource(others);
    }
}

/// Whether the asset had to be inserted, and could be.
pub(crate) fn insert_if_absent<A: Asset>(
    assets: &mut Assets<A>,
    handle: &Handle<A>,
    stock: impl FnOnce() -> A,
) -> bool {
    !assets.contains(handle) && assets.insert(handle, stock()).is_ok()
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
    for event in mesh_events.read() {
        restore(event, &mut meshes, &shared.cube, "cube mesh", unit_cube);
        restore(
            event,
            &mut meshes,
            &shared.cylinder,
            "cylinder mesh",
            unit_cylinder,
        );
    }
    for event in material_events.read() {
        restore(
            event,
            &mut materials,
            &shared.building,
            "building material",
            building_material,
        );
        restore(
            event,
            &mut materials,
            &shared.tree,
            "tree material",
            tree_material,
        );
    }
}

fn restore<A: Asset>(
    event: &AssetEvent<A>,
    assets: &mut Assets<A>,
    handle: &Handle<A>,
    name: &str,
    stock: fn() -> A,
) {
    if event.is_removed(handle) && insert_if_absent(assets, handle, stock) {
        warn!("the shared {name} was removed; it is back as chunk-assets makes it");
    }
}
