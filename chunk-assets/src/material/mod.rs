//! The material that reads the tint: Bevy's with a shader, or its description alone.

#[cfg(feature = "render")]
mod drawn;
mod matt;
#[cfg(not(feature = "render"))]
mod plain;

#[cfg(feature = "render")]
pub use drawn::{ChunkMaterial, MeshMaterial3d, StandardMaterial, TintExtension};
#[cfg(feature = "render")]
pub(crate) use drawn::{add_drawing, warn_if_not_drawn};
pub use matt::matt_material;
#[cfg(not(feature = "render"))]
pub use plain::{ChunkMaterial, MeshMaterial3d, StandardMaterial, TintExtension};
#[cfg(not(feature = "render"))]
pub(crate) use plain::{add_drawing, warn_if_not_drawn};
