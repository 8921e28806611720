//! Handles that workers reserve.

use core::fmt;
use core::marker::PhantomData;

use bevy_asset::{Asset, AssetHandleProvider, Assets, Handle};

/// Reserves handles on any thread, for assets that are inserted later.
///
/// A generator that holds a clone makes bundles with the chunk's handle already in them, so that all of them are spawned as
/// one batch; the asset follows in a step of its own ([`ChunkMesh::insert_at`](super::ChunkMesh::insert_at)). A handle that
/// is dropped before gives its place back.
///
/// ```
/// use bevy_asset::Assets;
/// use bevy_ecs::world::World;
/// use bevy_mesh::{Mesh, Mesh3d};
/// use chunk_assets::AssetHandles;
///
/// # let mut world = World::new();
/// # world.init_resource::<Assets<Mesh>>();
/// // After Bevy's own plugins, one of which makes the collection.
/// let handles = AssetHandles::of(world.resource::<Assets<Mesh>>());
/// let on_a_worker = std::thread::spawn(move || {
///     let handle = handles.reserve();
///     let bundles = [(Mesh3d(handle.clone()),), (Mesh3d(handle.clone()),)];
///     (handle, bundles)
/// });
/// # let _ = on_a_worker.join();
/// ```
pub struct AssetHandles<A: Asset> {
    provider: AssetHandleProvider,
    asset: PhantomData<fn() -> A>,
}

impl<A: Asset> AssetHandles<A> {
    /// Handles to assets of this collection.
    #[must_use]
    pub fn of(assets: &Assets<A>) -> Self {
        Self {
            provider: assets.get_handle_provider(),
            asset: PhantomData,
        }
    }

    /// A handle that no asset is behind yet.
    #[must_use]
    pub fn reserve(&self) -> Handle<A> {
        self.provider.reserve_handle().typed()
    }
}

impl<A: Asset> Clone for AssetHandles<A> {
    fn clone(&self) -> Self {
        Self {
            provider: self.provider.clone(),
            asset: PhantomData,
        }
    }
}

impl<A: Asset> fmt::Debug for AssetHandles<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssetHandles").finish_non_exhaustive()
    }
}
