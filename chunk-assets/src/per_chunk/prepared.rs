//! Which meshes are on the GPU.

use bevy_app::{App, Plugin};
use bevy_asset::AssetId;
use bevy_ecs::resource::Resource;
use bevy_mesh::Mesh;

/// Which meshes are on the GPU, as the main world knows it: what a gate asks that keeps the old chunk until the new one can
/// be drawn.
///
/// ```
/// use bevy_ecs::{entity::Entity, world::World};
/// use bevy_mesh::Mesh3d;
/// use chunk_assets::PreparedMeshes;
///
/// // For `ChunkWriter::show_when`, where the chunk's mesh is on its root.
/// fn can_be_drawn(world: &World, root: Entity) -> bool {
///     let prepared = world.resource::<PreparedMeshes>();
///     world.get::<Mesh3d>(root).is_none_or(|mesh| prepared.contains(&mesh.0))
/// }
/// # let _ = can_be_drawn;
/// ```
///
/// [`ChunkAssetsPlugin`](crate::ChunkAssetsPlugin) adds it, and so does [`PreparedMeshesPlugin`] alone. In an app that has no
/// renderer, and without the feature `render`, every mesh counts as prepared, so that the same gates run on a server. A mesh
/// whose usage leaves the render world out is never prepared where there is a renderer.
#[derive(Resource, Clone, Debug, Default)]
pub struct PreparedMeshes {
    #[cfg(feature = "render")]
    on_gpu: Option<drawn::OnGpu>,
}

impl PreparedMeshes {
    /// Whether a mesh is on the GPU.
    #[must_use]
    pub fn contains(&self, mesh: impl Into<AssetId<Mesh>>) -> bool {
        let mesh = mesh.into();
        #[cfg(feature = "render")]
        if let Some(on_gpu) = &self.on_gpu {
            return on_gpu.contains(mesh);
        }
        let _ = mesh;
        true
    }
}

/// Adds [`PreparedMeshes`] without the four shared assets. Add it after Bevy's render plugins; again it does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct PreparedMeshesPlugin;

impl Plugin for PreparedMeshesPlugin {
    fn build(&self, app: &mut App) {
        add_prepared_meshes(app);
    }

    fn is_unique(&self) -> bool {
        false
    }
}

pub(crate) fn add_prepared_meshes(app: &mut App) {
    if app.world().contains_resource::<PreparedMeshes>() {
        return;
    }
    let prepared = PreparedMeshes {
        #[cfg(feature = "render")]
        on_gpu: drawn::observe(app),
    };
    app.insert_resource(prepared);
}

#[cfg(feature = "render")]
mod drawn {
    use std::collections::HashSet;
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

    use bevy_app::App;
    use bevy_asset::AssetId;
    use bevy_ecs::prelude::{IntoScheduleConfigs, Res, ResMut, Resource};
    use bevy_mesh::Mesh;
    use bevy_render::mesh::RenderMesh;
    use bevy_render::render_asset::{ExtractedAssets, RenderAssets, prepare_assets};
    use bevy_render::{Render, RenderApp, RenderSystems};

    /// Written by the render world and read by the main world, so that a gate opens in the frame after the mesh was
    /// prepared. The lock is held to change a few ids.
    #[derive(Resource, Clone, Debug, Default)]
    pub(super) struct OnGpu(Arc<Mutex<HashSet<AssetId<Mesh>>>>);

    /// What was extracted and is not prepared yet, which takes longer than a frame where Bevy's own limit of bytes is set.
    #[derive(Resource, Debug, Default)]
    struct Extracted(HashSet<AssetId<Mesh>>);

    impl OnGpu {
        pub(super) fn contains(&self, mesh: AssetId<Mesh>) -> bool {
            self.lock().contains(&mesh)
        }

        fn lock(&self) -> MutexGuard<'_, HashSet<AssetId<Mesh>>> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// Lets the render world of an app, if it has one, tell what it prepared.
    pub(super) fn observe(app: &mut App) -> Option<OnGpu> {
        let renderer = app.get_sub_app_mut(RenderApp)?;
        let on_gpu = OnGpu::default();
        renderer
            .insert_resource(on_gpu.clone())
            .init_resource::<Extracted>()
            .add_systems(
                Render,
                (
                    // Preparing empties the list of what was removed.
                    note_extracted.before(prepare_assets::<RenderMesh>),
                    note_prepared.after(prepare_assets::<RenderMesh>),
                )
                    .in_set(RenderSystems::PrepareAssets),
            );
        Some(on_gpu)
    }

    fn note_extracted(
        meshes: Option<Res<ExtractedAssets<RenderMesh>>>,
        mut extracted: ResMut<Extracted>,
        on_gpu: Res<OnGpu>,
    ) {
        let Some(meshes) = meshes else { return };
        if meshes.added.is_empty() && meshes.removed.is_empty() {
            return;
        }
        let mut on_gpu = on_gpu.lock();
        for id in meshes.removed.iter().chain(&meshes.added) {
            on_gpu.remove(id);
            extracted.0.remove(id);
        }
        extracted.0.extend(&meshes.added);
    }

    fn note_prepared(
        meshes: Option<Res<RenderAssets<RenderMesh>>>,
        mut extracted: ResMut<Extracted>,
        on_gpu: Res<OnGpu>,
    ) {
        let Some(meshes) = meshes else { return };
        if extracted.0.is_empty() {
            return;
        }
        let mut on_gpu = on_gpu.lock();
        on_gpu.extend(extracted.0.extract_if(|id| meshes.get(*id).is_some()));
    }
}
