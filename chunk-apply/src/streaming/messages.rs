//! What happens to chunks: messages for systems, and entity events for observers of a chunk's root.

use super::{progress::RegionProgress, saving::SaveReason};
use bevy_ecs::{
    entity::Entity,
    event::{EntityEvent, EntityTrigger, Event},
    message::Message,
};
use chunk_coord::ChunkCoord;
use chunk_scheduler::Verdict;
use core::{fmt, marker::PhantomData, time::Duration};

/// Declares a type with a parameter that tells the streams of an app apart.
macro_rules! of_a_stream {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        ///
        /// The parameter is the stream's content type, which tells several streams apart.
        pub struct $name<T: Send + Sync + 'static> {
            $($(#[$field_doc])* pub $field: $type,)*
            stream: PhantomData<fn() -> T>,
        }

        impl<T: Send + Sync + 'static> $name<T> {
            pub(super) fn new($($field: $type),*) -> Self {
                Self { $($field,)* stream: PhantomData }
            }
        }

        // A derive would require the same of the content type.
        impl<T: Send + Sync + 'static> Clone for $name<T> {
            fn clone(&self) -> Self {
                Self { $($field: self.$field.clone(),)* stream: PhantomData }
            }
        }

        impl<T: Send + Sync + 'static> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))*
                    .finish()
            }
        }
    };
}

of_a_stream! {
    /// A chunk is whole, visible and in the [`ChunkIndex`](crate::ChunkIndex); also when it replaced an older version, and
    /// when it was given up and is taken back, with the same root, because it became wanted again before any of its
    /// entities was despawned.
    ///
    /// Its `Transform`s are right. Its `GlobalTransform`s are so once Bevy has propagated transforms, in `PostUpdate`: a
    /// system that needs those reads the message there, after `TransformSystems::Propagate`, or in `Last`, or reads the root's
    /// place by [`ChunkGrid::min_corner`](chunk_coord::ChunkGrid::min_corner). An observer runs while the stream applies,
    /// always before that.
    ///
    /// Every such chunk is written as a message, and triggered as an entity event on its root.
    ///
    /// ```
    /// use bevy_ecs::prelude::*;
    /// use chunk_apply::{ChunkLoaded, ChunkUnloading};
    ///
    /// struct Rocks; // the stream's content type
    ///
    /// /// A system reads messages, once a frame.
    /// fn count(mut loaded: MessageReader<ChunkLoaded<Rocks>>) {
    ///     println!("{} chunks more", loaded.read().count());
    /// }
    ///
    /// let mut world = World::new();
    /// // An observer runs at once, with the chunk's entities there.
    /// world.add_observer(|loaded: On<ChunkLoaded<Rocks>>, mut commands: Commands| {
    ///     // Observers of one root are despawned with it.
    ///     commands.entity(loaded.root).observe(|unloading: On<ChunkUnloading<Rocks>>| {
    ///         println!("{} is unloaded", unloading.coord);
    ///     });
    /// });
    /// # let _ = IntoSystem::into_system(count);
    /// ```
    #[derive(Message, EntityEvent)]
    ChunkLoaded {
        /// Which chunk.
        coord: ChunkCoord,
        /// The parent of its entities.
        #[event_target]
        root: Entity,
        /// How many entities were spawned under the root.
        entities: usize,
        /// The level of detail that it was made at, as its generator read it with [`ChunkLevels`](crate::ChunkLevels), which
        /// may be another than is wanted by now. If the generator read none, the level that is wanted; 0 in a stream without
        /// levels.
        level: u8,
        /// Which version it is. It shows a change if it is at least the
        /// [`live_version`](chunk_scheduler::Scheduler::live_version) of the chunk just after the refresh; a version that
        /// was being made before that is shown first.
        version: u64,
        /// Time since it became wanted; for a chunk that replaced another, since the first change that it shows. Zero for
        /// one that was [prefetched](crate::LoadOrder::Motion) before it was within any load radius.
        latency: Duration,
        /// The root of the version that it replaced, if there was one. While observers of this run, its entities are still
        /// there, so that what changed since they were [saved](crate::SaveHook) can be carried over; when the message is
        /// read they may be gone.
        replaced: Option<Entity>,
    }
}

