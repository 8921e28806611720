//! The material that reads the tint: Bevy's with a shader, or its description alone.

#[cfg(feature = "render")]
mod drawn;
#[cfg(not(feature = "render"))]
mod plain;

use bevy_color::Color;

#[cfg(feature = "render")]
pub use drawn::{ChunkMaterial, MeshMaterial3d, StandardMaterial, TintExtension};
#[cfg(feature = "render")]
pub(crate) use drawn::{add_drawing, warn_if_not_drawn};
#[cfg(not(feature = "render"))]
pub use plain::{ChunkMaterial, MeshMaterial3d, StandardMaterial, TintExtension};
#[cfg(not(feature = "render"))]
pub(crate) use plain::{add_drawing, warn_if_not_drawn};

/// A material that is not shiny: the start of a palette of your own, with and without a renderer.
///
/// `roughness` is Bevy's perceptual roughness, 0 (a mirror) to 1 (chalk).
///
/// ```
/// use bevy_color::Color;
///
/// let copper_roof = chunk_assets::matt_material(Color::srgb_u8(90, 160, 140), 0.6);
/// assert_eq!(copper_roof.base.perceptual_roughness, 0.6);
/// ```
#[must_use]
pub fn matt_material(base_color: Color, roughness: f32) -> ChunkMaterial {
    let mut material = ChunkMaterial::default();
    material.base.base_color = base_color;
    material.base.perceptual_roughness = roughness;
    material.base.reflectance = 0.25;
    material
}
