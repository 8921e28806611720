//! Without the `render` feature: the same names, and nothing that draws them. What compiles here must compile with the
//! feature as well, so no type here can do more than Bevy's type of the same name.

use bevy_app::App;
use bevy_asset::{Asset, AssetId, Handle};
use bevy_color::Color;
use bevy_ecs::component::Component;
use bevy_ecs::reflect::ReflectComponent;
use bevy_reflect::{Reflect, std_traits::ReflectDefault};

/// What a surface looks like. With the `render` feature this is an extension of Bevy's `StandardMaterial`.
#[derive(Asset, Clone, Debug, Default, Reflect)]
#[reflect(Default, Clone)]
#[non_exhaustive]
pub struct ChunkMaterial {
    /// The surface before the tint.
    pub base: StandardMaterial,
    /// The part that reads the tint.
    pub extension: TintExtension,
}

/// The fields of Bevy's `StandardMaterial` that the shared assets set. With the `render` feature this is Bevy's own, with
/// all of them.
#[derive(Clone, Debug, Reflect)]
#[reflect(Default, Clone)]
#[non_exhaustive]
pub struct StandardMaterial {
    /// The colour of an instance without a tint. White by default.
    pub base_color: Color,
    /// From 0 (a mirror) to 1 (chalk). 0.5 by default.
    pub perceptual_roughness: f32,
    /// How strongly it reflects when seen straight on, 0 to 1. 0.5 by default.
    pub reflectance: f32,
    /// Whether it shows its colour independently of the light. `false` by default.
    pub unlit: bool,
}

impl Default for StandardMaterial {
    fn default() -> Self {
        Self {
            base_color: Color::WHITE,
            perceptual_roughness: 0.5,
            reflectance: 0.5,
            unlit: false,
        }
    }
}

/// The part of a [`ChunkMaterial`] that reads the tint. It has no settings: the colour is the instance's.
#[derive(Clone, Copy, Debug, Default, Reflect)]
#[reflect(Default, Clone)]
#[non_exhaustive]
pub struct TintExtension {}

/// What Bevy's component of this name requires of a material.
pub trait Material: Asset + Clone {}

impl Material for ChunkMaterial {}

/// The material of an instance. With the `render` feature this is Bevy's component of the same name.
#[derive(Component, Debug, Reflect)]
#[reflect(Component, Default, Clone)]
pub struct MeshMaterial3d<M: Material>(pub Handle<M>);

impl<M: Material> Clone for MeshMaterial3d<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Material> Default for MeshMaterial3d<M> {
    fn default() -> Self {
        Self(Handle::default())
    }
}

impl<M: Material> PartialEq for MeshMaterial3d<M> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<M: Material> Eq for MeshMaterial3d<M> {}

impl<M: Material> From<Handle<M>> for MeshMaterial3d<M> {
    fn from(handle: Handle<M>) -> Self {
        Self(handle)
    }
}

impl<M: Material> From<&MeshMaterial3d<M>> for AssetId<M> {
    fn from(material: &MeshMaterial3d<M>) -> Self {
        material.0.id()
    }
}

pub(crate) fn add_drawing(_: &mut App) {}

pub(crate) fn warn_if_not_drawn(_: &App) {}