impl<T: Send + Sync + 'static> ChunkLoaded<T> {
    /// Whether no older version of it stood there.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.replaced.is_none()
    }
}

of_a_stream! {
    /// A chunk is given up, because it is no longer wanted or because a newer version replaced it. Triggered as an entity
    /// event on its root before any of its entities is despawned.
    ///
    /// A chunk that is no longer wanted is [saved](crate::SaveHook) after this event, and one that is replaced before it,
    /// and before the newer version was requested.
    ///
    /// It is not triggered for a chunk whose root a user despawned: its entities are gone.
    #[derive(EntityEvent)]
    ChunkUnloading {
        /// Which chunk.
        coord: ChunkCoord,
        /// The parent of its entities.
        #[event_target]
        root: Entity,
    }
}

of_a_stream! {
    /// A chunk is no longer wanted, or a user despawned its root. It is hidden and its entities are despawned within the
    /// budgets of the coming frames. Written as a message.
    #[derive(Message)]
    ChunkUnloaded {
        /// Which chunk.
        coord: ChunkCoord,
    }
}

of_a_stream! {
    /// A generator or a spawner failed at a chunk.
    ///
    /// Every failure is written as a message; of more than 128 generators that failed in a frame, the others are told in the
    /// next frames. A generator that says [`NotYet`](chunk_scheduler::GenerateError::NotYet) has not failed. When making a
    /// newer version was given up, the failure is also triggered as an entity event on the root of the older version, if one
    /// stands; a chunk that never was there has no root.
    #[derive(Message)]
    ChunkFailed {
        /// Which chunk.
        coord: ChunkCoord,
        /// The root of the older version that stays, if there is one.
        root: Option<Entity>,
        /// The text of the error or the panic.
        message: String,
        /// How often it was tried.
        attempts: u32,
        /// Whether it will be tried again, was given up, or does not matter any more: the chunk left, or a newer version
        /// has taken its place.
        verdict: Verdict,
    }
}

of_a_stream! {
    /// The [save hook](crate::SaveHook) failed at a chunk, which is kept. Written as a message.
    #[derive(Message)]
    ChunkSaveFailed {
        /// Which chunk.
        coord: ChunkCoord,
        /// The parent of its entities.
        root: Entity,
        /// Why it was to be saved.
        reason: SaveReason,
        /// The text of the error or the panic.
        message: String,
        /// How often it has failed.
        failures: u32,
        /// Whether it will be tried again. If not, the [policy](crate::SavePolicy) gave it up, or it failed in
        /// [`save_all`](crate::ChunkStream::save_all) and stays as it is.
        will_retry: bool,
    }
}

of_a_stream! {
    /// A [`ChunkRegion`](crate::ChunkRegion) became [ready](RegionProgress::is_ready). Written as a message, and triggered as
    /// an entity event on the entity that has the region.
    ///
    /// It is true at that moment, after [`Apply`](crate::StreamingSystems::Apply); when the message is read, the entity may
    /// have moved.
    #[derive(Message, EntityEvent)]
    ChunkRegionReady {
        /// The entity with the region.
        #[event_target]
        entity: Entity,
        /// The chunk in the middle of the region.
        coord: ChunkCoord,
        /// What is loaded of it, and what has failed.
        progress: RegionProgress,
    }
}

impl<T: Send + Sync + 'static> Event for ChunkFailed<T> {
    type Trigger<'a> = EntityTrigger;
}

impl<T: Send + Sync + 'static> EntityEvent for ChunkFailed<T> {
    /// The root of the older version. The stream triggers no event without one.
    fn event_target(&self) -> Entity {
        self.root.unwrap_or(Entity::PLACEHOLDER)
    }
}
