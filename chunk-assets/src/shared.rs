//! The four assets and their handles.

use bevy_asset::{Assets, Handle, uuid_handle};
use bevy_color::Color;
use bevy_ecs::{reflect::ReflectResource, resource::Resource, world::World};
use bevy_mesh::{CuboidMeshBuilder, CylinderMeshBuilder, Mesh, MeshBuilder};
use bevy_reflect::{Reflect, std_traits::ReflectDefault};
use bevy_transform::components::Transform;

use crate::{ChunkMaterial, Instance, Tint, matt_material};

const CUBE: Handle<Mesh> = uuid_handle!("7a1f8f0e-6d0c-4f0e-9d0b-5b1f6a6c2c02");
const CYLINDER: Handle<Mesh> = uuid_handle!("7a1f8f0e-6d0c-4f0e-9d0b-5b1f6a6c2c03");
const BUILDING: Handle<ChunkMaterial> = uuid_handle!("7a1f8f0e-6d0c-4f0e-9d0b-5b1f6a6c2c04");
const TREE: Handle<ChunkMaterial> = uuid_handle!("7a1f8f0e-6d0c-4f0e-9d0b-5b1f6a6c2c05");

/// Flat sides on the unit cylinder: round enough for a trunk or a person, and cheap enough for many thousands.
const CYLINDER_SIDES: u32 = 16;

/// The handles of the four shared assets.
///
/// The handles are constants of this crate: every copy, in every app and on every thread, names the same four assets,
/// cloning a handle counts no references, and no asset is dropped with its last handle.
///
/// To use assets of your own, insert this resource with their handles before adding the plugin; the plugin then neither
/// makes nor restores them.
#[derive(Resource, Clone, Debug, PartialEq, Eq, Reflect)]
#[reflect(Resource, Default, Clone, Debug, PartialEq)]
pub struct SharedAssets {
    /// A cube with sides of 1 m, centred on the origin.
    pub cube: Handle<Mesh>,
    /// A cylinder 1 m high and 1 m across, upright and centred on the origin.
    pub cylinder: Handle<Mesh>,
    /// A matt light grey, for whatever people built.
    pub building: Handle<ChunkMaterial>,
    /// A dull green, for whatever grows or walks.
    pub tree: Handle<ChunkMaterial>,
}

impl SharedAssets {
    /// How many assets there are.
    pub const COUNT: usize = 4;

    /// A cube of the building material. The transform's scale is its size in metres.
    #[must_use]
    pub fn building_at(&self, transform: Transform, tint: Tint) -> Instance {
        Instance::new(self.cube.clone(), self.building.clone(), transform, tint)
    }

    /// A cylinder of the tree material. The transform's scale is its size in metres.
    #[must_use]
    pub fn tree_at(&self, transform: Transform, tint: Tint) -> Instance {
        Instance::new(self.cylinder.clone(), self.tree.clone(), transform, tint)
    }
}

impl Default for SharedAssets {
    fn default() -> Self {
        Self {
            cube: CUBE,
            cylinder: CYLINDER,
            building: BUILDING,
            tree: TREE,
        }
    }
}

/// Counts the meshes and [`ChunkMaterial`]s that are in the world, apart from the meshes that Bevy itself had put
/// there before the plugin was added.
///
/// It is [`SharedAssets::COUNT`] as long as nobody makes assets beside the four: an application that must not make an
/// asset per entity asserts that. It is 0 in a world without [`ChunkAssetsPlugin`](crate::ChunkAssetsPlugin).
#[must_use]
pub fn asset_count(world: &World) -> usize {
    let Some(others) = world.get_resource::<OtherMeshes>() else {
        return 0;
    };
    let meshes = world.get_resource::<Assets<Mesh>>().map_or(0, Assets::len);
    let materials = world
        .get_resource::<Assets<ChunkMaterial>>()
        .map_or(0, Assets::len);
    meshes.saturating_sub(others.0) + materials
}

/// How many meshes there were before this crate's.
#[derive(Resource)]
pub(crate) struct OtherMeshes(pub(crate) usize);

pub(crate) fn unit_cube() -> Mesh {
    CuboidMeshBuilder::default().build()
}

pub(crate) fn unit_cylinder() -> Mesh {
    CylinderMeshBuilder::new(0.5, 1.0, CYLINDER_SIDES).build()
}

pub(crate) fn building_material() -> ChunkMaterial {
    matt_material(Color::srgb_u8(200, 200, 196), 0.85)
}

pub(crate) fn tree_material() -> ChunkMaterial {
    matt_material(Color::srgb_u8(70, 110, 60), 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_camera::primitives::MeshAabb;

    #[test]
    fn both_meshes_fill_the_unit_box() {
        for mesh in [unit_cube(), unit_cylinder()] {
            let bounds = mesh
                .compute_aabb()
                .expect("a mesh with positions has bounds");
            assert!(
                (bounds.half_extents - 0.5).abs().max_element() < 1e-6,
                "{bounds:?}"
            );
            assert!(bounds.center.abs().max_element() < 1e-6, "{bounds:?}");
        }
    }

    #[test]
    fn a_world_without_the_plugin_has_none() {
        assert_eq!(asset_count(&World::new()), 0);
    }
}
