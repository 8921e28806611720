//! `Serialize` and `Deserialize` for types whose constructors check their values: reading calls the constructor.

use bevy_math::Vec3;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::footprint::Footprint;
use crate::grid::ChunkGrid;
use crate::range::ViewRange;

#[derive(Serialize, Deserialize)]
#[serde(rename = "ViewRange")]
struct Footprints {
    load: Footprint,
    unload: Footprint,
}

impl Serialize for ViewRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (load, unload) = (self.load(), self.unload());
        Footprints { load, unload }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ViewRange {
    /// # Errors
    ///
    /// As [`ViewRange::new`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Footprints { load, unload } = Footprints::deserialize(deserializer)?;
        Self::new(load, unload).map_err(D::Error::custom)
    }
}

/// The size of a chunk; 0 along the axis that a planar grid ignores.
#[derive(Serialize, Deserialize)]
#[serde(rename = "ChunkGrid")]
struct Size {
    x: f32,
    y: f32,
    z: f32,
}

impl Serialize for ChunkGrid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Vec3 { x, y, z } = self.size();
        Size { x, y, z }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ChunkGrid {
    /// # Errors
    ///
    /// As [`ChunkGrid::planar_rect`] where `y` is 0, as [`ChunkGrid::planar_xy_rect`] where `z` is 0, and as
    /// [`ChunkGrid::volumetric`] elsewhere.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Size { x, y, z } = Size::deserialize(deserializer)?;
        let grid = if y == 0.0 {
            Self::planar_rect(x, z)
        } else if z == 0.0 {
            Self::planar_xy_rect(x, y)
        } else {
            Self::volumetric(Vec3::new(x, y, z))
        };
        grid.map_err(D::Error::custom)
    }
}
