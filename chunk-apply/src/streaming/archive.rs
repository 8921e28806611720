//! What an app does with the archives that its streams save into: each frame, when it exits, and when it is dropped.

use super::{archive_trait::AnyArchive, stream::ChunkStream};
use crate::{budget::Clock, sync::Arc};
use bevy_ecs::{resource::Resource, system::ResMut, world::World};
use core::{marker::PhantomData, time::Duration};
use tracing::error;

/// One archive, for as long as a stream saves into it or something of it is not durable.
struct OpenArchive {
    archive: Arc<dyn AnyArchive>,
    clock: Arc<dyn Clock>,
    patience: Duration,
    /// Whether the app waited for it in vain, which is not done twice.
    is_given_up: bool,
}

impl OpenArchive {
    /// Waits until all is durable, and tells if that takes too long.
    fn close(&mut self) {
        if self.is_given_up {
            return;
        }
        if let Err(unsaved) = self.archive.flush_within(self.patience) {
            error!("{unsaved}");
            self.is_given_up = true;
        }
    }
}

/// The archives of the streams of this content that were started in this app. Dropping the app waits for them.
#[derive(Resource)]
pub(super) struct OpenArchives<T> {
    archives: Vec<OpenArchive>,
    of: PhantomData<fn() -> T>,
}

impl<T> Drop for OpenArchives<T> {
    fn drop(&mut self) {
        self.archives.iter_mut().for_each(OpenArchive::close);
    }
}

/// A stream that saves into this archive starts.
pub(super) fn open<T: Send + Sync + 'static>(
    world: &mut World,
    archive: Arc<dyn AnyArchive>,
    clock: Arc<dyn Clock>,
    patience: Duration,
) {
    let new = OpenArchive {
        archive,
        clock,
        patience,
        is_given_up: false,
    };
    let mut open = world.get_resource_or_insert_with(|| OpenArchives::<T> {
        archives: Vec::new(),
        of: PhantomData,
    });
    // The same plugin may have started an earlier stream.
    open.archives
        .retain(|old| !Arc::ptr_eq(&old.archive, &new.archive));
    open.archives.push(new);
}

/// Lets the archives work.
pub(super) fn tick<T: Send + Sync + 'static>(mut open: ResMut<OpenArchives<T>>) {
    open.archives.retain(|open| {
        open.archive.tick(open.clock.now());
        // No stream has it, nor a plugin that could start one.
        let is_left_over = Arc::strong_count(&open.archive) == 1;
        !(is_left_over && open.archive.waiting() == 0)
    });
}

/// Saves what is dirty, and waits until all is durable.
pub(super) fn exit<T: Send + Sync + 'static>(world: &mut World) {
    let has_archive = |stream: &ChunkStream<T>| stream.state.archive.is_some();
    if world.get_resource().is_some_and(has_archive) {
        let report = ChunkStream::<T>::save_all(world);
        if !report.failed.is_empty() {
            error!("at the exit of the app {report}");
        }
    }
    // The hooks may have done anything.
    let open = world.get_resource_mut::<OpenArchives<T>>();
    for open in open
        .into_iter()
        .flat_map(|open| &mut open.into_inner().archives)
    {
        open.is_given_up = false;
        open.close();
    }
}
