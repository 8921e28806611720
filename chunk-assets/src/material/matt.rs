//! A material that is not shiny.

#[cfg(feature = "render")]
use super::drawn::ChunkMaterial;
#[cfg(not(feature = "render"))]
use super::plain::ChunkMaterial;
use bevy_color::Color;

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
