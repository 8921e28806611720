//! Without the `render` feature: the same names and fields, and nothing to draw them.

use bevy_app::App;
use bevy_asset::{Asset, Handle};
use bevy_color::Color;
use bevy_ecs::component::Component;
use bevy_reflect::TypePath;

/// What a surface looks like. With the `render` feature this is an extension of Bevy's `StandardMaterial`, which has
/// the same fields and many more.
#[derive(Asset, Clone, Copy, Debug, Default, PartialEq, TypePath)]
pub struct ChunkMaterial {
    /// The surface before the tint.
    pub base: BaseMaterial,
    /// The part that reads the tint.
    pub extension: TintExtension,
}

/// The fields of Bevy's `StandardMaterial` that the shared assets set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BaseMaterial {
    /// The colour of an instance without a tint. White by default.
    pub base_color: Color,
    /// From 0 (a mirror) to 1 (chalk). 0.5 by default.
    pub perceptual_roughness: f32,
    /// How strongly it reflects when seen straight on, 0 to 1. 0.5 by default.
    pub reflectance: f32,
}

impl Default for BaseMaterial {
    fn default() -> Self {
        Self {
            base_color: Color::WHITE,
            perceptual_roughness: 0.5,
            reflectance: 0.5,
        }
    }
}

/// The part of a [`ChunkMaterial`] that reads the tint. It has no settings: the colour is the instance's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TintExtension {}

/// The material of an instance. With the `render` feature this is Bevy's component of the same name.
#[derive(Component, Clone, Debug)]
pub struct MeshMaterial3d<M: Asset>(pub Handle<M>);

impl<M: Asset> Default for MeshMaterial3d<M> {
    fn default() -> Self {
        Self(Handle::default())
    }
}

impl<M: Asset> PartialEq for MeshMaterial3d<M> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<M: Asset> Eq for MeshMaterial3d<M> {}

pub(crate) fn add_drawing(_: &mut App) {}

pub(crate) fn warn_if_not_drawn(_: &App) {}
