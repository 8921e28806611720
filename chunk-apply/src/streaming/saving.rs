//! What is saved of chunks that go.

use super::{host::StreamHost, index::ChunkIndex, stream::ChunkStream};
use crate::host::ChunkHost;
use bevy_ecs::{
    change_detection::{DetectChangesMut, Mut},
    world::World,
};

impl<T: Send + Sync + 'static> ChunkStream<T> {
    /// Calls the hook before unloading for every chunk that is there and for every one that waits for
    /// it, at once and whatever it takes: for the moment before the app exits. Of two versions of a
    /// chunk the older is saved first; loaded chunks come in the order of their coordinates.
    ///
    /// An app that exits unloads nothing, so without this call what is loaded is not saved. Nothing
    /// is unloaded by it; a loaded chunk that goes later is saved again.
    ///
    /// ```
    /// use bevy_app::AppExit;
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::ChunkStream;
    ///
    /// struct Rocks; // the stream's content type
    ///
    /// /// In `Last`.
    /// fn save_before_exit(world: &mut World) {
    ///     if !world.resource::<Messages<AppExit>>().is_empty() {
    ///         ChunkStream::<Rocks>::save_all(world);
    ///     }
    /// }
    /// # let mut world = World::new();
    /// # world.init_resource::<Messages<AppExit>>();
    /// # world.write_message(AppExit::Success);
    /// # save_before_exit(&mut world);
    /// ```
    pub fn save_all(world: &mut World) {
        if !world.contains_resource::<Self>() {
            return;
        }
        world.resource_scope(|world, mut stream: Mut<Self>| {
            let stream = stream.bypass_change_detection();
            stream.parts.hand_to_applier(world);
            let (applier, mut host) = StreamHost::of(&mut stream.parts);
            applier.announce_all(world, &mut host);
            let index = world.get_resource::<ChunkIndex<T>>();
            let mut loaded: Vec<_> = index.into_iter().flat_map(ChunkIndex::iter).collect();
            loaded.sort_unstable_by_key(|(coord, _)| *coord);
            for (coord, chunk) in loaded {
                host.before_unload(world, &coord, chunk);
            }
            host.end();
        });
    }
}
