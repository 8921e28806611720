//! With the `render` feature: an extension of Bevy's standard material.

use bevy_app::App;
use bevy_asset::{Asset, Assets, Handle, uuid_handle};
use bevy_pbr::{ExtendedMaterial, MaterialExtension, MaterialPlugin, MaterialsPlugin};
use bevy_reflect::{Reflect, std_traits::ReflectDefault};
use bevy_render::{RenderApp, render_resource::AsBindGroup};
use bevy_shader::{Shader, ShaderRef};
use tracing::warn;

use crate::insert::insert_if_absent;

pub use bevy_pbr::{MeshMaterial3d, StandardMaterial};

/// The part that other shaders import.
const TINT_SHADER: Handle<Shader> = uuid_handle!("7a1f8f0e-6d0c-4f0e-9d0b-5b1f6a6c2c06");
const SURFACE_SHADER: Handle<Shader> = uuid_handle!("7a1f8f0e-6d0c-4f0e-9d0b-5b1f6a6c2c01");

/// Bevy's [`StandardMaterial`] with the instance's [`Tint`](crate::Tint) over its base colour. Lighting, shadows,
/// fog, textures and visibility ranges work as they do for the standard material.
pub type ChunkMaterial = ExtendedMaterial<StandardMaterial, TintExtension>;

/// The part of a [`ChunkMaterial`] that reads the tint. It has no settings: the colour is the instance's.
#[derive(Asset, AsBindGroup, Clone, Copy, Debug, Default, Reflect)]
#[reflect(Default, Clone)]
#[non_exhaustive]
pub struct TintExtension {}

impl MaterialExtension for TintExtension {
    fn fragment_shader() -> ShaderRef {
        ShaderRef::Handle(SURFACE_SHADER)
    }

    fn deferred_fragment_shader() -> ShaderRef {
        ShaderRef::Handle(SURFACE_SHADER)
    }
}

/// Adds what draws a [`ChunkMaterial`], if there is a renderer. A second call changes nothing.
pub(crate) fn add_drawing(app: &mut App) {
    if !has_renderer(app) {
        return;
    }
    if !app.is_plugin_added::<MaterialPlugin<ChunkMaterial>>() {
        app.add_plugins(MaterialPlugin::<ChunkMaterial>::default());
    }
    let mut shaders = app.world_mut().resource_mut::<Assets<Shader>>();
    insert_if_absent(&mut shaders, &TINT_SHADER, || {
        Shader::from_wgsl(include_str!("tint.wgsl"), "chunk_assets/material/tint.wgsl")
    });
    insert_if_absent(&mut shaders, &SURFACE_SHADER, || {
        let source = include_str!("surface.wgsl");
        Shader::from_wgsl(source, "chunk_assets/material/surface.wgsl")
    });
}

/// Warns of a renderer that was added after the plugin and does not know the material.
pub(crate) fn warn_if_not_drawn(app: &App) {
    if has_renderer(app) && !app.is_plugin_added::<MaterialPlugin<ChunkMaterial>>() {
        warn!(
            "nothing of chunk-assets will be drawn: add ChunkAssetsPlugin after Bevy's render plugins"
        );
    }
}

fn has_renderer(app: &App) -> bool {
    app.get_sub_app(RenderApp).is_some() && app.is_plugin_added::<MaterialsPlugin>()
}
