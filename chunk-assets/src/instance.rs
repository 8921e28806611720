//! The bundle of one instance.

use bevy_asset::Handle;
use bevy_camera::primitives::Aabb;
use bevy_ecs::bundle::Bundle;
use bevy_math::Vec3A;
use bevy_mesh::{Mesh, Mesh3d, MeshTag};
use bevy_transform::components::Transform;

use crate::{ChunkMaterial, MeshMaterial3d, Tint};

/// The bundle of one instance. Cubes and cylinders are the same type, so one `spawn_batch` takes both.
///
/// ```
/// use bevy_transform::components::Transform;
/// use chunk_assets::{SharedAssets, Tint};
///
/// let shared = SharedAssets::default();
/// let house = shared.building_at(Transform::default(), Tint::srgb(200, 80, 60));
/// let oak = shared.tree_at(Transform::from_xyz(9.0, 0.0, 0.0), Tint::OWN);
/// let both = [house, oak]; // One type: an array will do.
/// # assert_ne!(both[0].mesh, both[1].mesh);
/// ```
#[derive(Bundle, Clone, Debug)]
pub struct Instance {
    /// The shape.
    pub mesh: Mesh3d,
    /// The material, which reads the tint.
    pub material: MeshMaterial3d<ChunkMaterial>,
    /// The tint, packed.
    pub tag: MeshTag,
    /// The bounds of the mesh, for culling. Without this component Bevy would compute it in the next frame, and move
    /// every new entity to another archetype.
    pub bounds: Aabb,
    /// Place, rotation, and size in metres.
    pub transform: Transform,
}

impl Instance {
    /// An instance of any mesh that fits the unit box around the origin, as both shared meshes do. For a larger mesh
    /// set [`bounds`](Self::bounds) as well, or it may be culled at the edge of the screen.
    #[must_use]
    pub fn new(
        mesh: Handle<Mesh>,
        material: Handle<ChunkMaterial>,
        transform: Transform,
        tint: Tint,
    ) -> Self {
        Self {
            mesh: Mesh3d(mesh),
            material: MeshMaterial3d(material),
            tag: tint.into(),
            bounds: Aabb {
                center: Vec3A::ZERO,
                half_extents: Vec3A::splat(0.5),
            },
            transform,
        }
    }
}
