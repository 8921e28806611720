//! How a stream ends.

use super::{
    chunk_stream::ChunkStream, host::StreamHost, parked_applier::ParkedApplier,
    root_event::RootEvent,
};
use crate::{
    budget::ApplyBudget,
    contain,
    streaming::{
        index::{ChunkIndex, RootOf},
        messages::{
            ChunkFailed, ChunkLoaded, ChunkRegionReady, ChunkSaveFailed, ChunkUnloaded,
            ChunkUnloading,
        },
        region::ChunkRegion,
        saving::{Reset, SaveReport},
    },
};
use bevy_ecs::{
    entity::Entity,
    hierarchy::Children,
    message::{Message, Messages},
    world::World,
};
use chunk_coord::ChunkCoord;

impl<T: Send + Sync + 'static> ChunkStream<T> {
    /// Ends the stream, at once and without a budget. Afterwards none of its roots is in the `World`, nor are the
    /// [`ChunkStream`] and the [`ChunkIndex`]; its systems rest until
    /// [`ChunkStreamingPlugin::start`](crate::ChunkStreamingPlugin::start) makes another stream. Without a stream it does
    /// nothing.
    ///
    /// - With [`Reset::Save`] everything is saved first, as by [`save_all`](Self::save_all).
    /// - [`ChunkUnloading`](crate::ChunkUnloading) is triggered on each root while the stream is there. Messages that were
    ///   not read are cleared, and none is written, so that no reader takes something of this stream for something of
    ///   the next.
    /// - Jobs that wait are withdrawn. A generator that is inside its call cannot be interrupted, and may look at
    ///   [`Job::is_cancelled`](chunk_scheduler::Job::is_cancelled); an async one ends where it next awaits. Nobody waits for
    ///   them, and what they make is dropped unseen.
    ///
    /// To despawn everything in one frame takes as long as in plain Bevy. To make the same world anew,
    /// [`reset`](Self::reset) is enough and keeps to the budget.
    ///
    /// Called by an observer, a hook or a spawner while the stream applies, it leaves what the applier has in hand until
    /// applying ends in the same run.
    ///
    /// # Errors
    ///
    /// As [`reset`](Self::reset): when a chunk could not be saved. Then the stream goes on, and the report tells
    /// what could not be saved; [`Reset::Discard`] stops it all the same.
    ///
    /// ```
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::{ChunkStream, Reset};
    ///
    /// struct Rocks; // the stream's content type
    ///
    /// /// In `OnEnter(GameState::MainMenu)`: whatever there is.
    /// fn leave(world: &mut World) {
    ///     if let Err(unsaved) = ChunkStream::<Rocks>::stop(world, Reset::Save) {
    ///         eprintln!("{} chunks are lost", unsaved.failed.len());
    ///         let _ = ChunkStream::<Rocks>::stop(world, Reset::Discard);
    ///     }
    /// }
    /// # leave(&mut World::new());
    /// ```
    pub fn stop(world: &mut World, how: Reset) -> Result<SaveReport, SaveReport> {
        let report = Self::reset(world, how)?;
        Self::trigger_root_events(world);
        world.remove_resource::<Self>();
        Self::clear_up(world);
        Ok(report)
    }

    /// Takes everything out of the `World` that a stream left there that is gone. Returns whether there is no stream and
    /// nothing of one: false as well while its applier works, which clears up when its work has ended.
    pub(in crate::streaming) fn clear_up(world: &mut World) -> bool {
        if world.contains_resource::<Self>() {
            return false;
        }
        if !world.contains_resource::<ParkedApplier<T>>() {
            return true;
        }
        // As long as it is taken, no other stream can start.
        let Some(mut applier) = ParkedApplier::<T>::take(world) else {
            return false;
        };
        let index = world.get_resource::<ChunkIndex<T>>();
        let loaded = index.into_iter().flat_map(ChunkIndex::iter);
        let mut loaded: Vec<(ChunkCoord, Entity)> =
            loaded.map(|(coord, chunk)| (coord, chunk.root)).collect();
        loaded.sort_unstable();
        for (coord, root) in loaded {
            let unloading = ChunkUnloading::new(coord, root);
            Self::trigger(world, RootEvent::Unloading(unloading));
        }
        world.remove_resource::<ChunkIndex<T>>();
        let mut roots = world.query::<(&RootOf<T>, Entity)>();
        let mut roots: Vec<(ChunkCoord, Entity)> =
            (roots.iter(world).map(|(of, root)| (of.coord, root))).collect();
        roots.sort_unstable();
        for (coord, root) in roots {
            let children = world.get::<Children>(root).map(|list| list.to_vec());
            let children = children.unwrap_or_default();
            if let Err(panic) = contain::despawn(world, root, &children) {
                Self::note_panic(world, coord, &panic);
            }
        }
        // Roots that it began after the stream was removed.
        let unlimited = ApplyBudget::unlimited();
        applier.apply(world, &mut StreamHost::default(), &unlimited);
        clear::<ChunkLoaded<T>>(world);
        clear::<ChunkUnloaded<T>>(world);
        clear::<ChunkFailed<T>>(world);
        clear::<ChunkSaveFailed<T>>(world);
        clear::<ChunkRegionReady<T>>(world);
        ChunkRegion::<T>::forget_all(world);
        world.remove_resource::<ParkedApplier<T>>();
        true
    }
}

/// No system reads what was written and not read yet.
fn clear<M: Message>(world: &mut World) {
    if let Some(mut messages) = world.get_resource_mut::<Messages<M>>() {
        messages.clear();
    }
}
